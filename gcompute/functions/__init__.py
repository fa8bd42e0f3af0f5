"""Functions that are not Python of the user's: commands, MPI programs, reports."""

from .arguments import MissingPlaceholder, check_call
from .hardware import hardware_report
from .mpi import MPIFunction
from .result import ShellResult
from .shell import ShellFunction

__all__ = [
    "MPIFunction",
    "MissingPlaceholder",
    "ShellFunction",
    "ShellResult",
    "check_call",
    "hardware_report",
]
