"""Command lines as functions.

A template and settings go in; the object is submitted like a function, with a keyword argument
for each placeholder, and gives a :class:`~gcompute.ShellResult`. To workers it goes as an
instance of the official class of the same name, which they all have. What that class lacks goes
along as source: quoting, and a limit of time that ends every process.
"""

from __future__ import annotations

import copyreg
import functools
import keyword
from collections.abc import Callable
from typing import Any

from .arguments import check_template
from .command import run_command
from .quoting import quoted_template
from .result import ShellResult

#: How much of a command ``str`` shows.
_SHOWN_CHARACTERS = 1024
_SHOWN_LINES = 10


class ShellFunction:
    """A command line to run on an endpoint.

    ::

        count = ShellFunction("wc -l {path}", quote=True)
        executor.submit(count, path="my data.txt").result().stdout

    Args:
        cmd: the command line for bash. ``{name}`` is replaced by the keyword argument of that
            name, as by :meth:`str.format`.
        stdout: file on the worker that its output is appended to; default a new one, named
            after the task, in the task's directory.
        stderr: the same for its errors.
        walltime: seconds after which the command and every process that it started in its
            process group are ended: asked to first, and killed two seconds later.
        snippet_lines: how many of the last lines of each file come back; 0 for all.
        name: registers the function under this name; default the class's.
        return_dict: give a dict that JSON can say in place of a :class:`~gcompute.ShellResult`.
        literal: ``cmd`` is no template: braces stand for themselves.
        quote: each value is quoted for the shell, so that it is one word, whatever is in it; a
            list or tuple is one word for each item. Do not put quotes around placeholders then.

    Raises:
        ValueError: ``walltime`` is negative, ``name`` is no name of Python, or both ``literal``
            and ``quote`` are given.
        TypeError: ``name`` is no text.
    """

    # What an instance from a worker or from the official package lacks.
    literal = False
    quote = False

    def __init__(
        self,
        cmd: str,
        stdout: str | None = None,
        stderr: str | None = None,
        walltime: float | None = None,
        snippet_lines: int = 1000,
        name: str | None = None,
        return_dict: bool = False,
        *,
        literal: bool = False,
        quote: bool = False,
    ) -> None:
        if walltime is not None and walltime < 0:
            raise ValueError(f"walltime must not be negative, but is {walltime}")
        if literal and quote:
            raise ValueError("a literal command has no values to quote: give literal or quote")
        self.cmd = cmd
        self.stdout = stdout
        self.stderr = stderr
        self.walltime = walltime
        self.snippet_lines = snippet_lines
        self.__name__ = _valid_name(name or type(self).__name__)
        self.return_dict = return_dict
        self.literal = literal
        self.quote = quote

    # Any is the dict of return_dict: else every use of the usual result would have to rule it out.
    def __call__(self, **kwargs: Any) -> ShellResult | Any:
        """Run the command here, which is what a worker does.

        Raises:
            MissingPlaceholder: a placeholder has no value.
            ValueError: the command's braces do not match.
        """
        self.check_arguments(**kwargs)
        return self.execute_cmd_line(self._template().format(**kwargs))

    def check_arguments(self, **kwargs: Any) -> None:
        """Raise where a call with these arguments must fail; see :meth:`__call__`."""
        if not self.literal:
            check_template(self.cmd, kwargs)

    def execute_cmd_line(self, cmd: str) -> ShellResult | Any:
        """Run a command line with this function's settings; no placeholders are replaced."""
        return self._runner()(cmd)

    def _runner(self) -> Callable[[str], Any]:
        return functools.partial(
            run_command,
            stdout=self.stdout,
            stderr=self.stderr,
            walltime=self.walltime or None,
            snippet_lines=self.snippet_lines,
            make_result=dict if self.return_dict else ShellResult,
        )

    def _template(self) -> str:
        """Give the text whose ``format`` makes the command line."""
        if self.literal:
            return self.cmd.replace("{", "{{").replace("}", "}}")
        return quoted_template(self.cmd) if self.quote else self.cmd

    def _wire_reduce(self) -> tuple[Any, ...]:
        """Describe this object by what the official class understands.

        Its methods read ``cmd`` by ``format`` and run the result by ``execute_cmd_line``, and
        find both on the object before they find them on the class.
        """
        state = {k: v for k, v in self.__dict__.items() if k not in ("literal", "quote")}
        state["cmd"] = _MadeThere(quoted_template, self.cmd) if self.quote else self._template()
        if self.walltime and not type(self)._runs_in_own_way():
            state["execute_cmd_line"] = self._runner()
        return copyreg.__newobj__, (type(self),), state  # type: ignore[attr-defined]

    @classmethod
    def _runs_in_own_way(cls) -> bool:
        return cls.execute_cmd_line is not ShellFunction.execute_cmd_line

    def __str__(self) -> str:
        lines = [self.__name__]
        if self.walltime is not None:
            lines.append(f" wall time: {self.walltime}")
        if self.stdout is not None:
            lines.append(f"    stdout: {self.stdout!r}")
        if self.stderr is not None:
            lines.append(f"    stderr: {self.stderr!r}")
        lines.append(f"     lines: {self.snippet_lines!r}")
        lines.append(f"   command: {_shown_command(self.cmd)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        fields = {
            "name": self.__name__ if self.__name__ != type(self).__name__ else None,
            "walltime": self.walltime,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "literal": self.literal or None,
            "quote": self.quote or None,
            "snippet_lines": self.snippet_lines,
            "cmd": self.cmd,
        }
        shown = ", ".join(f"{name}={v!r}" for name, v in fields.items() if v is not None)
        return f"{type(self).__name__}({shown})"


class _MadeThere:
    """A value that comes into being where it is loaded, as ``function(*args)``."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._function = function
        self._args = args

    def _wire_reduce(self) -> tuple[Any, ...]:
        return self._function, self._args


def _valid_name(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"name must be text, not {name!r}")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"name must be a name of Python, as for a function, not {name!r}")
    return name


def _shown_command(cmd: str) -> str:
    whole = cmd.strip()
    start = "\n".join(whole[:_SHOWN_CHARACTERS].splitlines()[:_SHOWN_LINES])
    if start != whole:
        start += "\n[... truncated; see .cmd for full script ...]"
    if "\n" not in start:
        return start
    lines = ["-----", *start.strip().split("\n"), "-----"]
    return ("\n" + " " * len("   command: ")).join(lines)
