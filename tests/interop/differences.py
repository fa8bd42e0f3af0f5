"""Where our serialization and functions differ from the official package's, and why.

``Class.member`` or ``Class.member(parameter)``, to the reason. The official class is looked up
by the same path below its package.
"""

from __future__ import annotations

_STEP = "a step inside of running a command; execute_cmd_line is the one to override"

DIFFERENCES = {
    "ShellFunction.get_snippet": _STEP,
    "ShellFunction.get_and_close_streams": _STEP,
    "ShellFunction.open_std_fd": _STEP,
    "ShellFunction.valid_function_name": "a check inside of the constructor",
    "ShellFunction.check_arguments": "finds a missing placeholder before anything is sent",
    "ShellFunction.__init__(literal)": "braces that belong to the command",
    "ShellFunction.__init__(quote)": "arguments quoted for the shell",
    "ShellFunction.literal": "the attribute of that name",
    "ShellFunction.quote": "the attribute of that name",
    "serialize.CombinedCode.get_multiple_payloads": "a step inside of loading",
    "serialize.CombinedCode.strategies": "it is a combination as the others are",
    "serialize.ComputeSerializer.allowing": "an allow-list for results, which may be JSON only",
    "serialize.ComputeSerializer.pack_arguments": "names the argument that cannot be sent",
    "serialize.ComputeSerializer.survives": "warns before, and not after, Pythons differ",
    "serialize.SerializationStrategy.find": "the short name of get_cached_by_id",
    "serialize.SerializationStrategy.survives_versions": "what survives() goes by",
    "serialize.ComboSerializationStrategy.candidates": "leaves out texts that cannot work",
    "serialize.ComboSerializationStrategy.join": "what CombinedCode does in another way",
    "serialize.ComboSerializationStrategy.split": "what CombinedCode does in another way",
}
