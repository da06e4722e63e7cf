"""What is signed, and how: Acquia HTTP HMAC 2.0."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Iterable, NamedTuple, Optional, Tuple
from urllib.parse import quote

#: What every request to a Bitpro server is signed for.
REALM = "Bitpro"


class SignedParts(NamedTuple):
    """The parts of a request that its signature covers, as they are sent."""

    method: str
    #: With its port, if the address has one that is not its scheme's own.
    host: str
    path: str
    #: Without its question mark; empty without one.
    query: str
    id: str
    nonce: str
    #: Unix seconds.
    timestamp: str
    body: Optional[bytes] = None
    realm: str = REALM


def escape(text: str) -> str:
    """Percent-encodes every byte but the unreserved characters of RFC 3986: the query is signed as it is sent."""
    return quote(text, safe="")


def query_of(parameters: Iterable[Tuple[str, object]]) -> str:
    """A query string of these parameters, in their order. What is None is left out."""
    return "&".join(f"{escape(name)}={escape(str(value))}" for name, value in parameters if value is not None)


def secret_bytes(secret: str) -> bytes:
    """The secret's bytes."""
    try:
        secret_ = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        secret_ = b""
    if len(secret_) < 16:
        raise ValueError("the secret is not the base64 that the dashboard shows for an API key")
    return secret_


def content_hash(body: bytes) -> str:
    """The value of ``X-Authorization-Content-SHA256``."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def string_to_sign(parts: SignedParts) -> str:
    """The text under the signature."""
    lines = [
        parts.method.upper(),
        parts.host.lower(),
        parts.path,
        parts.query,
        f"id={escape(parts.id)}&nonce={escape(parts.nonce)}&realm={escape(parts.realm)}&version=2.0",
        parts.timestamp,
    ]
    if parts.body:
        lines += ["application/json", content_hash(parts.body)]
    return "\n".join(lines)


def authorization(secret: bytes, parts: SignedParts) -> str:
    """The value of ``Authorization``."""
    values = {
        "realm": parts.realm,
        "id": parts.id,
        "nonce": parts.nonce,
        "version": "2.0",
        "headers": "",
        "signature": _sign(secret, string_to_sign(parts).encode()),
    }
    return "acquia-http-hmac " + ",".join(f'{name}="{escape(value)}"' for name, value in values.items())


def is_answer_genuine(secret: bytes, nonce: str, timestamp: str, body: bytes, signature: str) -> bool:
    """Whether ``signature``, the value of ``X-Server-Authorization-HMAC-SHA256``, is the server's of this answer to this request."""
    right = _sign(secret, f"{nonce}\n{timestamp}\n".encode() + body)
    return hmac.compare_digest(right.encode(), signature.encode())


def _sign(secret: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
