"""What the driver measures of a client without a service; ours, in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import local_driver
from benchmarks.local_driver import Ours
from benchmarks.suite.results import answer
from gcompute.serialize import ComputeSerializer


class _Spoiled(Ours):
    """Ours, with a body that lacks a task."""

    def encode(self, client: Any, body: dict[str, Any]) -> bytes:
        for payloads in body["tasks"].values():
            payloads.pop()
        return super().encode(client, body)


class _Hoarder(Ours):
    """Ours, with a mebibyte in use while the body is encoded."""

    def encode(self, client: Any, body: dict[str, Any]) -> bytes:
        hoard = bytearray(2**20)
        encoded = super().encode(client, body)
        del hoard
        return encoded


def _versions() -> dict[str, str]:
    return {"python": "3.11.7", "dill": "0.3.9"}


def test_batch() -> None:
    """Each length of text has its times and memory, and longer texts take more of it."""
    measured = local_driver.measure_batch(Ours(), laps=2, count=20, texts=[10, 1000])
    short, long = measured["batches"]
    for batch in (short, long):
        assert len(batch["laps"]) == 2
        assert min(batch["laps"]) > 0
        assert 0 < batch["held"] < batch["peak"]
    assert long["size"] - short["size"] >= 20 * 990 * 4 / 3
    # A little less: the shorter batch may be the first to fill a cache.
    assert long["held"] - short["held"] >= 20 * 990 * 1.2
    assert len(measured["runtime"]["laps"]) == 2


def test_memory_between_batch_and_body_counts() -> None:
    """What is in use only while the body is encoded raises the peak, and not what is held."""
    plain = local_driver.measure_batch_of(Ours(), laps=1, count=5, text=10)
    hoarding = local_driver.measure_batch_of(_Hoarder(), laps=1, count=5, text=10)
    assert hoarding["peak"] >= 2**20 > plain["peak"]
    assert hoarding["held"] < 2**20


def test_missing_task_is_no_measurement() -> None:
    """A body that lacks tasks ends the measurement: it would be counted as fast."""
    with pytest.raises(RuntimeError, match="4 tasks were encoded in place of 5"):
        local_driver.measure_batch_of(_Spoiled(), laps=1, count=5, text=10)


def test_results() -> None:
    """Every lap decodes the whole answer anew, also where it is asked for in several requests."""
    content, task_ids = answer(1_001, _versions())
    measured = local_driver.measure_results(Ours(), 2, content, task_ids)
    assert len(measured["laps"]) == 2


def test_missing_result_is_no_measurement() -> None:
    """An answer that lacks a result, or has one that does not load, ends the measurement."""
    content, task_ids = answer(3, _versions())
    document = json.loads(content)
    del document["results"][task_ids[0]]
    document["results"][task_ids[1]]["result"] = "??\nnothing"
    with pytest.raises(RuntimeError, match="2 of 3 results are missing"):
        local_driver.measure_results(Ours(), 1, json.dumps(document), task_ids)


def test_answer_is_of_the_stated_size() -> None:
    """The answer has one entry a task, some 370 bytes each, with results that load."""
    content, task_ids = answer(1_000, _versions())
    results = json.loads(content)["results"]
    assert list(results) == task_ids
    assert ComputeSerializer().deserialize(results[task_ids[7]]["result"]) == 3.5
    assert 350_000 < len(content) < 400_000


def test_array() -> None:
    """An array of bytes is serialized and loaded; one of numpy, where there is numpy."""
    measured = local_driver.measure_array(Ours(), 2, 512)
    assert set(measured) == {"bytes", "numpy"}
    for steps in measured.values():
        assert {name: len(laps) for name, laps in steps.items()} == {
            "serialize": 2,
            "deserialize": 2,
        }


def test_array_that_changes_is_no_measurement() -> None:
    """What comes back as something else ends the measurement."""
    package = Ours()

    class Client:
        class fx_serializer:  # noqa: N801 - the client's attribute
            serialize = staticmethod(lambda array: "")
            deserialize = staticmethod(lambda text: b"")

    package.client = Client  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="the array of bytes came back"):
        local_driver.measure_array(package, 1, 512)
