"""Documents as users give them: plain dictionaries, or the two deprecated classes for them.

Pure: nothing here sends anything.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from uuid import UUID

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


def document_of(given_document: Any, operation: str) -> dict[str, Any]:
    """Give a document as JSON has it.

    Raises:
        TypeError: it is no dictionary.
    """
    if not isinstance(given_document, Mapping):
        raise TypeError(
            f"{operation} takes a document, a dictionary, and not {given_document!r:.100}"
        )
    document: dict[str, Any] = plain(given_document)
    return document
