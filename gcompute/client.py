"""The blocking client of the web service: functions, submits and results, over HTTP.

For many tasks and results as they arrive use :class:`gcompute.Executor`, which builds on this;
for the same methods with ``await`` :class:`gcompute.AsyncClient`.

Each method is a recipe (:mod:`gcompute.recipes`), which says what is asked and what becomes of
the answers; here is only how a recipe is run by blocking.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from gcompute import core, http
from gcompute.budget import RequestBudget
from gcompute.calls import Notice, Pause, Recipe
from gcompute.core import DEFAULT_REQUEST_LIMIT, WINDOW_FACTOR, ClientCore
from gcompute.recipes import comparison, endpoints, functions, tasks

if TYPE_CHECKING:
    import httpx

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(
    recipe: Callable[Concatenate[ClientCore, P], Recipe[R]],
) -> Callable[Concatenate[Client, P], R]:
    """Make a method that runs a recipe."""

    @functools.wraps(recipe)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(recipe(self, *args, **kwargs))

    return method_of(method, recipe)


def method_of(method: Callable[..., Any], recipe: Callable[..., Any]) -> Callable[..., Any]:
    """Give a method the signature of its recipe, with ``self`` and what the recipe returns."""
    signature = inspect.signature(recipe)
    first, *others = signature.parameters.values()
    returned = str(signature.return_annotation).removeprefix("Recipe[").removesuffix("]")
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[first.replace(name="self", annotation=inspect.Parameter.empty), *others],
        return_annotation=returned,
    )
    return method


class Client(ClientCore):
    """Talks to the Globus Compute web service.

    Making one sends nothing and prompts for nothing: the login, where one is needed, comes with
    the first request. Safe to use from many threads.

    Args:
        environment: the Globus environment; default ``GLOBUS_SDK_ENVIRONMENT``, else production.
        local_compute_services: use a service at ``http://localhost:5000``.
        do_version_check: check, before the first request, that the service still accepts this
            client's protocol level, and before the first task of an endpoint, that its Python
            can load what this one sends; the latter only warns.
        code_serialization_strategy: for functions; default
            :class:`~gcompute.serialize.DillCode`.
        data_serialization_strategy: for arguments; default
            :class:`~gcompute.serialize.DillDataBase64`.
        allowed_deserializers: the strategies whose results may be loaded, such as
            ``[gcompute.serialize.JSONData]``; default all. Loading a result runs code that the
            endpoint chose, except for JSON. Endpoints are asked to write results with these.
        app: a ``globus_sdk.GlobusApp`` that logs in and keeps tokens; default a ``ClientApp``
            when client credentials are in the environment, else a ``UserApp``.
        authorizer: a ``globus_sdk`` authorizer, in place of ``app``.
        base_url: the address of the service, in place of ``environment``.
        request_limit: how many requests go in how many seconds, at most: beyond that a request
            waits. Default what the hosted service accepts, 20 in 10 s; ``None`` for no limit.
        transport: an httpx transport to send through, in place of the network; for tests.

    Raises:
        ValueError: arguments that contradict each other, an unknown environment, or an address
            that is none.
        TypeError: ``app`` or ``authorizer`` is something else, such as a token.
        SerdeError: a strategy is unknown or of the wrong kind.
    """

    def _open(self, transport: httpx.BaseTransport | None) -> None:
        self._api = http.ServiceAPI(
            self.web_service_address,
            self._login,
            budget=self._budget,
            transport=transport,
        )
        #: What the executors of this client share, once there is one; theirs alone.
        self._executors_share: Any = None

    version_check = _blocking(core.version_check)

    register_function = _blocking(functions.register_function)
    register_source_code = _blocking(functions.register_source_code)
    get_function = _blocking(functions.get_function)
    delete_function = _blocking(functions.delete_function)

    serializer_for = _blocking(comparison.serializer_for)
    create_batch = tasks.create_batch
    run = _blocking(tasks.run)
    batch_run = _blocking(tasks.batch_run)
    get_task = _blocking(tasks.get_task)
    get_result = _blocking(tasks.get_result)
    get_batch_result = _blocking(tasks.get_batch_result)
    wait = _blocking(tasks.wait)
    get_task_group = _blocking(tasks.get_task_group)
    get_result_amqp_url = _blocking(tasks.get_result_amqp_url)

    register_endpoint = _blocking(endpoints.register_endpoint)
    get_endpoint_status = _blocking(endpoints.get_endpoint_status)
    get_endpoint_metadata = _blocking(endpoints.get_endpoint_metadata)
    get_endpoints = _blocking(endpoints.get_endpoints)
    get_allowed_functions = _blocking(endpoints.get_allowed_functions)
    stop_endpoint = _blocking(endpoints.stop_endpoint)
    delete_endpoint = _blocking(endpoints.delete_endpoint)
    get_worker_hardware_details = _blocking(endpoints.get_worker_hardware_details)

    def login(self, *, force: bool = False) -> None:
        """Log in where that is needed; see :meth:`gcompute.login.Login.login`."""
        self._login.login(force=force)

    def login_required(self) -> bool:
        """Tell whether the next request needs a login first; nobody is prompted."""
        return self._login.login_required()

    def logout(self) -> None:
        """Revoke the tokens and remove them; the next request needs a login."""
        self._login.logout()

    def whoami(self) -> dict[str, Any]:
        """Tell who is logged in: ``id``, ``username``, ``name``, ``email``."""
        return self._login.whoami()

    # What the Executor uses beside the methods above.
    _register = _blocking(functions.register)
    _warn_if_offline = _blocking(comparison.warn_if_offline)
    _submit = _blocking(tasks.submit)
    _batch_status = _blocking(tasks.batch_status)

    def close(self) -> None:
        """Close the connections, those in use when their requests end; later calls open others."""
        self._api.close()
        self._login.close()

    def _limit_requests(self, limit: int | None, window_s: float | None) -> None:
        """Send so many requests in so many seconds at most; ``None`` leaves one as it is."""
        default_limit, default_window_s = DEFAULT_REQUEST_LIMIT
        if self._budget is None:
            self._budget = self._api.budget = RequestBudget(
                default_limit, default_window_s * WINDOW_FACTOR
            )
        self._budget.change(limit, None if window_s is None else window_s * WINDOW_FACTOR)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.close()

    def _run(self, recipe: Recipe[R]) -> R:
        """Run a recipe to its end."""
        try:
            step = next(recipe)
            while True:
                if isinstance(step, Notice):
                    warnings.warn(step.text, step.category, stacklevel=3)
                    step = next(recipe)
                elif isinstance(step, Pause):
                    self._api.pause(step.seconds)
                    step = next(recipe)
                else:
                    try:
                        answer = self._api.call(step)
                    except Exception as error:
                        step = recipe.throw(error)
                    else:
                        step = recipe.send(answer)
        except StopIteration as end:
            result: R = end.value
            return result
        finally:
            recipe.close()
