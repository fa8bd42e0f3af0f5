"""The file of tokens."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path

import pytest
from globus_sdk.token_storage import SQLiteTokenStorage

from gcompute.login.tokens import token_storage


def test_the_official_storage_reads_it(tmp_path: Path) -> None:
    """It has the same tables."""
    token_storage(tmp_path / "storage.db", "user/production").close()
    official = SQLiteTokenStorage(tmp_path / "storage.db", namespace="user/production")
    try:
        assert official.get_token_data_by_resource_server() == {}
    finally:
        official.close()


def test_it_is_closed_with_its_last_user(tmp_path: Path) -> None:
    """Nobody has to, and Python has nothing to warn of."""
    storage = token_storage(tmp_path / "storage.db", "user/production")
    connection = storage._connection
    connection.execute("select 1")
    del storage
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("select 1")


def test_one_that_cannot_be_opened_leaves_nothing_to_close(tmp_path: Path) -> None:
    """The error is that of the file alone."""
    (tmp_path / "storage.db").mkdir()
    with pytest.raises(sqlite3.OperationalError):
        token_storage(tmp_path / "storage.db", "user/production")
    gc.collect()
