"""What a user asks of a local service, checked, as settings of its process. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .engine_argument import engine_argument
from .settings import Settings
from .user import User, users_of

_WORKERS = 2
#: Enough to keep a cluster's workers busy, or to have Parsl ask for more of them.
_TASKS_OF_ENGINE = 100


def checked(
    *,
    workers: int | None,
    broker: str | None,
    engine: str | Callable[..., Any] | None,
    engine_options: Mapping[str, Any] | None,
    broker_management: str | None,
    tls: bool,
    users: Iterable[str | User] | None,
    **others: Any,
) -> Settings:
    """Check arguments as :class:`~gcompute.local.LocalService` has them.

    Args:
        **others: those that are settings as they are.

    Returns:
        The settings, without the state folder, which is made when the service starts.

    Raises:
        ValueError: an argument makes no sense.
    """
    argument = engine_argument(engine, engine_options)
    if workers is None:
        workers = _WORKERS if argument is None else _TASKS_OF_ENGINE
    if workers == 0 and argument is not None:
        raise ValueError("an engine is for an endpoint, and workers=0 is for none: leave one out")
    if workers < 0:
        raise ValueError(f"workers must be 0 or more, not {workers}")
    _check_broker(broker, broker_management, tls=tls)
    settings = Settings(
        state_dir="",
        workers=workers,
        engine=argument,
        broker=broker,
        broker_management=broker_management,
        users=users_of(users),
        **others,
    )
    for name in ("task_lifetime", "result_lifetime"):
        lifetime = getattr(settings, name)
        if lifetime <= 0:
            raise ValueError(f"{name} must be more than 0 seconds, not {lifetime:g}")
    return settings


def _check_broker(broker: str | None, management: str | None, *, tls: bool) -> None:
    if broker is not None:
        _check_url(broker)
    if tls and broker is not None:
        raise ValueError("tls is for the embedded broker: pass a RabbitMQ as amqps://...")
    if management is None:
        return
    if broker is None:
        raise ValueError("broker_management is for a RabbitMQ: pass its URL as broker, too")
    parts = urlsplit(management)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("broker_management must be a URL http://user:password@host:port")


def _check_url(broker: str) -> None:
    """Refuse a URL that pika would not understand; no message has the password in it."""
    shape = "broker must be a URL amqp://user:password@host:port/vhost"
    try:
        parts = urlsplit(broker)
        readable = parts.scheme in ("amqp", "amqps") and (parts.port or True)
    except ValueError:
        # What it says may quote the password.
        readable = False
    if not readable:
        raise ValueError(f"{shape}, with / @ : # ? in user and password as %2F %40 %3A %23 %3F")
    # The import takes a moment, which services without a broker of their own need not spend.
    import pika

    try:
        pika.URLParameters(broker)
    except ValueError as error:
        raise ValueError(f"{shape}: {error}") from error
