"""Which strategies survive the way from this Python to an endpoint's. Pure.

Versions go in; strategies come out, with the reason and, where the defaults would not do, the
warning that a user should see before the first submit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .base import SerializationStrategy
from .portable import PortableCode, PortableData
from .strategies import DEFAULT_STRATEGY_CODE, DEFAULT_STRATEGY_DATA

#: Since this dill, functions by value look the same in every release; checked by the
#: interoperability tests between 0.3.9 and the newest.
_SAME_FORMAT_SINCE = (0, 3, 6)


@dataclass(frozen=True)
class StrategyChoice:
    """Strategies for one endpoint.

    Attributes:
        code: for functions.
        data: for arguments.
        reason: why these, in a sentence.
        warning: what the default strategies would risk there; ``None`` where they are chosen
            because nothing speaks against them.
    """

    code: SerializationStrategy
    data: SerializationStrategy
    reason: str
    warning: str | None = None


def choose(
    client_python: str | None,
    client_dill: str | None,
    endpoint_python: str | None,
    endpoint_dill: str | None,
) -> StrategyChoice:
    """Choose strategies by the versions on both sides.

    Args:
        client_python: as :func:`platform.python_version` gives it: ``"3.11.7"``.
        client_dill: as ``dill.__version__`` has it: ``"0.3.9"``.
        endpoint_python: as the endpoint reports it; ``None`` or any other text where unknown.
        endpoint_dill: as the endpoint reports it; ``None`` or any other text where unknown.

    Returns:
        The defaults where both Pythons are of one minor version, or one is unknown. Otherwise
        strategies that send no bytecode.
    """
    here, there = _numbers(client_python), _numbers(endpoint_python)
    if len(here) < 2 or len(there) < 2:
        return _defaults("the endpoint does not say which Python it runs")
    if here[:2] != there[:2]:
        return _portable(
            f"the endpoint runs Python {endpoint_python} and this is Python {client_python}",
            "functions and classes sent as bytecode would be refused, crash or give wrong results",
        )
    dills = _numbers(client_dill), _numbers(endpoint_dill)
    if dills[0] and dills[1] and (min(dills) < _SAME_FORMAT_SINCE) and dills[0] != dills[1]:
        return _portable(
            f"the endpoint has dill {endpoint_dill} and this is dill {client_dill}",
            "the older one writes functions in a format of its own",
        )
    return _defaults("bytecode of this Python runs in the endpoint's")


def _defaults(reason: str) -> StrategyChoice:
    return StrategyChoice(DEFAULT_STRATEGY_CODE, DEFAULT_STRATEGY_DATA, reason)


def _portable(difference: str, risk: str) -> StrategyChoice:
    return StrategyChoice(
        PortableCode(),
        PortableData(),
        f"{difference}: functions go as source or by reference, data without code",
        f"{difference}: {risk}. Strategies that survive this: "
        "gcompute.serialize.PortableCode (or AllCodeStrategies) for code, "
        "gcompute.serialize.PortableData (or JSONData) for data; Executor(serializer='auto') "
        "chooses them.",
    )


def _numbers(version: str | None) -> tuple[int, ...]:
    """Read ``"3.11.7+local"`` as ``(3, 11, 7)``; empty where there is nothing to read."""
    match = re.match(r"\d+(\.\d+)*", version or "")
    return tuple(map(int, match[0].split("."))) if match else ()
