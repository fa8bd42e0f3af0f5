"""Functions, arguments and results as text, readable by every Globus Compute endpoint."""

from .base import ComboSerializationStrategy, SerializationStrategy
from .packing import pack_buffers, unpack_buffers
from .serializer import ComputeSerializer, Strategylike, find_strategy
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
    "CombinedCode",
    "ComboSerializationStrategy",
    "ComputeSerializer",
    "DillCode",
    "DillCodeSource",
    "DillCodeTextInspect",
    "DillDataBase64",
    "JSONData",
    "PureSourceDill",
    "PureSourceTextInspect",
    "SerializationStrategy",
    "Strategylike",
    "find_strategy",
    "pack_buffers",
    "unpack_buffers",
]
