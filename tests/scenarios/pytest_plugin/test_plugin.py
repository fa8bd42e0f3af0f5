"""The pytest plugin, in test suites as users write them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import started_with
from tests.support.rabbitmq import RabbitMQ

EXAMPLE = Path(__file__).parents[3] / "examples" / "test_areas.py"
#: Arguments of each run: what a leaked resource or thread says must be seen. Where a plugin that
#: shuffles tests is installed, these keep their order: some look at what those before them did.
STRICT = ("--strict-markers", "-W", "error", "-p", "no:cacheprovider", "-p", "no:randomly")


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the tests of the folder in a process of their own, where the plugin loads by itself."""
    return pytester.runpytest_subprocess(*STRICT, *arguments)


def test_the_example(pytester: pytest.Pytester) -> None:
    """It passes as it is in the documentation."""
    pytester.makepyfile(EXAMPLE.read_text())
    run(pytester).assert_outcomes(passed=4)


def test_the_example_where_nothing_helps(pytester: pytest.Pytester) -> None:
    """`pytest` in a folder that nobody put on `PYTHONPATH`, as pytester does: workers find it."""
    pytester.makepyfile(EXAMPLE.read_text())
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [Path(sys.executable).parent / "pytest", *STRICT],
        cwd=pytester.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout


def test_tests_share_the_services_that_they_ask_for(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for the same arguments, whether at the test, its class or its module; all end."""
    monkeypatch.setenv("GCOMPUTE_TEST_MARK", str(pytester.path))
    pytester.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.gcompute(workers=1)
        urls = []

        def workers(client, service):
            status = client.get_endpoint_status(service.endpoint_id)
            return status["details"]["total_workers"]

        def test_a(compute_service, compute_client):
            assert workers(compute_client, compute_service) == 1
            urls.append(compute_service.url)

        class TestB:
            def test_b(self, compute_service):
                assert compute_service.url in urls

            @pytest.mark.gcompute(workers=3)
            def test_c(self, compute_service, compute_client):
                assert workers(compute_client, compute_service) == 3
                assert compute_service.url not in urls

        def test_d(compute_service):
            assert compute_service.url in urls
        """
    )
    run(pytester).assert_outcomes(passed=4)
    assert started_with("GCOMPUTE_TEST_MARK", str(pytester.path)) == []


def test_a_service_that_a_test_stopped_is_replaced(pytester: pytest.Pytester) -> None:
    """The next test gets one that runs."""
    pytester.makepyfile(
        """
        def test_a(compute_service):
            compute_service.stop()

        def test_b(compute_executor):
            assert compute_executor.submit(abs, -1).result() == 1
        """
    )
    run(pytester).assert_outcomes(passed=2)


def test_a_failure_shows_what_the_functions_printed(pytester: pytest.Pytester) -> None:
    """Of the time of this test, and where the test failed only."""
    pytester.makepyfile(
        """
        def say(what):
            print(what, "was here")

        def test_fine(compute_executor):
            compute_executor.submit(say, "kilroy").result()

        def test_fails(compute_executor):
            compute_executor.submit(say, "mickey").result()
            assert False
        """
    )
    # The worker imports nothing from here: functions of a test's module travel by reference.
    pytester.makeconftest("import os, sys; os.environ['PYTHONPATH'] = os.getcwd()")
    result = run(pytester)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*- Log of the compute service -*", "mickey was here"])
    result.stdout.no_fnmatch_line("*kilroy was here*")


def test_a_task_that_never_ends_does_not_hold_up_the_suite(pytester: pytest.Pytester) -> None:
    """The executor of a failed test is shut down without waiting for it."""
    pytester.makepyfile(
        """
        def test_fails(compute_executor):
            def work():
                import threading
                threading.Event().wait()

            future = compute_executor.submit(work)
            while not future.running():
                pass
            assert False
        """
    )
    run(pytester).assert_outcomes(failed=1)


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        ("(wrokers=1)", "*mark.gcompute: *unexpected keyword argument 'wrokers'*"),
        ("(workers=-1)", "*mark.gcompute: workers must be 0 or more, not -1*"),
        ("('loky')", "*mark.gcompute takes keyword arguments only*"),
        ("(engine='no.such:engine')", "*cannot start: engine no.such:engine: importing*"),
    ],
)
def test_a_marker_that_makes_no_sense(pytester: pytest.Pytester, marker: str, reason: str) -> None:
    """The test fails with the reason."""
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.gcompute{marker}
        def test_a(compute_service):
            pass
        """
    )
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([reason])
    # What is wrong is in the test, and not on the way through the plugin.
    result.stdout.no_fnmatch_line("*During handling*")
    result.stdout.no_fnmatch_line("*service_process.py*")


def test_a_service_that_cannot_start_is_tried_once(pytester: pytest.Pytester) -> None:
    """A suite of many tests does not wait for a missing broker in each of them."""
    tries = pytester.path / "tries"
    pytester.makepyfile(
        broken=f"""
        def engine():
            with open({str(tries)!r}, "a") as file:
                file.write("x")
            raise OSError("no cluster today")
        """,
        test_it="""
        import pytest

        pytestmark = pytest.mark.gcompute(engine="./broken.py:engine")

        def test_a(compute_service):
            pass

        def test_b(compute_executor):
            pass
        """,
    )
    result = run(pytester)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*cannot start*no cluster today*"] * 2)
    assert tries.read_text() == "x"


def test_options_apply_to_what_no_marker_says(
    pytester: pytest.Pytester, rabbitmq: RabbitMQ
) -> None:
    """A broker and an engine for the whole suite; a marker has the last word."""
    pytester.makepyfile(
        """
        import pytest

        def kind(client, service):
            return client.get_endpoint_status(service.endpoint_id)

        def where():
            import threading
            return threading.current_thread().name

        def test_options(compute_service, compute_executor, pytestconfig):
            port = pytestconfig.getoption("--gcompute-broker").rpartition(":")[2].split("/")[0]
            assert f":{port}" in compute_service.broker
            assert compute_executor.submit(where).result().startswith("ThreadPoolExecutor")

        @pytest.mark.gcompute(broker=None, engine=None)
        def test_marker(compute_service, compute_executor, pytestconfig):
            assert compute_executor.submit(where).result() == "MainThread"
        """
    )
    pytester.makeconftest("import os; os.environ['PYTHONPATH'] = os.getcwd()")
    engine = "concurrent.futures:ThreadPoolExecutor"
    result = run(pytester, "--gcompute-broker", rabbitmq.url(), "--gcompute-engine", engine)
    result.assert_outcomes(passed=2)


def test_several_processes(pytester: pytest.Pytester) -> None:
    """With pytest-xdist each process has a service of its own."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", range(6))
        def test_a(compute_executor, n):
            assert compute_executor.submit(abs, -n).result() == n
        """
    )
    run(pytester, "-n", "2").assert_outcomes(passed=6)


def test_without_use_it_costs_nothing() -> None:
    """Loading the plugin imports of gcompute the two modules that it consists of."""
    program = (
        "import json, pytest, sys; before = set(sys.modules); import gcompute.pytest_plugin; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert json.loads(done.stdout) == ["gcompute", "gcompute.pytest_plugin"]


def test_it_is_documented(pytester: pytest.Pytester) -> None:
    """``pytest --fixtures`` and ``--markers`` say what there is."""
    result = run(pytester, "--fixtures")
    result.stdout.fnmatch_lines_random(["compute_client*", "compute_executor*", "compute_service*"])
    run(pytester, "--markers").stdout.fnmatch_lines(["@pytest.mark.gcompute(engine=*"])
