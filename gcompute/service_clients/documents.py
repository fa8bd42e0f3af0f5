"""Documents as users give them: plain dictionaries, or the two deprecated classes for them.

Pure: nothing here sends anything.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gcompute.http import find_operation
from gcompute.ids import UUIDLike
from gcompute.service_clients.warning import warn_caller


class ComputeFunctionMetadata(dict[str, Any]):
    """What made a function. Deprecated: a plain dictionary does.

    Args:
        python_version: version of the Python that serialized the function.
        sdk_version: protocol level of the client.
    """

    def __init__(
        self, *, python_version: str | None = None, sdk_version: str | None = None
    ) -> None:
        _deprecate(type(self))
        super().__init__(given({"python_version": python_version, "sdk_version": sdk_version}))


class ComputeFunctionDocument(dict[str, Any]):
    """A function to register. Deprecated: a plain dictionary does.

    Args:
        function_name: its name.
        function_code: the serialized function, packed or not, or Python source.
        description: what it does.
        metadata: what made it.
        group: a Globus group whose members may run it.
        public: whether everybody may run it.
    """

    def __init__(
        self,
        *,
        function_name: str,
        function_code: str,
        description: str | None = None,
        metadata: ComputeFunctionMetadata | Mapping[str, Any] | None = None,
        group: UUIDLike | None = None,
        public: bool = False,
    ) -> None:
        _deprecate(type(self))
        optional = {"description": description, "metadata": metadata, "group": group}
        super().__init__(
            function_name=function_name,
            function_code=function_code,
            public=public,
            **given(optional),
        )


def _deprecate(cls: type) -> None:
    warn_caller(
        f"{cls.__name__} is deprecated: give a plain dictionary with the same keys",
        DeprecationWarning,
    )


def warn_of_foreign_class(document: Mapping[str, Any]) -> None:
    """Warn of the deprecated classes that releases of globus_sdk before 4 have."""
    cls = type(document)
    if cls.__module__.split(".")[0] == "globus_sdk" and cls.__name__.startswith("ComputeFunction"):
        _deprecate(cls)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is ``None`` or globus_sdk's mark for a missing value."""
    return {key: value for key, value in values.items() if value is not None and not _left(value)}


def plain(value: Any) -> Any:
    """Give a document as JSON has it: dictionaries, lists, and text for identifiers.

    What has globus_sdk's mark for a missing value is left out.
    """
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items() if not _left(entry)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return str(value) if isinstance(value, UUID) else value


def _left(value: Any) -> bool:
    """Tell whether a value is globus_sdk's mark for a missing one."""
    globus_sdk = sys.modules.get("globus_sdk")  # whoever has that mark has imported it
    return globus_sdk is not None and value is globus_sdk.MISSING


def check_document(operation: str, document: Any) -> None:
    """Check that a document can be the body of an operation.

    Raises:
        TypeError: it is no object.
        ValueError: it lacks a field, or one has a value that cannot be; the text names it.
    """
    if not isinstance(document, dict):
        raise TypeError(f"{operation} takes a document, a dictionary, and not {document!r:.100}")
    error = _misfit(operation, document)
    if isinstance(error, KeyError):
        raise ValueError(f"the document for {operation} lacks {error.args[0]!r}") from error
    if error is not None:
        wrong = _culprit(operation, document, error)
        raise ValueError(f"the document for {operation} has a wrong {wrong}: {error}") from error


def _misfit(operation: str, document: dict[str, Any]) -> Exception | None:
    """Say what the generated model of a body has against a document."""
    model = find_operation(operation)._get_kwargs.__annotations__["body"]
    try:
        model.from_dict(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return error
    return None


def _culprit(operation: str, document: dict[str, Any], error: Exception) -> str:
    """Name the field without which the model would say something else, or nothing."""
    for name in document:
        rest = {key: value for key, value in document.items() if key != name}
        if repr(_misfit(operation, rest)) != repr(error):
            return repr(name)
    return "value"
