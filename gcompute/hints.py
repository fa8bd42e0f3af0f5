"""What usually causes an endpoint's error text, in a sentence for the user. Pure."""

from __future__ import annotations

import re

#: (what to look for in the endpoint's error text, what to tell the user), most specific first.
_HINTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"MaxResultSizeExceeded"),
        "a result may have 10 MiB once serialized; write it to a file or an object store and "
        "return where it is.",
    ),
    (
        re.compile(r"WorkerLost|TerminatedWorker|BrokenProcessPool|ProcessExpired"),
        "the worker process died: too little memory, a crash in compiled code, or a Python "
        "version at the endpoint that cannot run this function's bytecode.",
    ),
    (
        re.compile(r"AppTimeout|TaskTimeout|Walltime|TimeoutError: Task exceeded", re.IGNORECASE),
        "the task ran into a time limit of the endpoint (GC_TASK_TIMEOUT) or of the function.",
    ),
    (
        re.compile(r"ModuleNotFoundError|ImportError"),
        "a module is not installed where the task ran. A function that lives in a module is sent "
        "by reference, so that module must be there as well; define the function in your script, "
        "or use a source strategy such as AllCodeStrategies.",
    ),
    (
        re.compile(r"dill|pickle|[Ss]erializ|unknown opcode|bad marshal data"),
        "this looks like a serialization problem: compare the Python and dill versions here and "
        "at the endpoint, or use a strategy that survives a difference, such as "
        "gcompute.serialize.AllCodeStrategies for code and JSONData for data.",
    ),
)


def hints_for(remote_data: str) -> list[str]:
    """Say what usually causes such an error text: at most one hint."""
    return [hint for pattern, hint in _HINTS if pattern.search(remote_data)][:1]
