"""The examples of apps, client credentials and tokens, from both user guides."""

from __future__ import annotations

from gcompute.local import LocalService
from tests.scenarios.reference.conftest import Script


def test_an_app_of_ones_own(script: Script) -> None:
    """Documents 001 and 004: nothing is asked for until something is sent."""
    lines = script(
        """\
import globus_sdk
from gcompute import Executor, Client

my_client_id = "b0500dab-ebd4-430f-b962-0c85bd43bdbb"
my_endpoint_id = "4b116d3c-1703-4f8f-9f6f-39921e5864df"

app = globus_sdk.UserApp("MyNativeApp", client_id=my_client_id)
gcc = Client(app=app)
gce = Executor(endpoint_id=my_endpoint_id, client=gcc)
print(gcc.app is app, gce.client is gcc)  # added
"""
    )
    assert lines == ["True True"]


def test_client_credentials(script: Script) -> None:
    """Documents 001 and 004: the two variables are all that is needed."""
    lines = script(
        """\
from gcompute import Client
gcc = Client()
gcc.get_endpoints()  # added
print(type(gcc.app).__name__)  # added
"""
    )
    assert lines == ["ClientApp"]


def test_an_existing_token(script: Script, service: LocalService) -> None:
    """Documents 001 and 004: a token is enough, without a login."""
    lines = script(
        """\
import globus_sdk
from gcompute import Executor, Client

authorizer = globus_sdk.AccessTokenAuthorizer(access_token="...")
gcc = Client(authorizer=authorizer)
gce = Executor(endpoint_id="4b116d3c-1703-4f8f-9f6f-39921e5864df", client=gcc)
from globus_sdk.scopes import ComputeScopes
print(ComputeScopes.all)
print(gce.submit(pow, 2, 5).result())  # added
gce.shutdown()  # added
""".replace("...", service.token)
    )
    scope = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"
    assert lines == [scope, "32"]
