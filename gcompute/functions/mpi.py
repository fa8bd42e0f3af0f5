"""MPI programs as functions."""

from __future__ import annotations

from typing import Any

from .result import ShellResult
from .shell import ShellFunction


class MPIFunction(ShellFunction):
    """A command line that an MPI launcher starts on the nodes of an endpoint.

    ::

        executor.resource_specification = {"num_nodes": 2, "ranks_per_node": 4}
        executor.submit(MPIFunction("lammps -in {script}"), script="melt.in")

    The endpoint's MPI engine sets ``PARSL_MPI_PREFIX``, the launcher with its options, by the
    task's resource specification. The launcher starts the first command of the line only. The
    arguments are those of :class:`~gcompute.ShellFunction`.
    """

    def __call__(self, **kwargs: Any) -> ShellResult | Any:
        """Run the command by the launcher here, which is what a worker does.

        Raises:
            MissingPlaceholder: a placeholder has no value.
            ValueError: the command's braces do not match.
        """
        self.check_arguments(**kwargs)
        return self.execute_cmd_line(f"$PARSL_MPI_PREFIX {self._template().format(**kwargs)}")
