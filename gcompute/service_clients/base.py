"""What the clients of both versions are: settings, a way to the service, and one way to call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from gcompute import http
from gcompute.arguments import unknown_argument
from gcompute.calls import Call
from gcompute.core import DEFAULT_REQUEST_LIMIT, ClientCore
from gcompute.errors import ComputeAPIError
from gcompute.protocol import COMPUTE_RESOURCE_SERVER
from gcompute.serialize import Strategylike
from gcompute.service_clients.documents import document_of, given
from gcompute.service_clients.response import ComputeResponse
from gcompute.service_clients.warning import warn_caller

if TYPE_CHECKING:
    import globus_sdk
    import httpx

    from gcompute.login import Authorizer

#: A JSON object for the service. UUIDs may be in it; they are sent as text.
Document = Mapping[str, Any]


class ServiceClient(ClientCore):
    """Calls operations of the web service, each as the service documents it.

    Making one sends nothing and prompts for nothing: the login, where one is needed, comes with
    the first request. Requests wait, are repeated and fail as those of :class:`gcompute.Client`
    do. Nothing is checked beside the request: neither the protocol level that the service
    accepts, nor the endpoint's Python. Safe to use from many threads.

    Every method raises :class:`~gcompute.errors.ComputeAPIError` (a subclass by status) when the
    service refuses, :class:`~gcompute.errors.ServiceUnreachable` when there is no answer, and
    ValueError or TypeError, before anything is sent, for what cannot be a request.

    Args:
        app: a ``globus_sdk.GlobusApp`` that logs in and keeps tokens; default a ``ClientApp``
            when client credentials are in the environment, else a ``UserApp``.
        authorizer: a ``globus_sdk`` authorizer, in place of ``app``.
        environment: the Globus environment; default ``GLOBUS_SDK_ENVIRONMENT``, else production.
        base_url: the address of the service, in place of ``environment``.
        code_serialization_strategy: for :attr:`serializer`.
        data_serialization_strategy: for arguments that ``submit_task`` and ``submit`` are given
            as Python values.
        allowed_deserializers: the only strategies that :attr:`serializer` loads; default all.
        request_limit: how many requests go in how many seconds, at most: beyond that a request
            waits. Default what the hosted service accepts, 20 in 10 s; ``None`` for no limit.
        transport: an httpx transport to send through, in place of the network; for tests.

    Attributes:
        serializer: turns functions and values into the text of documents, and back.

    Raises:
        ValueError: arguments that contradict each other, an unknown environment, or an address
            that is none.
        TypeError: ``app`` or ``authorizer`` is something else, such as a token.
    """

    service_name: ClassVar[str] = "compute"
    resource_server: ClassVar[str] = COMPUTE_RESOURCE_SERVER
    error_class: ClassVar[type[ComputeAPIError]] = ComputeAPIError

    def __init__(
        self,
        *,
        app: globus_sdk.GlobusApp | None = None,
        authorizer: Authorizer | None = None,
        environment: str | None = None,
        base_url: str | None = None,
        code_serialization_strategy: Strategylike | None = None,
        data_serialization_strategy: Strategylike | None = None,
        allowed_deserializers: Iterable[Strategylike] | None = None,
        request_limit: tuple[int, float] | None = DEFAULT_REQUEST_LIMIT,
        transport: httpx.BaseTransport | None = None,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            warn_caller(f"{unknown_argument(type(self), name)}; it is ignored")
        super().__init__(
            environment,
            do_version_check=False,
            code_serialization_strategy=code_serialization_strategy,
            data_serialization_strategy=data_serialization_strategy,
            allowed_deserializers=allowed_deserializers,
            app=app,
            authorizer=authorizer,
            base_url=base_url,
            request_limit=request_limit,
            transport=transport,
        )

    def _open(self, transport: httpx.BaseTransport | None) -> None:
        self._api = http.ServiceAPI(
            self.web_service_address,
            self._login,
            budget=self._budget,
            transport=transport,
        )

    @property
    def base_url(self) -> str:
        """The address of the service."""
        return self.web_service_address

    def _read(
        self,
        operation: str,
        reading: Callable[[dict[str, Any]], Any] | None = None,
        **parameters: Any,
    ) -> ComputeResponse[Any]:
        """Call an operation that only reads; parameters that are ``None`` are left out."""
        call = Call(operation, given(parameters), repeatable=True)
        return ComputeResponse(operation, self._api.send(call), reading=reading)

    def _act(self, operation: str, **parameters: Any) -> ComputeResponse[Any]:
        """Call an operation that changes something and takes no document."""
        return ComputeResponse(operation, self._api.send(Call(operation, parameters)))

    def _send(
        self,
        operation: str,
        document: Document | None,
        reading: Callable[[dict[str, Any]], Any] | None = None,
        *,
        repeatable: bool = False,
        **parameters: Any,
    ) -> ComputeResponse[Any]:
        """Call an operation that takes a document.

        Raises:
            TypeError: the document is no dictionary.
            ValueError: it is none that the operation can be sent; the text names the field.
        """
        call = Call(operation, parameters, document_of(document, operation), repeatable=repeatable)
        return ComputeResponse(operation, self._api.send(call), reading=reading)

    def close(self) -> None:
        """Close the connections, those in use when their requests end; later calls open others."""
        self._api.close()
        self._login.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.close()
