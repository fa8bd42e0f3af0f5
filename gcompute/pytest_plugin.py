"""Fixtures for tests of code that uses Globus Compute: a service of their own, on this machine.

::

    def test_areas(compute_executor):
        assert compute_executor.submit(area, 2).result() == pytest.approx(12.566, abs=0.001)


    @pytest.mark.gcompute(engine="loky:get_reusable_executor", workers=4)
    def test_areas_on_loky(compute_executor): ...

A service is started when the first test needs it, and serves all tests that ask for the same
arguments until the end of the session. Nothing of gcompute is imported before that, so that test
suites that do not use it are as quick as before. Needs ``pip install 'gcompute[local]'``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gcompute import Client, Executor
    from gcompute.local import LocalService, LocalServiceFailed

MARKER = "gcompute"
#: What fails a test, in place of `pytest.fail` where the error behind it is of no interest.
_Failed = pytest.fail.Exception
#: Characters of a service's log that the report of a failed test has.
_LOG_CHARACTERS = 4000
#: The service that a test uses, and how long its log was when the test began, in bytes.
_used = pytest.StashKey[tuple[Path, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what applies to all tests that do not say otherwise."""
    group = parser.getgroup("gcompute", "Globus Compute on this machine")
    group.addoption(
        "--gcompute-broker",
        metavar="URL",
        help="a RabbitMQ (amqp://user:password@host:port/vhost) in place of the embedded broker",
    )
    group.addoption(
        "--gcompute-engine",
        metavar="PATH",
        help="what runs tasks in place of worker processes: package.module:factory or "
        "./file.py:factory of a concurrent.futures.Executor",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(engine=..., broker=..., workers=..., **arguments): arguments of "
        "gcompute.local.LocalService for the service of this test",
    )


class _Services:
    """The services of a session, by their arguments."""

    def __init__(self) -> None:
        self._running: dict[str, LocalService] = {}
        #: Why services could not start; a broker that does not answer takes seconds a try.
        self._failed: dict[str, LocalServiceFailed] = {}

    def get(self, arguments: dict[str, Any]) -> LocalService:
        """Give a service that runs, started if need be.

        Raises:
            TypeError: there is no such argument.
            ValueError: an argument makes no sense.
            LocalServiceFailed: it cannot start.
        """
        from gcompute.local import LocalService, LocalServiceFailed

        key = repr(sorted(arguments.items()))
        if key in self._failed:
            raise self._failed[key]
        service = self._running.get(key)
        if service is None or not service.is_running:
            # One that a test stopped, or killed, is replaced.
            service = LocalService(**arguments)
            with pytest.MonkeyPatch.context() as patch:
                # The workers import from where the tests do: even a function that is defined
                # inside of a test refers to the globals of its module.
                patch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, sys.path)))
                try:
                    service.start()
                except LocalServiceFailed as error:
                    self._failed[key] = error
                    raise
            self._running[key] = service
        return service

    def stop(self) -> None:
        """Stop them all."""
        for service in self._running.values():
            service.stop()


@pytest.fixture(scope="session")
def _gcompute_services() -> Iterator[_Services]:
    services = _Services()
    yield services
    services.stop()


@pytest.fixture
def compute_service(request: pytest.FixtureRequest, _gcompute_services: _Services) -> LocalService:
    """A local compute service with an endpoint: a ``gcompute.local.LocalService``.

    Tests with the same arguments, those of the marker ``gcompute``, share it.
    """
    from gcompute.local import LocalServiceFailed

    arguments = _arguments(request)
    try:
        service = _gcompute_services.get(arguments)
    except (TypeError, ValueError) as error:
        raise _Failed(f"@pytest.mark.{MARKER}: {error}", pytrace=False) from None
    except LocalServiceFailed as error:
        raise _Failed(str(error), pytrace=False) from None
    log = service.state_dir / "service.log"
    request.node.stash[_used] = log, log.stat().st_size
    return service


@pytest.fixture
def compute_client(compute_service: LocalService) -> Iterator[Client]:
    """A ``gcompute.Client`` of the service, closed after the test."""
    with compute_service.client() as client:
        yield client


@pytest.fixture
def compute_executor(compute_service: LocalService, compute_client: Client) -> Iterator[Executor]:
    """A ``gcompute.Executor`` on the service's endpoint, shut down after the test."""
    from gcompute.executor import leaving

    executor = compute_service.executor(client=compute_client)
    yield executor
    # A test that failed may have left a task that never ends.
    executor.shutdown(wait=False, cancel_futures=True)
    leaving.let_exit(executor._engine)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the service logged meanwhile, with what functions printed, to a failure."""
    report = yield
    used = item.stash.get(_used, None)
    if used is not None and report.failed:
        text = _read_on(*used)
        if text:
            report.sections.append(("Log of the compute service", text))
    return report


def _arguments(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Give the arguments of the service of a test."""
    arguments = {
        name: value
        for name in ("broker", "engine")
        if (value := request.config.getoption(f"--gcompute-{name}")) is not None
    }
    # The closest marker last: it wins over that of the class, and that over the module's.
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        if marker.args:
            pytest.fail(f"@pytest.mark.{MARKER} takes keyword arguments only", pytrace=False)
        arguments.update(marker.kwargs)
    return arguments


def _read_on(log: Path, position: int) -> str:
    """Give what a log has after a position, or the end of it."""
    try:
        with log.open("rb") as file:
            file.seek(position)
            text = file.read().decode(errors="replace")
    except OSError:
        # A service that ended takes its temporary folder along.
        return ""
    return text if len(text) <= _LOG_CHARACTERS else "..." + text[-_LOG_CHARACTERS:]
