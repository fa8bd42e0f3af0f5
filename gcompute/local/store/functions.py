"""Registered functions."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from gcompute.serialize import pack_buffers


@dataclass(frozen=True, slots=True)
class Function:
    """A registered function."""

    id: str
    owner: str
    name: str
    #: As it was registered: packed buffers, or Python source where not ``serialized``.
    code: str
    serialized: bool = True
    description: str | None = None
    #: ``python_version``, ``sdk_version`` and the like, as registered.
    metadata: dict[str, Any] | None = None
    public: bool = False
    #: A group whose members may use it.
    group_id: str | None = None
    #: The only endpoint that may run it.
    ha_endpoint: str | None = None

    @property
    def buffer(self) -> str:
        """The function as a worker needs it: packed buffers of one code strategy.

        Source text becomes what the strategy ``st`` writes: name and source.
        Source: ``docs/wire.md#serialized-buffers``.
        """
        return self.code if self.serialized else pack_buffers([f"st\n{self.name}:{self.code}"])


_COLUMNS = "id, owner, name, code, serialized, description, metadata, public, group_id, ha_endpoint"


class Functions:
    """The table ``functions``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, function: Function, now: float) -> None:
        """Add a function."""
        self._connection.execute(
            f"INSERT INTO functions ({_COLUMNS}, registered_at) "  # noqa: S608 - constants
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                function.id,
                function.owner,
                function.name,
                function.code,
                function.serialized,
                function.description,
                json.dumps(function.metadata),
                function.public,
                function.group_id,
                function.ha_endpoint,
                now,
            ),
        )

    def find(self, function_id: str, *, deleted: bool = False) -> Function | None:
        """Find a function; a deleted one only where asked, for tasks that were accepted before."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS} FROM functions "  # noqa: S608 - constants
            "WHERE id = ? AND (? OR deleted_at IS NULL)",
            (function_id, deleted),
        ).fetchone()
        if row is None:
            return None
        (id_, owner, name, code, serialized, description, metadata, public, group, ha) = row
        return Function(
            id=id_,
            owner=owner,
            name=name,
            code=code,
            serialized=bool(serialized),
            description=description,
            metadata=json.loads(metadata),
            public=bool(public),
            group_id=group,
            ha_endpoint=ha,
        )

    def delete(self, function_id: str, now: float) -> None:
        """Mark a function as deleted."""
        self._connection.execute(
            "UPDATE functions SET deleted_at = ? WHERE id = ?", (now, function_id)
        )
