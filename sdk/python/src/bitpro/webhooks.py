"""Webhook deliveries: genuine or not (Standard Webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from typing import Iterable, List, Mapping, Optional, Union

from .errors import WebhookError
from .types import Delivery


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Union[str, Iterable[str]],
    *,
    tolerance_secs: int = 300,
    now: Optional[float] = None,
) -> Delivery:
    """Verifies a delivery and reads it.

    Give the raw body, before anything has parsed it, and the secret of each webhook that leads to this URL; while you rotate one,
    both. ``headers`` is any mapping of names to values. Raises :class:`WebhookError` when the delivery is not to be believed.
    """
    lower = {str(name).lower(): value for name, value in headers.items()}
    id_, at, given = (lower.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not id_ or not at or not given:
        raise WebhookError("missing-header", "a header of the signature is missing")
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    if not _is_signed(keys, f"{id_}.{at}.".encode() + body, given):
        raise WebhookError("wrong-signature", "no secret of ours made this signature")
    moment = time.time() if now is None else now
    if not re.fullmatch(r"[0-9]{1,12}", at) or abs(moment - int(at)) > tolerance_secs:
        raise WebhookError("stale-timestamp", "the delivery is too old, or one of the clocks is wrong")
    try:
        document = json.loads(body)
        data = document["event"]["data"]
    except (ValueError, TypeError, KeyError):
        data = None
    if not isinstance(data, dict):
        raise WebhookError("malformed-body", "the body is not a delivery")
    return Delivery.read(document)


def _is_signed(keys: List[bytes], message: bytes, given: str) -> bool:
    """All signatures are compared with all keys, so that the time taken tells nothing."""
    found = False
    for key in keys:
        right = b"v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest())
        for signature in given.split(" "):
            found |= hmac.compare_digest(right, signature.encode("utf-8", "surrogateescape"))
    return found


def _key(secret: str) -> bytes:
    text = secret.strip()
    try:
        key = base64.b64decode(text[6:] if text.startswith("whsec_") else text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < 16:
        raise ValueError("a webhook's secret is whsec_ and base64")
    return key
