"""What a run was measured on."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from urllib.parse import urlsplit


def facts() -> dict[str, str]:
    """Describe the machine and this interpreter, by name of the fact."""
    return {
        "machine": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} cores, {_processor()}",
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def load() -> str:
    """Give the load averages of the last 1, 5 and 15 minutes."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def broker_version(url: str, timeout_s: float = 5.0) -> str:
    """Ask a broker for its name and version: it gives both before anybody logs in.

    Args:
        url: of the broker; the credentials in it are not used.
        timeout_s: seconds to wait for each part of the answer.

    Raises:
        OSError: nobody answers.
    """
    import pika.frame

    place = urlsplit(url)
    address = (place.hostname or "127.0.0.1", place.port or 5672)
    with socket.create_connection(address, timeout=timeout_s) as connection:
        connection.sendall(pika.frame.ProtocolHeader().marshal())
        received = b""
        while True:
            chunk = connection.recv(65536)
            if not chunk:
                raise ConnectionError(f"{place.hostname}:{place.port} is no AMQP broker")
            received += chunk
            _, start = pika.frame.decode_frame(received)
            if start is not None:
                break
    properties = start.method.server_properties
    return f"{properties['product']} {properties['version']}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
