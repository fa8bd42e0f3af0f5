"""Records what the official package writes for each sample by each strategy.

One file a strategy, one JSON object a line: first what made it, then for each sample its text and
whether the official package itself can load it, or why there is no text. The samples are those of
``tests/interop``, defined by a script that runs in a folder of its own and by a relative name, as
pickled functions and source know where they come from.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.interop.catalogue import ROWS
from tools.recording.scrubbing import LONGEST_TEXT

Json = Any

_INTEROP = Path(__file__).parents[2] / "tests" / "interop"
_PACKAGE = "globus_compute_sdk"
#: Runs a script of the present folder as one that knows no other folder.
_RUN = (
    "import sys; sys.argv = ['{0}.py', '" + _PACKAGE + "']; __file__ = '{0}.py'; "
    "exec(compile(open('{0}.py').read(), '{0}.py', 'exec'))"
)
_VERSIONS = (
    "'globus-compute-sdk ' + package.__version__ + ', dill ' + __import__('dill').__version__ + "
    "', Python ' + __import__('platform').python_version()"
)
#: Where that Python is installed: pickled classes may name files of its library.
_LIBRARY = "__import__('sys').base_prefix + '/lib/'"
#: Base64 as the official package writes it.
_BASE64 = re.compile(r"(?:^[A-Za-z0-9+/]{76}\n)*^[A-Za-z0-9+/]+={0,2}\n", re.MULTILINE)


def record_serialization(target: Path, python: str, folder: Path) -> int:
    """Write the vectors; give how many there are.

    Args:
        target: folder of the recordings.
        python: an interpreter with the official package, numpy and pandas.
        folder: for the scripts; empty.
    """
    for script in ("peer.py", "samples.py"):
        shutil.copy(_INTEROP / script, folder)
    lines: dict[str, list[Json]] = {}
    with _peer("samples", python, folder) as writer, _peer("peer", python, folder) as loader:
        library = _ask(writer, do="evaluate", expression=_LIBRARY)["value"]
        head = {
            "client": _ask(writer, do="evaluate", expression=_VERSIONS)["value"],
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "command": "make record",
        }
        for strategy, sample in ROWS:
            written = _ask(writer, do="write", expression=sample.name, strategy=strategy)
            if "text" in written:
                written["text"] = moved(written["text"], library)
            told = _told(written, loader, sample.probe)
            lines.setdefault(strategy, [{"strategy": strategy, **head}]).append(
                {"sample": sample.name, "probe": sample.probe, **told}
            )
    (target / "serialization").mkdir(parents=True, exist_ok=True)
    for strategy, objects in lines.items():
        text = "".join(f"{json.dumps(each)}\n" for each in objects)
        (target / "serialization" / f"{strategy}.jsonl").write_text(text, "utf-8")
    return len(ROWS)


def moved(text: str, folder: str) -> str:
    """Give a serialized text whose pickles name another folder in place of one of this machine.

    The other one is as long: pickles, and packed values, tell the lengths of what is in them.
    """
    name, other = (
        folder.encode(),
        f"/{'elsewhere/' * len(folder)}"[: len(folder) - 1].encode() + b"/",
    )

    def replaced(found: re.Match[str]) -> str:
        try:
            content = base64.b64decode(found[0])
        except binascii.Error:
            return found[0]
        return (
            base64.encodebytes(content.replace(name, other)).decode()
            if name in content
            else found[0]
        )

    return _BASE64.sub(replaced, text)


def _told(written: Json, loader: subprocess.Popen[str], probe: str) -> Json:
    if "error" in written:
        return {"not_written": written["error"]}
    text = written["text"]
    if len(text) > LONGEST_TEXT:
        return {"left_out": f"it has {len(text)} characters"}
    loaded = _ask(loader, do="load", text=text, probe=probe)
    outcome = loaded.get("error") or ("loaded" if loaded["holds"] else "changed")
    return {"text": text, "outcome": outcome}


@contextmanager
def _peer(script: str, python: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a script of :mod:`tests.interop` for the length of a block."""
    process = subprocess.Popen(
        [python, "-W", "ignore", "-c", _RUN.format(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={"PATH": str(Path(python).parent), "HOME": str(folder)},
    )
    try:
        yield process
    finally:
        process.communicate(timeout=30)


def _ask(peer: subprocess.Popen[str], **request: Json) -> Json:
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write(json.dumps(request) + "\n")
    peer.stdin.flush()
    line = peer.stdout.readline()
    if not line:
        raise RuntimeError(f"the process that serializes ended over {request}")
    return json.loads(line)
