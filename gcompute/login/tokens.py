"""The file of tokens: where the official package keeps it, and in its format.

Source: ``docs/wire.md#addresses-and-identity``.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from globus_sdk.token_storage import SQLiteTokenStorage

from gcompute.forking import no_fork


class TokenStorage(SQLiteTokenStorage):
    """Tokens in a file, which is closed when nobody uses them any more.

    Closed with its last user, and not by an ``atexit`` hook: what is sent at the exit of the
    interpreter may need a new token.
    """

    def __del__(self) -> None:
        """Close the file; Python warns of one that is left open, from 3.13 on."""
        with suppress(AttributeError):  # it could not be opened
            self.close()


def token_storage(path: Path, namespace: str) -> TokenStorage:
    """Open the file of tokens, making it where there is none.

    Args:
        path: the file.
        namespace: whose tokens these are, among those in the file.

    Raises:
        OSError: it cannot be made.
    """
    if not path.exists():
        _make(path)
    return TokenStorage(
        path,
        namespace=namespace,
        connect_params={"check_same_thread": False},  # requests come from several threads
    )


def _make(path: Path) -> None:
    """Make the file with its tables, of mode 0600, in one step.

    ``globus_sdk`` makes the file first and its tables later. A second process that starts at the
    same time, as in a job array, would find a file without tables.
    """
    draft = path.with_name(f".storage-{os.getpid()}.db")
    with no_fork:  # one at a time, since this changes the mask of the whole process
        draft.unlink(missing_ok=True)  # of a process that had this number, and died
        TokenStorage(draft).close()
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was faster
        finally:
            draft.unlink()
