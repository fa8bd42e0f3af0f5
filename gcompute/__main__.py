"""``python -m gcompute``: the program, where its folder is not on the path."""

from __future__ import annotations

import sys

from gcompute.cli import main

sys.exit(main())
