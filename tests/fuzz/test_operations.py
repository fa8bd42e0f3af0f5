"""Requests made from the API document: no operation fails, and no answer leaves the document.

Every operation has its share of the campaign: requests that fit the document and requests that do
not, with ids that exist in most of them, and now and then without a token or with a wrong one. The
service runs whole, on its own socket, so that what is tested is what clients see.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)

from gcompute.local.document import (
    Operation,
    compile_schema,
    document,
    operations,
    resolve,
    wrong_fields,
)
from gcompute.local.stack import Announcement
from tests.fuzz.campaign import CAMPAIGN
from tests.fuzz.world import World
from tests.scenarios.service.api import Api

SCHEMA = schemathesis.openapi.from_dict(document())
ERROR = compile_schema({"$ref": "#/components/schemas/Error"})
#: Who sends a case: mostly the owner of what is in it.
CALLERS = ("ann",) * 14 + ("bob", "bob", "bob", "mallory", "eve", "nobody")
#: Statuses that any operation may answer with, listed or not.
ANYWHERE = (401, 403, 404, 405, 409, 413, 422, 423)


class Target:
    """A service under fuzz, with a session to talk to it."""

    def __init__(self, announcement: Announcement, session: requests.Session, api: Api) -> None:
        self.world = World(api)
        #: How many answers there were, by operation and status.
        self.answers: Counter[tuple[str, int]] = Counter()
        self._url = announcement["url"]
        self._session = session
        users = announcement["users"]
        self._authorizations = {name: f"Bearer {user['token']}" for name, user in users.items()}
        self._authorizations |= {"mallory": "Bearer wrong", "eve": "Basic eDp5"}

    def send(self, case: Any, caller: str) -> Any:
        """Send a case as somebody."""
        generated = case.headers or {}
        case.headers = {k: v for k, v in generated.items() if k.lower() != "authorization"}
        if caller in self._authorizations:
            case.headers["authorization"] = self._authorizations[caller]
        return case.call(base_url=self._url, session=self._session, timeout=30)


@pytest.fixture(scope="module")
def target(service: Announcement) -> Iterator[Target]:
    """The service, and what exists there."""
    with (
        closing(Api(service["url"], service["users"]["ann"]["token"])) as api,
        requests.Session() as session,
    ):
        yield Target(service, session, api)


@pytest.mark.parametrize("operation_id", sorted(operations()))
def test_no_request_fails_the_service(
    operation_id: str, target: Target, caplog: pytest.LogCaptureFixture
) -> None:
    """Each answer fits the document, and the log has no error."""
    known = operations()
    operation = SCHEMA.find_operation_by_id(operation_id)
    fitting = operation.as_strategy(GenerationMode.POSITIVE)
    unfitting = operation.as_strategy(GenerationMode.NEGATIVE)
    random = Random(f"{CAMPAIGN.start} {operation_id}")

    @CAMPAIGN.spread(len(known))
    @given(st.one_of(fitting, fitting, unfitting))
    def campaign(case: Any) -> None:
        used = target.world.inhabit(case, random)
        response = target.send(case, random.choice(CALLERS))
        target.answers[operation_id, response.status_code] += 1
        check(known[operation_id], case, response)
        target.world.renew(operation_id, used)

    with caplog.at_level(logging.WARNING):
        campaign()
    assert [record.getMessage() for record in caplog.records] == []
    assert target.answers[operation_id, 200], "no case reached what the operation is for"


def check(operation: Operation, case: Any, response: Any) -> None:
    """Hold an answer against the document."""
    case.validate_response(
        response,
        checks=[not_a_server_error, content_type_conformance, response_schema_conformance],
    )
    if str(response.status_code) not in operation.definition["responses"]:
        assert response.status_code in ANYWHERE, response.text
        assert wrong_fields(ERROR, response.json(), "answer") == []
    if response.status_code == 200 and isinstance(case.body, dict | list):
        # By another implementation of JSON Schema than the service's own.
        body = resolve(operation.definition["requestBody"])
        schema = body["content"]["application/json"]["schema"]
        jsonschema.validate(case.body, schema | {"components": document()["components"]})
