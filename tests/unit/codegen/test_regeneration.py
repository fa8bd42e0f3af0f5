"""A changed document becomes a changed package with nobody writing code."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.unit.codegen.conftest import ROOT, Run
from tools.codegen.document import load_document

PACKAGE = "tomorrow_api"


@pytest.fixture
def tomorrow(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package from the real document with one operation and one field more, ready to import."""
    document = load_document(ROOT / "openapi" / "compute.yaml")
    schemas = document["components"]["schemas"]
    schemas["TaskStatus"]["properties"]["priority"] = {"type": "integer"}
    schemas["Cancellation"] = {
        "type": "object",
        "required": ["reason"],
        "properties": {"reason": {"type": "string"}},
    }
    task = {"application/json": {"schema": {"$ref": "#/components/schemas/TaskStatus"}}}
    reason = {"application/json": {"schema": {"$ref": "#/components/schemas/Cancellation"}}}
    document["paths"]["/v4/tasks/{task_uuid}/cancel"] = {
        "post": {
            "tags": ["tasks"],
            "operationId": "cancel_task",
            "security": [{"globus": []}],
            "parameters": [{"$ref": "#/components/parameters/task_uuid"}],
            "requestBody": {"required": True, "content": reason},
            "responses": {"200": {"description": "The task.", "content": task}},
        }
    }
    spec = tmp_path / "tomorrow.yaml"
    spec.write_text(json.dumps(document), encoding="utf-8")
    done = run("--spec", spec, "--output", tmp_path / PACKAGE)
    assert done.returncode == 0, done.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / PACKAGE
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.mark.usefixtures("tomorrow")
def test_new_operation_is_called_and_new_field_is_read() -> None:
    """The new operation sends what the new document says; the new field is an attribute."""
    task_id = "10c9678c-b404-4e40-bfd4-81581f52f9db"

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.method == "POST"
        assert request.url.path == f"/v4/tasks/{task_id}/cancel"
        assert request.headers["authorization"] == "Bearer a-token"
        assert json.loads(request.content) == {"reason": "too slow"}
        return httpx.Response(200, json={"task_id": task_id, "status": "pending", "priority": 7})

    package = importlib.import_module(PACKAGE)
    models = importlib.import_module(f"{PACKAGE}.models")
    operation = importlib.import_module(f"{PACKAGE}.api.tasks.cancel_task")
    client = package.AuthenticatedClient(
        "http://service.test",
        token="a-token",
        httpx_args={"transport": httpx.MockTransport(answer)},
    )
    with client:
        response = operation.sync_detailed(
            task_id, client=client, body=models.Cancellation(reason="too slow")
        )
    assert response.parsed.priority == 7


def test_diff_sees_the_same_change_and_no_breakage(tomorrow: Path, run: Run) -> None:
    """What was added is what `--diff` reports, and callers need not care."""
    done = run("--diff", ROOT / "openapi" / "compute.yaml", tomorrow / "openapi.json")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "ok      POST /v4/tasks/{task_uuid}/cancel: operation added: cancel_task" in lines
    assert "ok      TaskStatus (answer) .priority: optional field added" in lines
    assert "ok      Cancellation: model added" in lines
