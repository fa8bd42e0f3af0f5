"""What the machine is that this runs on, as text for people.

This module travels to workers as source: it imports nothing but the standard library, and is
written for every Python that an endpoint may have.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys

#: Seconds that one command may take.
_TIMEOUT_S = 30


def hardware_report(env: str | None = None) -> str:
    """Describe Python, memory, processors, graphics cards, disks and the endpoint's software.

    Args:
        env: a title for each section, such as ``"Compute Endpoint Worker"``.

    Returns:
        Sections with a headline each, separated by empty lines. What a machine lacks the tools
        for is left out.
    """
    processors = {"darwin": "sysctl -a machdep.cpu", "win32": "wmic CPU get NAME"}
    commands = [
        processors.get(sys.platform, "lscpu"),
        "nvidia-smi",
        "df -h",
        "lshw -C display",
        "globus-compute-endpoint version",
    ]
    sections: list[tuple[str, str | None]] = [
        ("python: python_runtime_host_info", _python()),
        ("python: psutil.virtual_memory()", _memory("virtual_memory")),
        ("python: psutil.swap_memory()", _memory("swap_memory")),
        *[(f"shell: {command}", _output(command)) for command in commands],
    ]
    title = f"== {env} == " if env else ""
    return "\n\n".join([f"{title}== {name} ==\n{text}" for name, text in sections if text])


def _python() -> str:
    facts: list[tuple[str, object]] = [
        ("Version", sys.version.replace("\n", " ")),
        ("Version info", tuple(sys.version_info)),
        ("Interpreter path", sys.executable),
        ("CPU architecture", platform.processor() or platform.machine()),
        ("CPU core count", os.cpu_count()),
        ("Node name", platform.node()),
        ("Platform", platform.platform()),
    ]
    names = "HOME USER USERNAME LANG XDG_RUNTIME_DIR PATH VIRTUAL_ENV"
    facts += [(name, os.environ.get(name)) for name in names.split()]
    if hasattr(os, "getuid"):
        facts.append(("uid", os.getuid()))
    return "\n".join([f"{name:>17}: {value}" for name, value in facts])


def _memory(which: str) -> str:
    try:
        # The endpoint's agent brings it; this package does not.
        import psutil
    except ImportError:
        return "psutil is not installed here, so nothing is known of memory"
    facts = getattr(psutil, which)()._asdict()
    return "\n".join(
        [
            f"{name.capitalize():>17}: {value} %" if name == "percent" else _amount(name, value)
            for name, value in facts.items()
        ]
    )


def _amount(name: str, count: int) -> str:
    """Write a line for a number of bytes, for people and exactly."""
    scaled, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while scaled >= 1024 and len(units) > 1:
        scaled, units = scaled / 1024, units[1:]
    return f"{name.capitalize():>17}: {scaled:.1f} {units[0]} ({count})"


def _output(command: str) -> str | None:
    """Run a command and give what it wrote; ``None`` where there is no such command."""
    words = command.split()
    if not shutil.which(words[0]):
        return None
    try:
        done = subprocess.run(
            words, timeout=_TIMEOUT_S, capture_output=True, text=True, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return f"the command took more than {_TIMEOUT_S} seconds"
    except OSError as error:
        return f"the command could not be run: {error}"
    return done.stdout or done.stderr or "the command wrote nothing"
