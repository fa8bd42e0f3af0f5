"""Write ``docs/differences.md`` from ``docs/differences.yaml``: ``python -m tests.surface``.

``--check`` writes nothing, and fails where the page is not what the list says.
"""

from __future__ import annotations

import sys

from .explanations import ROOT, Explanations
from .page import page

PAGE = ROOT / "docs" / "differences.md"


def main() -> int:
    """Write the page, or check it; give the exit code."""
    text = page(Explanations())
    if sys.argv[1:] == ["--check"]:
        return 0 if PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
