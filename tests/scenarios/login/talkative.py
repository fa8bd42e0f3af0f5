"""A program that uses everything and prints whatever it can get at: ``python -m`` this module.

Its arguments are a folder for state and a file. To the file goes, one a line, each secret that
there was; to its output goes every log record, warning, repr, message, pickle and traceback with
variables, the log of the service, and the command lines of all processes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import socket
import sqlite3
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import globus_sdk
import httpx
import pika
import pytest

from gcompute import Client, Executor
from gcompute.errors import (
    AuthenticationFailed,
    LoginRequired,
    NotFound,
    PermissionDenied,
    ServiceUnreachable,
)
from gcompute.local import LocalService, LocalServiceFailed
from gcompute.protocol import NATIVE_CLIENT_ID
from tests.scenarios.login.person import Person

STATE, SECRETS = Path(sys.argv[1]), Path(sys.argv[2])
POLICY = "60000000-0000-4000-8000-000000000006"
WRONG = "canary-wrong-4c1d"


def secret(*texts: str) -> None:
    """Note secrets."""
    with SECRETS.open("a") as file:
        file.writelines(f"{text}\n" for text in texts)


def note_stored_tokens() -> list[str]:
    """Note the tokens that clients keep, and give them."""
    connection = sqlite3.connect(Path(os.environ["GLOBUS_COMPUTE_USER_DIR"]) / "storage.db")
    rows = connection.execute("SELECT token_data_json FROM token_storage").fetchall()
    connection.close()
    kept = [json.loads(row) for (row,) in rows]
    tokens = [data.get(kind) for data in kept for kind in ("access_token", "refresh_token")]
    found = [token for token in tokens if token is not None]
    secret(*found)
    return found


def note_broker_passwords() -> None:
    """Note each password that anybody in this process logs in at a broker with."""
    make = pika.credentials.PlainCredentials.__init__

    def noting(self: Any, username: str, password: str, **more: Any) -> None:
        if username != "guest":
            secret(password)
        make(self, username, password, **more)

    pika.credentials.PlainCredentials.__init__ = noting


@contextlib.contextmanager
def failing(
    what: str, expected: type[Exception], said: str = "", *, variables: bool = True
) -> Iterator[None]:
    """Expect a failure, and print it in every way that there is.

    Args:
        what: what fails.
        expected: how it fails.
        said: what the message has in it.
        variables: whether to print those of its traceback too; not where the caller's own
            argument, which he has in his variables anyway, is the secret.
    """
    print(f"--- {what}")
    try:
        yield
    except expected as error:
        if said not in str(error):
            raise
        print(repr(error), str(error), pickle.dumps(error), error.args)
        traceback.print_exc(file=sys.stdout)
        shown = traceback.TracebackException.from_exception(error, capture_locals=variables)
        print("".join(shown.format()))
    else:
        raise SystemExit(f"{what}: nothing failed")


def succeed(service: LocalService) -> None:
    """Log in, run a task, and look at everything."""
    client = Client(base_url=service.url, request_limit=None)
    print(client.whoami())
    with Executor(endpoint_id=service.endpoint_id, client=client) as executor:
        future = executor.submit(pow, 2, 10)
        print(future.result(60), future)
        show(client, executor, client.app, client.__dict__, executor.__dict__, service)
    note_stored_tokens()
    with failing("a policy that is not met", PermissionDenied, "POLICY_UNMET"):
        client.run(1, endpoint_id=guarded(client), function_id=client.register_function(abs))
    with failing("an endpoint that is not there", NotFound):
        client.run(1, endpoint_id=POLICY, function_id=client.register_function(abs))
    note_stored_tokens()
    client.logout()
    client.close()


def be_a_person(service: LocalService) -> None:
    """Log in as a person, and lose the login."""
    patches = pytest.MonkeyPatch()
    person = Person(service)
    person.sit_down(patches)
    client = Client(base_url=service.url)
    client.register_function(abs)
    show(client, client.app, client.__dict__, client.whoami())
    end_logins(service)
    person.leave(patches)
    with failing("a login that has ended", LoginRequired):
        client.register_function(abs)
    patches.undo()
    client.close()
    print(person.screen.getvalue())


def end_logins(service: LocalService) -> None:
    """Revoke what the client keeps; here, where no failure shows the variables."""
    for token in note_stored_tokens():
        data = {"token": token, "client_id": NATIVE_CLIENT_ID}
        httpx.post(
            f"{service.url}/v2/oauth2/token/revoke", data=data, timeout=30
        ).raise_for_status()


def show(*objects: object) -> None:
    """Print objects as a program that is being debugged would."""
    for item in objects:
        print(repr(item), str(item))


def guarded(client: Client) -> str:
    """Register an endpoint that demands more than a program can give."""
    answer = client.register_endpoint("guarded", metadata={}, auth_policy=POLICY)
    secret(*filter(None, [urlsplit(answer["task_queue_info"]["connection_url"]).password]))
    return str(answer["endpoint_id"])


def fail(service: LocalService) -> None:
    """Fail in every way that has to do with secrets."""
    fail_with_a_token(service)
    fail_to_log_in(service)
    with failing("a broker that is not there", LocalServiceFailed):
        LocalService(workers=0, broker=f"amqp://user:{WRONG}@127.0.0.1:1/").start()
    with failing("a broker's address that is none", ValueError, variables=False):
        LocalService(workers=0, broker=f"http://user:{WRONG}@127.0.0.1:1/")
    with failing("an address that is none", ValueError, variables=False):
        Client(base_url=f"ftp://user:{WRONG}@127.0.0.1:1")


def fail_with_a_token(service: LocalService) -> None:
    """Fail with a token in hand."""
    authorizer = globus_sdk.AccessTokenAuthorizer(WRONG)
    with Client(base_url=service.url, authorizer=authorizer) as client:
        with failing("a token that is none", AuthenticationFailed, "USER_UNAUTHENTICATED"):
            client.register_function(abs)
        client.logout()
        client.login()
        show(client, client.authorizer)
    with (
        without_answer() as url,
        Client(base_url=url, authorizer=authorizer, do_version_check=False) as client,
        failing("a connection that breaks", ServiceUnreachable, "broke off"),
    ):
        client.register_function(abs)
    client = Client(base_url=f"http://user:{WRONG}@127.0.0.1:1", authorizer=authorizer)
    with client:
        show(client)
        with failing("a service that is not there", ServiceUnreachable):
            client.register_function(abs)


def fail_to_log_in(service: LocalService) -> None:
    """Fail before there is a token."""
    os.environ["GLOBUS_COMPUTE_CLIENT_SECRET"] = WRONG
    with (
        Client(base_url=service.url) as client,
        failing("a secret that is wrong", AuthenticationFailed, "invalid_client"),
    ):
        client.register_function(abs)
    del os.environ["GLOBUS_COMPUTE_CLIENT_SECRET"]
    with (
        Client(base_url=service.url) as client,
        failing("a login that nobody can make", LoginRequired),
    ):
        client.register_function(abs)
    os.environ["GLOBUS_COMPUTE_CLIENT_SECRET"] = WRONG
    del os.environ["GLOBUS_COMPUTE_CLIENT_ID"]
    with Client(base_url=service.url) as client, failing("half a login", ValueError):
        client.register_function(abs)
    del os.environ["GLOBUS_COMPUTE_CLIENT_SECRET"]


@contextlib.contextmanager
def without_answer() -> Iterator[str]:
    """Listen, and hang up on who asks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    peer.recv(10)
                    peer.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


class Awaited(logging.Handler):
    """Waits for a record."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.seen = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a record."""
        if self.text in record.getMessage():
            self.seen.set()


def lose(service: LocalService) -> None:
    """Lose the service under an executor that waits for a result."""
    client = service.client()
    executor = Executor(endpoint_id=service.endpoint_id, client=client)
    executor.submit(pow, 2, 10).result(60)
    future = executor.submit(time.sleep, 600)
    print(future.task_id, executor)
    lost = Awaited("was lost")
    logging.getLogger("gcompute").addHandler(lost)
    service.stop()
    assert lost.seen.wait(30)
    logging.getLogger("gcompute").removeHandler(lost)
    executor.shutdown(wait=False, cancel_futures=True)


def print_processes() -> None:
    """Print the command line of each process."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            print(path, path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))


def print_files() -> None:
    """Print every file of the state folder that is no database."""
    for path in sorted(STATE.rglob("*")):
        if path.is_file() and "sqlite" not in path.name:
            print(f"--- {path}", path.read_text(errors="replace"), sep="\n")


def main() -> None:
    """Do everything."""
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
    logging.captureWarnings(True)
    warnings.simplefilter("always")
    note_broker_passwords()
    secret(WRONG)
    with LocalService(workers=1, state_dir=STATE) as service:
        variables = service.environment(client_credentials=True)
        os.environ |= variables
        secret(service.token, variables["GLOBUS_COMPUTE_CLIENT_SECRET"])
        succeed(service)
        fail(service)
        be_a_person(service)
        print_processes()
        httpx.get(
            f"{service.url}/v2/oauth2/userinfo",
            headers={"Authorization": f"Bearer {WRONG}"},
            timeout=30,
        )
        lose(service)
    print_files()
    print("done", flush=True)
    os._exit(0)  # an exit waits for tasks, and one of these was lost with its service


if __name__ == "__main__":
    main()
