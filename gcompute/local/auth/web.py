"""Globus Auth over HTTP: forms and tokens in, JSON, pages and redirections out.

The paths are those of Globus Auth, at the root of the web service's own address, as
``GLOBUS_SDK_SERVICE_URL_AUTH`` gives ``globus_sdk`` nothing but an address. A login page sends a
code only to this service's own page, which shows it, or to an address on this machine.
"""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from . import failures
from .codes import Authorization
from .failures import AuthFailure
from .service import AuthService
from .signing import ALGORITHM

_SHOW_CODE = "/v2/web/auth-code"
#: No form of these requests comes near it, in bytes.
_MOST_FORM_BYTES = 64 * 1024

_Answer = Callable[[AuthService, Request], Awaitable[Response]]


def auth_routes(auth: AuthService) -> list[Route]:
    """Give the routes of Globus Auth."""
    known: list[tuple[str, str, _Answer]] = [
        ("GET", "/.well-known/openid-configuration", _configuration),
        ("GET", "/jwk.json", _keys),
        ("GET", "/v2/oauth2/authorize", _login_page),
        ("POST", "/v2/oauth2/authorize", _log_in),
        ("GET", _SHOW_CODE, _show_code),
        ("POST", "/v2/oauth2/token", _tokens),
        ("POST", "/v2/oauth2/token/revoke", _revoke),
        ("GET", "/v2/oauth2/userinfo", _userinfo),
        ("GET", "/v2/api/identities", _identities),
    ]
    return [
        Route(path, _endpoint(auth, answer), methods=[method]) for method, path, answer in known
    ]


def _endpoint(auth: AuthService, answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(auth, request)
        except AuthFailure as failure:
            return _json(failure.body(), failure.http_status)

    return endpoint


# -- tokens and identities --------------------------------------------------------------------


async def _tokens(auth: AuthService, request: Request) -> Response:
    form = await _form(request)
    return _json(auth.tokens(form, _basic(request), _issuer(request), time.time()))


async def _revoke(auth: AuthService, request: Request) -> Response:
    auth.revoke(await _form(request), _basic(request))
    return _json({"active": False})


async def _userinfo(auth: AuthService, request: Request) -> Response:
    return _json(auth.userinfo(_bearer(request), time.time()))


async def _identities(auth: AuthService, request: Request) -> Response:
    ids = request.query_params.get("ids", "").split(",")
    return _json(auth.identities(_bearer(request), ids, time.time()))


async def _configuration(auth: AuthService, request: Request) -> Response:
    issuer = _issuer(request)
    return _json(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/v2/oauth2/authorize",
            "token_endpoint": f"{issuer}/v2/oauth2/token",
            "revocation_endpoint": f"{issuer}/v2/oauth2/token/revoke",
            "userinfo_endpoint": f"{issuer}/v2/oauth2/userinfo",
            "jwks_uri": f"{issuer}/jwk.json",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }
    )


async def _keys(auth: AuthService, request: Request) -> Response:
    return _json(auth.key.public())


# -- the pages of a person --------------------------------------------------------------------


async def _login_page(auth: AuthService, request: Request) -> Response:
    _authorization(auth, request)
    return _page(_FORM)


async def _log_in(auth: AuthService, request: Request) -> Response:
    authorization = _authorization(auth, request)
    form = await _form(request)
    try:
        code = auth.authorize(authorization, form.get("token", ""), time.time())
    except AuthFailure as failure:
        return _page(f"<p>{html.escape(str(failure))}</p>{_FORM}", failure.http_status)
    answer = {"code": code}
    if authorization.state is not None:
        answer["state"] = authorization.state
    return RedirectResponse(f"{authorization.redirect_uri}?{urlencode(answer)}", 303)


async def _show_code(auth: AuthService, request: Request) -> Response:
    code = html.escape(request.query_params.get("code", ""))
    return _page(f"<p>Authorization code:</p><p><code>{code}</code></p>")


def _authorization(auth: AuthService, request: Request) -> Authorization:
    """Read a request to log in.

    Raises:
        AuthFailure: it is not one; nothing may be sent to the address that it names.
    """
    query = request.query_params
    client_id = auth.check_client(dict(query), None)
    redirect_uri = query.get("redirect_uri", "")
    if not _is_of_this_machine(redirect_uri, request.url.netloc):
        raise failures.invalid_request("the redirect_uri is no address of this machine")
    if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
        raise failures.invalid_request("only codes with a challenge of method S256 are given")
    return Authorization(
        client_id=client_id,
        redirect_uri=redirect_uri,
        scope=query.get("scope", ""),
        challenge=query.get("code_challenge", ""),
        state=query.get("state"),
        offline=query.get("access_type") == "offline",
        policies=frozenset(filter(None, query.get("session_required_policies", "").split(","))),
    )


def _is_of_this_machine(redirect_uri: str, own_netloc: str) -> bool:
    """Tell whether a code may be sent to an address."""
    try:
        target = urlsplit(redirect_uri)
        # A port that is none shows only when it is asked for.
        told, _ = target.hostname, target.port
    except ValueError:
        return False
    here = target.netloc == own_netloc and target.path == _SHOW_CODE
    on_this_machine = told in ("localhost", "127.0.0.1", "::1")
    plain = target.scheme == "http" and not target.query and not target.fragment
    return plain and (here or on_this_machine)


_FORM = (
    '<form method="post"><label>Your token of the local service: '
    '<input type="password" name="token" autofocus></label> <button>Log in</button></form>'
)


def _page(content: str, status: int = 200) -> Response:
    title = "gcompute local service"
    text = f"<!doctype html><title>{title}</title><h1>{title}</h1>{content}"
    # The address of a page may have a code in it, which is nobody else's to know.
    return HTMLResponse(text, status, {"referrer-policy": "no-referrer"})


# -- reading requests -------------------------------------------------------------------------


def _issuer(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            raise AuthFailure(413, "invalid_request", "the form is too long")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError as error:
        raise failures.invalid_request("the body is no form") from error


def _basic(request: Request) -> tuple[str, str] | None:
    """Give id and secret of the client, where the request has them in its header."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as error:
        raise failures.invalid_client() from error
    return client_id, secret


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise failures.invalid_token()
    return token.strip()


def _json(body: object, status: int = 200) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(json.dumps(body), status, headers, media_type="application/json")
