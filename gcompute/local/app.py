"""The web service as an ASGI application: routes, authentication, checks, answers.

Each operation of the document becomes a route by its operation id; an operation without a
handler, or a handler without an operation, is an error when the application is made. A request
goes through: who is it (401), how long is it (413), does it fit the document (422), and then its
handler. Every error has the service's error body; those of a wrong request have the body that
the document gives for that operation.

A request that is too long is read to its end, up to a bound, and thrown away, as most clients
only look at the answer when they have sent everything.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gcompute.protocol import MAX_REQUEST_BYTES

from . import errors
from .amqp import ChannelRefused, LinkError
from .auth import auth_routes
from .document import Operation, document, operations
from .errors import RequestInvalid, ServiceError
from .operations import HANDLERS, Call, Handler, Pieces
from .service import Service
from .store.users import User

log = logging.getLogger(__name__)

#: How much of a request that is too long is still read, in bytes.
_DRAIN_BYTES = 256 * 1024 * 1024
#: How much of a large answer is made at a time, in bytes.
_CHUNK_BYTES = 1024 * 1024


def create_app(service: Service) -> Starlette:
    """Make the application of a service.

    Raises:
        RuntimeError: handlers and operations of the document do not match.
    """
    known = operations()
    unmatched = known.keys() ^ HANDLERS.keys()
    if unmatched:
        raise RuntimeError(f"handlers and document differ in {sorted(unmatched)}")
    routes = [
        Route(
            operation.path,
            _endpoint(service, operation, HANDLERS[operation.operation_id]),
            methods=[operation.method],
        )
        # Literal paths come before those with parameters, and HEAD before GET, as Starlette
        # lets every GET answer HEAD too.
        for operation in sorted(known.values(), key=_precedence)
    ]
    routes.append(Route("/openapi.json", _openapi, methods=["GET"]))
    routes += auth_routes(service.auth)
    app = Starlette(
        routes=routes, exception_handlers={HTTPException: _unrouted, sqlite3.Error: _not_stored}
    )
    app.router.redirect_slashes = False
    return app


def _precedence(operation: Operation) -> tuple[list[bool], bool]:
    return [step.startswith("{") for step in operation.path.split("/")], operation.method != "HEAD"


async def _openapi(request: Request) -> Response:
    return _json(200, document())


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    make = errors.method_not_allowed if error.status_code == 405 else errors.no_such_route
    refusal = make(request.method, request.url.path)
    return _json(refusal.http_status, refusal.body(), error.headers)


async def _not_stored(request: Request, error: Exception) -> Response:
    """Answer for the routes that are no operations of the document, those of logins."""
    log.error("%s: the state cannot be written: %s", request.url.path, error)
    refusal = errors.not_stored(error)
    return _json(refusal.http_status, refusal.body())


def _endpoint(
    service: Service, operation: Operation, handler: Handler
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            call = await _read(service, operation, request)
            answer = await handler(service, call)
            if isinstance(answer, Pieces):
                return _in_pieces(answer)
            return Response() if operation.method == "HEAD" else _json(200, answer)
        except RequestInvalid as invalid:
            return _json(422, _validation_body(operation, invalid))
        except ClientDisconnect:
            # Nobody reads this answer.
            return Response(status_code=499)
        except Exception as error:
            refusal = _refusal(error, operation)
            challenge = {"www-authenticate": "Bearer"} if refusal.http_status == 401 else None
            return _json(refusal.http_status, refusal.body(), challenge)

    return endpoint


async def _read(service: Service, operation: Operation, request: Request) -> Call:
    """Check a request, from its token to its body."""
    now = time.time()
    caller, policies = (
        _authenticate(service, request, now) if operation.needs_token else (None, None)
    )
    wrong = operation.wrong_parameters(request.path_params, request.query_params)
    body = None
    if operation.body_validator is not None:
        body = _parse(await _body(request))
        wrong += operation.wrong_body(body)
    if wrong:
        raise RequestInvalid(wrong)
    return Call(
        caller=caller,
        path=request.path_params,
        query=request.query_params,
        body=body,
        now=now,
        host=request.client.host if request.client else None,
        policies=policies,
    )


def _authenticate(
    service: Service, request: Request, now: float
) -> tuple[User, frozenset[str] | None]:
    """Tell who sent a request, and which policies his login met."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.unauthenticated("The request has no bearer token")
    identity = service.identities.by_token(token.strip())
    if identity is not None:
        return identity.user, None
    login = service.auth.caller(token.strip(), now)
    if login is None:
        raise errors.unauthenticated("The bearer token is not one of this service")
    return login


async def _body(request: Request) -> bytes:
    """Read the body.

    Raises:
        ServiceError: 413, it is over the limit.
    """
    declared = request.headers.get("content-length", "")
    size = 0
    kept: list[bytes] = []
    too_large = declared.isdecimal() and int(declared) > MAX_REQUEST_BYTES
    async for chunk in request.stream():
        size += len(chunk)
        too_large = too_large or size > MAX_REQUEST_BYTES
        if not too_large:
            kept.append(chunk)
        elif size > _DRAIN_BYTES:
            break
        else:
            kept.clear()
    if too_large:
        raise errors.payload_too_large(size, MAX_REQUEST_BYTES)
    return b"".join(kept)


def _parse(body: bytes) -> Any:
    if not body:
        raise errors.invalid_field("body", msg="Field required", rule="missing")
    try:
        parsed = json.loads(body, parse_constant=_no_constant)
        # Half a surrogate pair is legal in JSON text, yet is no character that can be kept.
        # Most bodies cannot have one, which is quick to see.
        if b"\\u" in body:
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise errors.invalid_field("body", msg=f"Not JSON: {error}", rule="json_invalid") from error
    return parsed


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _validation_body(operation: Operation, invalid: RequestInvalid) -> dict[str, Any]:
    if operation.tells_errors_plainly:
        return {"detail": invalid.errors}
    return errors.error_body(422, RequestInvalid.code, invalid.errors, [])


def _refusal(error: Exception, operation: Operation) -> ServiceError:
    """Turn whatever a handler raised into an answer; what is our own fault is logged."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, LinkError):
        log.warning("%s: %s", operation.operation_id, error)
        refused = isinstance(error, ChannelRefused)
        return errors.broker_refused(error) if refused else errors.broker_unavailable()
    if isinstance(error, sqlite3.Error):
        log.error("%s: the state cannot be written: %s", operation.operation_id, error)
        return errors.not_stored(error)
    log.error("%s failed", operation.operation_id, exc_info=error)
    return errors.internal_error()


def _in_pieces(answer: Pieces) -> Response:
    """Send an answer while it is made, as fast as its client reads; a short one as a whole."""
    chunks = _chunks(answer.text)
    # What fails here, on the first megabyte, is answered as any error.
    first, second = next(chunks), next(chunks, None)
    if second is None:
        return Response(first, media_type="application/json")

    async def whole() -> AsyncIterator[bytes]:
        for chunk in itertools.chain((first, second), chunks):
            yield chunk
            # Others' turn.
            await asyncio.sleep(0)

    return StreamingResponse(whole(), media_type="application/json")


def _chunks(text: Iterator[str]) -> Iterator[bytes]:
    """Gather pieces of text into chunks of about a megabyte."""
    gathered = bytearray()
    for piece in text:
        gathered += piece.encode()
        if len(gathered) >= _CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _json(status: int, body: Any, headers: Any = None) -> Response:
    content = json.dumps(body, separators=(",", ":"))
    return Response(content, status, headers, media_type="application/json")
