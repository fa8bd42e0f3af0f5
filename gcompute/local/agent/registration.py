"""What an agent is started with: one JSON object. Pure.

``amqp_creds`` is what the service answered to the registration, ``ep_info`` goes into each status
report, and ``config`` is how to run. Source: ``docs/wire.md#amqp-0-9-1``.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcompute.errors import ComputeError

from .engine import EngineSource


class RegistrationInvalid(ComputeError):
    """The agent cannot start with what it was given; the text says what is wrong with it."""


@dataclass(frozen=True)
class TaskSource:
    """Where tasks come from."""

    connection_url: str
    queue: str


@dataclass(frozen=True)
class Address:
    """Where messages go to, and how they are published."""

    connection_url: str
    #: Both are checked to exist; an empty queue name is not.
    exchange: str
    queue: str
    #: Keyword arguments of each publishing.
    publish: dict[str, Any]


@dataclass(frozen=True)
class Config:
    """How to run tasks."""

    #: Tasks that run at a time: worker processes, or the most tasks that the engine is given.
    workers: int
    run_dir: Path
    #: What runs tasks in place of worker processes.
    engine: EngineSource | None = None
    #: Seconds between status reports.
    heartbeat_period: float = 30.0
    #: Whether each task gets a directory of its own.
    sandbox: bool = False
    #: Of the workers, beside the agent's own.
    environment: Mapping[str, str] | None = None
    #: Tasks to hold that no worker has yet started; more stay with the broker.
    prefetch: int = 32
    #: Seconds that running tasks get at the end.
    grace: float = 5.0
    #: Whether whoever holds standard input runs again what had not finished when that closes, so
    #: that running tasks are to be ended and not to be answered for.
    reruns: bool = False
    #: Whether running tasks that outlast an orderly stop are answered as failed; if not, whoever
    #: stops the agent runs them again.
    fails_unfinished: bool = True


@dataclass(frozen=True)
class Registration:
    """Everything that an agent needs to know."""

    endpoint_id: str
    tasks: TaskSource
    results: Address
    heartbeats: Address
    config: Config
    #: What the service is told about this endpoint with each status report.
    ep_info: dict[str, Any]


def parse_registration(text: str | bytes) -> Registration:
    """Read the JSON object.

    Raises:
        RegistrationInvalid: a part is missing or of the wrong kind.
    """
    try:
        document = json.loads(text)
        credentials = document["amqp_creds"]
        tasks = credentials["task_queue_info"]
        return Registration(
            endpoint_id=str(uuid.UUID(credentials["endpoint_id"])),
            tasks=TaskSource(tasks["connection_url"], tasks["queue"]),
            results=_address(credentials["result_queue_info"]),
            heartbeats=_address(credentials["heartbeat_queue_info"]),
            config=_config(document.get("config") or {}),
            ep_info=dict(document.get("ep_info") or {}),
        )
    except KeyError as error:
        raise RegistrationInvalid(f"the registration has no {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise RegistrationInvalid(f"the registration cannot be read: {error}") from error


def _address(info: dict[str, Any]) -> Address:
    publish = dict(info.get("queue_publish_kwargs") or {})
    # A service may leave out how to publish: then the rest of the answer must do.
    publish.setdefault("exchange", info.get("exchange") or "")
    publish.setdefault("routing_key", info.get("routing_key") or info.get("queue") or "")
    unknown = publish.keys() - {"exchange", "routing_key", "mandatory", "properties"}
    if unknown:
        raise ValueError(f"queue_publish_kwargs has unknown keys: {', '.join(sorted(unknown))}")
    return Address(
        connection_url=info["connection_url"],
        exchange=info.get("exchange") or publish["exchange"],
        queue=info.get("queue") or "",
        publish=publish,
    )


def _config(config: dict[str, Any]) -> Config:
    known = {name: config[name] for name in Config.__dataclass_fields__ if name in config}
    unknown = config.keys() - known.keys()
    if unknown:
        raise ValueError(f"config has unknown keys: {', '.join(sorted(unknown))}")
    known["run_dir"] = Path(config.get("run_dir") or os.getcwd()).absolute()
    workers = known.setdefault("workers", os.cpu_count() or 1)
    if isinstance(workers, int):
        known.setdefault("prefetch", max(Config.prefetch, 2 * workers))
    if config.get("engine") is not None:
        known["engine"] = EngineSource(**config["engine"])
    parsed = Config(**known)
    for name, value, least in (
        ("workers", parsed.workers, 1),
        ("heartbeat_period", parsed.heartbeat_period, 0.01),
        ("prefetch", parsed.prefetch, 1),
        ("grace", parsed.grace, 0),
    ):
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            raise ValueError(f"config.{name} must be a number of at least {least}, not {value!r}")
    return parsed
