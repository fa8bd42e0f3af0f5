"""The certificates that requests trust: read once for all clients of a process.

httpx reads its file of authorities for each client anew, which takes longer than a request does.
It also knows fewer variables than ``requests``, which sends the official SDK's requests and the
logins of both: at a site that looks into TLS, what worked there has to work here.
"""

from __future__ import annotations

import functools
import ssl
from pathlib import Path

import httpx

from gcompute import environment
from gcompute.errors import ServiceUnreachable


def trusted(url: httpx.URL) -> ssl.SSLContext:
    """Give what connections to a service trust.

    Raises:
        ServiceUnreachable: what a variable names cannot be read; it is named.
    """
    if url.scheme == "http" and environment.proxy_for(url.scheme, url.host) is None:
        return _nobody()
    variable, path = environment.certificates() or ("", "")
    try:
        return _authorities(variable, path)
    except OSError as error:
        raise ServiceUnreachable(
            f"no connection to {url.copy_with(userinfo=b'')}: the certificates that {variable} "
            f"names cannot be read from {path}: {error.strerror or error}; correct it, or unset it",
            url=str(url.copy_with(userinfo=b"")),
            sent=False,
        ) from error


@functools.cache
def _nobody() -> ssl.SSLContext:
    """What a service without TLS needs: no authorities, so that none is believed either."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@functools.lru_cache(maxsize=4)
def _authorities(variable: str, path: str) -> ssl.SSLContext:
    if not variable:
        return httpx.create_ssl_context(trust_env=False)
    if Path(path).is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)
