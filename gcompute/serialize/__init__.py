"""Functions, arguments and results as text, readable by every Globus Compute endpoint.

Loading a text of any strategy but JSON runs code that its sender chose: results come from
whoever controls the endpoint. See :class:`ComputeSerializer` for lists of what may be loaded.
"""

from .allowlist import AllowlistWildcard, DeserializerAllowlist
from .auto import StrategyChoice, choose
from .base import ComboSerializationStrategy, SerializationStrategy
from .finding import Strategylike, find_strategy, official_path, official_paths
from .packing import pack_buffers, unpack_buffers
from .portable import PortableCode, PortableData
from .serializer import ComputeSerializer
from .strategies import (
    DEFAULT_STRATEGY_CODE,
    DEFAULT_STRATEGY_DATA,
    AllCodeStrategies,
    AllDataStrategies,
    CombinedCode,
    DillCode,
    DillCodeSource,
    DillCodeTextInspect,
    DillDataBase64,
    JSONData,
    PureSourceDill,
    PureSourceTextInspect,
)

__all__ = [
    "DEFAULT_STRATEGY_CODE",
    "DEFAULT_STRATEGY_DATA",
    "AllCodeStrategies",
    "AllDataStrategies",
    "AllowlistWildcard",
    "CombinedCode",
    "ComboSerializationStrategy",
    "ComputeSerializer",
    "DeserializerAllowlist",
    "DillCode",
    "DillCodeSource",
    "DillCodeTextInspect",
    "DillDataBase64",
    "JSONData",
    "PortableCode",
    "PortableData",
    "PureSourceDill",
    "PureSourceTextInspect",
    "SerializationStrategy",
    "StrategyChoice",
    "Strategylike",
    "choose",
    "find_strategy",
    "official_path",
    "official_paths",
    "pack_buffers",
    "unpack_buffers",
]
