"""The generated package as a whole: it imports, it is light, its parts are of one piece."""

import copy
import importlib
import inspect
import json
import pickle
import pkgutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import get_type_hints

import gcompute_api
import gcompute_api.models
import httpx
import pytest
from gcompute_api.api.endpoints import delete_endpoint
from gcompute_api.api.functions import register_function
from gcompute_api.client import AuthenticatedClient, Client
from gcompute_api.errors import UnexpectedStatus
from gcompute_api.models import HTTPValidationError
from gcompute_api.types import UNSET, Unset

from tools.codegen.document import load_document

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(
    module.name for module in pkgutil.walk_packages(gcompute_api.__path__, "gcompute_api.")
)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports(name: str) -> None:
    """No generated module refers to something that was not generated."""
    assert importlib.import_module(name).__name__ == name


def test_every_model_is_found_by_its_name() -> None:
    """`gcompute_api.models` gives every model it lists, and lists them for `dir`."""
    for name in gcompute_api.models.__all__:
        assert getattr(gcompute_api.models, name).__name__ == name
    assert set(gcompute_api.models.__all__) <= set(dir(gcompute_api.models))


@pytest.mark.parametrize("module", [gcompute_api, gcompute_api.models], ids=["package", "models"])
def test_unknown_name_is_an_attribute_error(module: object) -> None:
    """Loading on first use does not change what a wrong name gives."""
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        module.Nothing  # type: ignore[attr-defined] # noqa: B018


def test_package_gives_its_clients() -> None:
    """The two classes that the package exports are those of its client module."""
    assert gcompute_api.Client is Client
    assert gcompute_api.AuthenticatedClient is AuthenticatedClient
    assert {"AuthenticatedClient", "Client"} <= set(dir(gcompute_api))


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_neither_httpx_nor_models() -> None:
    """Whoever wants only `openapi.json` does not wait for an HTTP client."""
    loaded = loaded_by("import gcompute_api, gcompute_api.models")
    assert not {"httpx", "attrs", "gcompute_api.client"} & loaded
    assert not [name for name in loaded if name.startswith("gcompute_api.models.")]


def test_an_operation_loads_no_models_but_its_own() -> None:
    """An operation's import costs the models that it names, not all of them."""
    loaded = loaded_by("import gcompute_api.api.tasks.get_task")
    models = [name for name in loaded if name.startswith("gcompute_api.models.")]
    assert 0 < len(models) < len(gcompute_api.models.__all__) / 4


def test_document_in_the_package_is_the_one_it_was_made_from() -> None:
    """`openapi.json` holds all that `openapi/compute.yaml` does, and who wrote it."""
    carried = json.loads(files("gcompute_api").joinpath("openapi.json").read_text("utf-8"))
    assert "python codegen.py" in carried.pop("x-generated")
    assert carried == load_document(ROOT / "openapi" / "compute.yaml")


@pytest.mark.parametrize(
    "again",
    [copy.copy(UNSET), copy.deepcopy(UNSET), pickle.loads(pickle.dumps(UNSET))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_unset_stays_the_one_object(again: Unset) -> None:
    """A copied or unpickled model leaves out what the original left out."""
    assert again is UNSET
    assert repr(UNSET) == "UNSET"


def test_with_headers_leaves_the_client_it_is_called_on_alone() -> None:
    """`with_...` makes another client: one that threads share does not change under them."""
    client = Client("http://service.test")
    with client:
        other = client.with_headers({"x-trace": "1"}).with_cookies({"a": "b"})
        other = other.with_timeout(httpx.Timeout(7))
        assert "x-trace" not in client.get_httpx_client().headers
        assert not client.get_httpx_client().cookies
        assert client.get_httpx_client().timeout != httpx.Timeout(7)
    with other:
        assert other.get_httpx_client().headers["x-trace"] == "1"
        assert other.get_httpx_client().cookies["a"] == "b"
        assert other.get_httpx_client().timeout == httpx.Timeout(7)


def test_no_client_shows_its_token_and_a_callers_headers_stay_his() -> None:
    """Neither `repr` nor the caller's own dictionary has the token, also after the first use."""
    headers = {"x-of": "the caller"}
    client = AuthenticatedClient(
        base_url="https://api.example.org", token="secret", headers=headers
    )
    with client.get_httpx_client() as sender:
        assert sender.headers["authorization"] == "Bearer secret"
        assert sender.headers["x-of"] == "the caller"
    assert headers == {"x-of": "the caller"}
    assert "secret" not in repr(client)
    assert "https://api.example.org" in repr(client)


@pytest.mark.parametrize(
    "client",
    [
        Client(base_url="http://a.example"),
        AuthenticatedClient(base_url="http://a.example", token="t"),
    ],
    ids=["open", "authenticated"],
)
def test_no_call_waits_for_ever_unless_it_is_told_to(client: Client | AuthenticatedClient) -> None:
    """A service that accepts a request and never answers holds nobody."""
    with client.get_httpx_client() as sender:
        assert sender.timeout == httpx.Timeout(60.0, connect=10.0, pool=None)
    with client.with_timeout(httpx.Timeout(None)).get_httpx_client() as sender:
        assert sender.timeout == httpx.Timeout(None)


def test_unexpected_status_survives_pickling() -> None:
    """It reaches the parent of a process that it happened in."""
    error = UnexpectedStatus(502, b"<html>")
    again = pickle.loads(pickle.dumps(error))
    assert (again.status_code, again.content, str(again)) == (502, b"<html>", str(error))


def test_an_answer_without_a_body_hides_no_type() -> None:
    """`Any` in a union takes every check from its other members; twice the same says nothing."""
    assert get_type_hints(delete_endpoint.sync)["return"] == HTTPValidationError | None
    source = inspect.getsource(register_function)
    assert "Error | Error" not in source.replace("ValidationError", "")
