"""Answers that are larger than a service wants to have in memory: sent while they are made."""

from __future__ import annotations

import json
from contextlib import closing

import psutil

from gcompute.local import LocalService
from gcompute.messages import ResultMessage
from tests.scenarios.service.api import UNKNOWN, Api
from tests.scenarios.service.queues import channel, publish
from tests.scenarios.waiting import eventually

REGISTRATION = {"endpoint_name": "bare", "metadata": {}}
RESULT = "00\n" + "x" * (3 * 2**20)
COUNT = 48


def test_results_of_many_tasks_are_not_in_memory_at_once() -> None:
    """A client may read them as slowly as it likes: the service makes no more than it takes, and
    others are answered meanwhile."""
    with LocalService(workers=0) as service, closing(Api(service.url, service.token)) as api:
        info, function = api("register_endpoint", REGISTRATION), api.function()
        tasks = api.submit(info["endpoint_id"], function, *range(COUNT))["tasks"][function]
        with channel(info["result_queue_info"]["connection_url"]) as opened:
            for task in tasks:
                publish(opened, info["result_queue_info"], ResultMessage(task, RESULT))
        eventually(lambda: api("get_task", task_uuid=tasks[-1])["status"] == "success")
        assert service._process is not None
        process = psutil.Process(service._process.pid)
        before = process.memory_info().rss
        asked = {"task_ids": [UNKNOWN, *tasks, tasks[0]]}
        with api.http.stream("POST", "/v2/batch_status", json=asked) as response:
            pieces = response.iter_raw()
            begin = next(pieces)
            with closing(Api(service.url, service.token)) as other:
                assert other("get_version", query={"service": "api"})
            grown = process.memory_info().rss - before
            answer = json.loads(begin + b"".join(pieces))
    assert grown < COUNT * len(RESULT) / 2
    results = answer["results"]
    assert list(results) == [UNKNOWN, *tasks]
    assert {result["result"] for id_, result in results.items() if id_ != UNKNOWN} == {RESULT}
    assert results[UNKNOWN]["reason"]


def test_a_task_group_of_many_tasks_is_told_in_pieces() -> None:
    """In order, and as JSON of the same form as a small one's."""
    with LocalService(workers=0) as service, closing(Api(service.url, service.token)) as api:
        endpoint, function = api.endpoint(), api.function()
        first = api.submit(endpoint, function, 0)
        group, tasks = first["task_group_id"], list(first["tasks"][function])
        for _ in range(12):
            more = api.submit(endpoint, function, *range(1000), task_group_id=group)
            tasks += more["tasks"][function]
        answer = api.send("get_task_group", task_group_uuid=group)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert [task["id"] for task in answer.json()["tasks"]] == tasks
    assert answer.json()["taskgroup_id"] == group
    assert answer.json()["create_websockets_queue"] is False
