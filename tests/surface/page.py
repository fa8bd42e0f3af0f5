"""The page for users about the differences from the official SDK. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .explanations import KINDS, Explanations

_WORDS = {"missing": "not here", "changed": "changed", "added": "only here"}


def page(explanations: Explanations) -> str:
    """Write the page, as Markdown."""
    return "\n".join(_lines(explanations.content)) + "\n"


def _lines(content: dict[str, Any]) -> Iterator[str]:
    yield "<!-- written by `python -m tests.surface` from differences.yaml: edit that -->"
    yield f"# {content['title']}"
    yield ""
    yield content["introduction"].strip()
    yield from _heading("Imports", content["imports_text"])
    yield "| official module | here |"
    yield "| --- | --- |"
    for entry in content["imports"]:
        yield f"| `{entry['module']}` | {_home(entry)} |"
    yield ""
    yield "Without a counterpart, as no script needs them:"
    yield ""
    for entry in content["internal"]:
        yield f"- {_names(entry['modules'])}: {entry['reason']}"
    yield from _heading("Behaviour", content["behaviour_text"])
    yield "| what | official SDK | gcompute |"
    yield "| --- | --- | --- |"
    for entry in content["behaviour"]:
        yield f"| {entry['what']} | {entry['official']} | {entry['here']} |"
    for section in content["surface"]:
        yield from _section(section)


def _section(section: dict[str, Any]) -> Iterator[str]:
    yield from _heading(section["title"], section["text"])
    yield "| | name | why |"
    yield "| --- | --- | --- |"
    for entry in section["entries"]:
        for kind in KINDS:
            if kind in entry:
                yield f"| {_WORDS[kind]} | {_names(entry[kind])} | {entry['reason']} |"


def _heading(title: str, text: str) -> Iterator[str]:
    yield from ("", f"## {title}", "", text.strip(), "")


def _home(entry: dict[str, Any]) -> str:
    renamed = [f"`{old}` is `{new}`" for old, new in entry.get("names", {}).items()]
    return "; ".join([f"`{entry['here']}`", *renamed])


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
