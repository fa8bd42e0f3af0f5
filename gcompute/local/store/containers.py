"""Container images that somebody registered or asked to be built."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Container:
    """A record of a container; the service neither builds nor runs any."""

    id: str
    owner: str
    #: The request: ``name``, and ``type`` and ``location`` of one that exists.
    registration: dict[str, Any]
    #: ``provided`` for one that exists, else how its build goes.
    build_status: str
    err_message: str | None = None


class Containers:
    """The table ``containers``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, container: Container, now: float) -> None:
        """Add a container."""
        self._connection.execute(
            "INSERT INTO containers VALUES (?, ?, ?, ?, ?, ?)",
            (
                container.id,
                container.owner,
                json.dumps(container.registration),
                container.build_status,
                container.err_message,
                now,
            ),
        )

    def find(self, container_id: str) -> Container | None:
        """Find a container."""
        row = self._connection.execute(
            "SELECT id, owner, registration, build_status, err_message FROM containers "
            "WHERE id = ?",
            (container_id,),
        ).fetchone()
        if row is None:
            return None
        id_, owner, registration, build_status, err_message = row
        return Container(id_, owner, json.loads(registration), build_status, err_message)
