"""The key that identity tokens are signed with, made anew by each service process."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

#: What Globus Auth signs with.
ALGORITHM = "RS512"
_KEY_ID = "gcompute"


class SigningKey:
    """Signs claims; making the key takes a moment, and waits until it is needed."""

    @cached_property
    def _private(self) -> RSAPrivateKey:
        return generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, claims: dict[str, Any]) -> str:
        """Give an identity token with claims."""
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": _KEY_ID})

    def public(self) -> dict[str, Any]:
        """Give the document by which clients check signatures. Source: RFC 7517."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._private.public_key()))
        return {"keys": [key | {"alg": ALGORITHM, "kid": _KEY_ID, "use": "sig"}]}
