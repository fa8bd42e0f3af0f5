"""What usually causes an endpoint's error text, in a sentence for the user. Pure.

The texts are those of the official agent 4.19.0 with each of its engines, and of the agent of
``gcompute.local``. What counts is the exception that a text ends with, or the package whose
frames it shows, and not a word somewhere in the user's own message.
"""

from __future__ import annotations

import re


def _raised(*names: str) -> str:
    """Match a line that names an exception as tracebacks do, also in a group of exceptions."""
    return rf"^[ |]*(?:\w+\.)*(?:{'|'.join(names)})\b(?:[:(]|\s*$)"


#: A frame of the package that serializes, up to the name of its function.
_IN_SERIALIZE = r'File "[^"\n]*[/\\]globus_compute_sdk[/\\]serialize[/\\][^"\n]*", line \d+, in '

#: (what to look for in the endpoint's error text, what to tell the user), most specific first.
_HINTS: tuple[tuple[str, str], ...] = (
    (
        _raised("MaxResultSizeExceeded"),
        "a result may have 10 MiB once serialized; write it to a file or an object store and "
        "return where it is.",
    ),
    (
        _raised("ManagerLost"),
        "the node, or the batch job on it, went away while the task ran: its walltime ended, it "
        "was preempted, or the node failed. Submit the task again, with a longer walltime of the "
        "endpoint's jobs or in smaller parts.",
    ),
    (
        _raised("WorkerLost", "TerminatedWorkerError", "BrokenProcessPool", "ProcessExpired"),
        "the worker process died: too little memory, a crash in compiled code, or a Python "
        "version at the endpoint that cannot run this function's bytecode.",
    ),
    (
        _raised("AppTimeout", "TaskTimeout"),
        "the task ran into a time limit of the endpoint (GC_TASK_TIMEOUT); send less work in one "
        "task, or ask for a longer limit.",
    ),
    (
        _raised("NameError"),
        "a function of a script or notebook is sent without what is around it. Import in its "
        "body what it needs, and pass values as arguments.",
    ),
    (
        _raised("MemoryError"),
        "the worker had too little memory left for what the function did.",
    ),
    (
        _raised("ModuleNotFoundError", "ImportError")
        + r"|does not load here: (?:ModuleNotFound|Import)Error",
        "a module is not installed where the task ran. A function that lives in a module is sent "
        "by reference, so that module must be there as well; define the function in your script, "
        "or use a source strategy such as AllCodeStrategies.",
    ),
    (
        r"cannot pickle 'coroutine' object(?=[\s\S]*" + _raised("SerializationError") + ")",
        "the function returned a coroutine, as an `async def` does when it is called: endpoints "
        "await nothing. Submit a function that calls asyncio.run(...) in its body.",
    ),
    (
        _IN_SERIALIZE + "serialize|" + _raised("SerializationError"),
        "the function's result cannot be sent back: serialization failed at the endpoint. Return "
        "plain data, such as numbers, text, lists and dicts.",
    ),
    (
        _IN_SERIALIZE
        + "|"
        + _raised("DeserializationError")
        + "|unknown opcode|bad marshal data|code expected at (?:least|most)",
        "this looks like a serialization problem: compare the Python and dill versions here and "
        "at the endpoint, or use a strategy that survives a difference, such as "
        "gcompute.serialize.AllCodeStrategies for code and JSONData for data.",
    ),
)

_PATTERNS = tuple((re.compile(pattern, re.MULTILINE), hint) for pattern, hint in _HINTS)


def hints_for(remote_data: str) -> list[str]:
    """Say what usually causes such an error text: at most one hint."""
    return [hint for pattern, hint in _PATTERNS if pattern.search(remote_data)][:1]
