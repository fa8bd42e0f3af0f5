"""What the tests of `codegen.py` share: a small document, and the command as users run it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

Document = dict[str, Any]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def small() -> Document:
    """A document with one operation that has a parameter, a request, an answer and an error."""
    reference = {"$ref": "#/components/schemas/Thing"}
    content = {"application/json": {"schema": reference}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Small", "version": "1"},
        "paths": {
            "/things/{thing_id}": {
                "put": {
                    "tags": ["things"],
                    "operationId": "put_thing",
                    "parameters": [
                        {
                            "name": "thing_id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                        },
                        {"name": "depth", "in": "query", "schema": {"type": "integer"}},
                    ],
                    "requestBody": {"required": True, "content": content},
                    "responses": {
                        "200": {"description": "The thing.", "content": content},
                        "404": {"description": "No such thing."},
                    },
                }
            }
        },
        "components": {
            "schemas": {
                "Thing": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "description": "Wörter, nicht nur ASCII."},
                        "size": {"type": ["integer", "null"]},
                        "color": {"$ref": "#/components/schemas/Color"},
                    },
                },
                "Color": {"type": "string", "enum": ["red", "blue"]},
            }
        },
    }


@pytest.fixture
def spec(tmp_path: Path, small: Document) -> Path:
    """The small document as a file; JSON is YAML."""
    path = tmp_path / "small.yaml"
    path.write_text(json.dumps(small), encoding="utf-8")
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `codegen.py` in a process of its own: `run(*arguments, cwd=..., **environment)`."""

    def call(
        *arguments: object, cwd: Path = tmp_path, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, ROOT / "codegen.py", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return call
