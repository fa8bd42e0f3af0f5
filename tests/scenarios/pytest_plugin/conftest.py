"""Running pytest in pytest, with the plugin as users have it."""

from __future__ import annotations

pytest_plugins = ["pytester"]
