"""Arguments of earlier releases of the official Executor."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gcompute import Client, Executor
from tests.unit.executor.stand_ins import ENDPOINT, Service, executor_of

CONTAINER = "50000000-0000-4000-8000-000000000005"


def test_funcx_client_is_the_client(service: Service) -> None:
    """With a warning that names the new argument, at the caller's line."""
    with pytest.warns(DeprecationWarning, match="funcx_client is now client") as caught:
        executor = Executor(ENDPOINT, funcx_client=cast(Client, service))
    assert cast(Any, executor.client) is service
    assert caught[0].filename == __file__


def test_two_clients_are_one_too_many(service: Service) -> None:
    """The same one under both names is no contradiction."""
    client = cast(Client, service)
    with pytest.warns(DeprecationWarning, match="funcx_client"):
        assert Executor(client=client, funcx_client=client).client is client
    with (
        pytest.warns(DeprecationWarning, match="funcx"),
        pytest.raises(ValueError, match="give one"),
    ):
        Executor(client=client, funcx_client=cast(Client, Service()))


@pytest.mark.parametrize("name", ["batch_enabled", "batch_interval", "container_id"])
def test_what_has_no_effect_says_so(service: Service, name: str) -> None:
    """Once, at the caller's line."""
    value: Any = CONTAINER if name == "container_id" else 1
    with pytest.warns(DeprecationWarning, match=f"{name} has no effect any more") as caught:
        Executor(ENDPOINT, client=cast(Client, service), **{name: value})
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_container_is_kept_and_not_sent(service: Service) -> None:
    """It may be set later as well, with a warning then."""
    executor = executor_of(service)
    assert executor.container_id is None
    with pytest.warns(DeprecationWarning, match="container_id has no effect") as caught:
        executor.container_id = CONTAINER
    assert caught[0].filename == __file__
    assert str(executor.container_id) == CONTAINER
    with (
        pytest.warns(DeprecationWarning, match="container"),
        pytest.raises(ValueError, match="no UUID"),
    ):
        executor_of(service, container_id="c")


def test_any_other_argument_is_an_error(service: Service) -> None:
    """With its name."""
    told = r"Executor does not know the argument 'batchsize' \(did you mean 'batch_size'\?\)"
    with pytest.raises(TypeError, match=told):
        executor_of(service, batchsize=3)
