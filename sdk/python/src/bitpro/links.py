"""Signed links: payment links whose price and order nobody can edit."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Optional

from .signing import query_of

_MERCHANT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def signed_link(
    server: str,
    merchant_id: str,
    key: str,
    *,
    fiat_price_cents: int,
    fiat_currency: Optional[str] = None,
    external_order_id: Optional[str] = None,
    buyer_email: Optional[str] = None,
    lang: Optional[str] = None,
    exp: Optional[int] = None,
) -> str:
    """A signed link. Values are signed as they are given; what is empty is left out.

    ``key`` is the link key: 64 hexadecimal digits; keep it on your server. ``exp`` is the time from which the link is refused, in
    Unix seconds; by default a day from now. ``lang`` is not signed.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{64}", key):
        raise ValueError("a link key has 64 hexadecimal digits")
    if exp is None:
        exp = int(time.time()) + 86_400
    if not 0 <= exp <= 999_999_999_999:
        raise ValueError("exp is not a time in Unix seconds")
    message = link_message(
        merchant_id,
        exp,
        fiat_price_cents=fiat_price_cents,
        fiat_currency=fiat_currency,
        external_order_id=external_order_id,
        buyer_email=buyer_email,
    )
    query = query_of(
        [
            ("fiat_price_cents", fiat_price_cents),
            ("fiat_currency", fiat_currency or None),
            ("external_order_id", external_order_id or None),
            ("buyer_email", buyer_email or None),
            ("lang", lang or None),
            ("exp", exp),
            ("sig", hmac.new(bytes.fromhex(key), message.encode(), hashlib.sha256).hexdigest()),
        ]
    )
    return f"{server.rstrip('/')}/app/checkout/{merchant_id.lower()}?{query}"


def link_message(
    merchant_id: str,
    exp: int,
    *,
    fiat_price_cents: int,
    fiat_currency: Optional[str] = None,
    external_order_id: Optional[str] = None,
    buyer_email: Optional[str] = None,
) -> str:
    """The message under a link's signature: seven netstrings, ``-,`` for what the link does not have."""
    if not _MERCHANT.fullmatch(merchant_id):
        raise ValueError("the merchant id is not a UUID")
    if isinstance(fiat_price_cents, bool) or not isinstance(fiat_price_cents, int):
        raise TypeError("a price is a whole number of cents")
    covered = [str(fiat_price_cents), fiat_currency, external_order_id, buyer_email]
    values = ["bitpro-link-1", merchant_id.lower(), *covered, str(exp)]
    return "".join(f"{len(value.encode())}:{value}," if value else "-," for value in values)
