"""An official agent with an account of its own at a RabbitMQ: what it may do there is enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcompute.errors import PermissionDenied
from gcompute.local import LocalService
from tests.support.official_agent import running_agent
from tests.support.rabbitmq import RabbitMQ


def test_it_works_for_its_owner_and_nobody_else(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    """Passive checks, tasks, results, reports and the last goodbye."""
    service = LocalService(
        0, rabbitmq.url(), broker_management=rabbitmq.management_url(), users=["ada", "bob"]
    )
    with service, running_agent(service, "threads", tmp_path) as endpoint_id:
        with service.executor(user="ada", endpoint_id=endpoint_id) as executor:
            futures = [executor.submit(pow, 2, n) for n in range(20)]
            assert [future.result(timeout=60) for future in futures] == [2**n for n in range(20)]
        with service.client(user="bob") as bob:
            function_id = bob.register_function(abs)
            with pytest.raises(PermissionDenied, match=endpoint_id):
                bob.run(1, endpoint_id=endpoint_id, function_id=function_id)
