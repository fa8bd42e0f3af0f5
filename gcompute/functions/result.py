"""What a command gave."""

from __future__ import annotations

#: How much of an output ``str`` shows.
_SHOWN_CHARACTERS = 1024
_SHOWN_LINES = 10


class ShellResult:
    """The end of a command that a :class:`~gcompute.ShellFunction` ran.

    ``str()`` gives a summary; the whole of what came back is in the attributes.

    Attributes:
        cmd: the command line as it ran.
        stdout: the last lines of its output, 1000 unless the function says otherwise.
        stderr: the same of its errors.
        returncode: 0 for success; 124 when its ``walltime`` was over.
        exception_name: ``"subprocess.CalledProcessError"``, ``"subprocess.TimeoutExpired"``, or
            ``None`` for success.
    """

    def __init__(
        self,
        cmd: str,
        stdout: str,
        stderr: str,
        returncode: int,
        exception_name: str | None = None,
    ) -> None:
        self.cmd = cmd
        self.stdout = stdout
        self.stderr = stderr
        self.returncode = returncode
        self.exception_name = exception_name

    def __str__(self) -> str:
        text = f"exit code: {self.returncode}\n   stdout:\n{_end_of(self.stdout, 'stdout')}"
        if self.returncode != 0:
            text += f"\n\n   stderr:\n{_end_of(self.stderr, 'stderr')}"
            if self.exception_name:
                text += f"\n\nexception: {self.exception_name}"
        return text

    def __repr__(self) -> str:
        names = ["returncode", "cmd", "exception_name", "stdout", "stderr"]
        if self.exception_name is None:
            names.remove("exception_name")
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({fields})"


def _end_of(output: str, attribute: str) -> str:
    whole = output.lstrip("\n").rstrip()
    end = "\n".join(whole[-_SHOWN_CHARACTERS:].splitlines()[-_SHOWN_LINES:])
    note = f"[... truncated; see .{attribute} for full output ...]\n" if end != whole else ""
    return note + end
