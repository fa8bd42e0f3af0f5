"""Strategies, commands and reports, from the client through the endpoint and back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pytest

from gcompute import Client, Executor, ShellFunction, ShellResult
from gcompute.errors import DeserializationError
from gcompute.local import LocalService
from gcompute.serialize import AllCodeStrategies, DillDataBase64, JSONData, PortableCode

SOON = 30.0


def test_only_json_is_loaded(service: LocalService) -> None:
    """A client that may load JSON only asks for JSON, and refuses anything else."""

    def pair() -> Sequence[int]:
        return (1, 2)

    client = service.client(allowed_deserializers=[JSONData])
    with Executor(service.endpoint_id, client=client) as executor:
        assert executor.submit(pair).result(SOON) == [1, 2]
    with Executor(
        service.endpoint_id, client=client, result_serializers=[DillDataBase64]
    ) as executor:
        error = executor.submit(pair).exception(SOON)
    assert isinstance(error, DeserializationError)
    assert "JSONData" in str(error)
    function_id = client.register_function(pair)
    task_id = client.run(endpoint_id=service.endpoint_id, function_id=function_id)
    assert client.wait([task_id], timeout=SOON)[task_id]["result"] == [1, 2]


def test_auto_chooses_by_the_endpoint(service: LocalService) -> None:
    """The defaults where the endpoint has our Python; no bytecode where it has another."""

    def double(x: int) -> int:
        return 2 * x

    client = service.client()
    with Executor(service.endpoint_id, client=client, serializer="auto") as executor:
        assert executor.submit(double, 21).result(SOON) == 42
        assert executor.serializer.code_serializer.identifier == "01\n"
    other = client.register_endpoint(
        "elsewhere", metadata={"python_version": "3.99.1", "endpoint_version": "4.19.0"}
    )
    chosen = client.serializer_for(other["endpoint_id"])
    assert isinstance(chosen.code_serializer, PortableCode)


def test_a_mismatch_warns_once_before_the_first_submit(service: LocalService) -> None:
    """The warning names the endpoint, both versions, and strategies that survive."""
    client = service.client()
    other = client.register_endpoint(
        "elsewhere", metadata={"python_version": "3.99.1", "endpoint_version": "4.19.0"}
    )["endpoint_id"]

    def one() -> int:
        return 1

    function_id = client.register_function(one)
    with pytest.warns(UserWarning, match="3.99.1.*PortableCode") as caught:
        client.run(endpoint_id=other, function_id=function_id)
    assert other in str(caught[0].message)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.run(endpoint_id=other, function_id=function_id)


def test_portable_clients_are_not_warned(service: LocalService) -> None:
    """Strategies that survive need no warning."""

    def one() -> int:
        return 1

    client: Client = service.client(
        code_serialization_strategy=AllCodeStrategies(), data_serialization_strategy=JSONData()
    )
    other = client.register_endpoint(
        "elsewhere", metadata={"python_version": "3.99.1", "endpoint_version": "4.19.0"}
    )["endpoint_id"]
    function_id = client.register_function(one)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.run(endpoint_id=other, function_id=function_id)


def test_a_command_runs(executor: Executor) -> None:
    """A ShellFunction's result is a ShellResult, with what the command printed."""
    future = executor.submit(ShellFunction("echo '{greeting}'"), greeting="hello")
    result = future.result(SOON)
    assert isinstance(result, ShellResult)
    assert result.returncode == 0
    assert result.stdout.strip() == "hello"


def test_a_missing_placeholder_is_found_before_sending(executor: Executor) -> None:
    """The future fails at once, and names what is missing."""
    error = executor.submit(ShellFunction("echo {greeting}")).exception(0)
    assert isinstance(error, KeyError)
    assert "greeting" in str(error)


def test_hardware_of_a_worker(client: Client, service: LocalService) -> None:
    """The report of a worker's machine comes back as text."""
    task_id = client.get_worker_hardware_details(service.endpoint_id)
    report = client.wait([task_id], timeout=SOON)[task_id]["result"]
    assert "CPU" in report or "cpu" in report


def test_source_code_runs(client: Client, service: LocalService) -> None:
    """Registered source runs, whatever the client's strategies."""
    source = "import math\n\ndef root(x):\n    return math.isqrt(x)\n"
    function_id = client.register_source_code(source, "root")
    task_id = client.run(49, endpoint_id=service.endpoint_id, function_id=function_id)
    assert client.wait([task_id], timeout=SOON)[task_id]["result"] == 7
