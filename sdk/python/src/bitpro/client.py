"""The calls of the merchant API."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from .transport import Transport
from .types import (
    Charge,
    ChargeList,
    DeliveryList,
    EventList,
    Rate,
    Redelivery,
    Webhook,
    WebhookList,
    WebhookTest,
)


class Bitpro:
    """A client of one server, with one API key. Threads may share it.

    ``url`` is the server, as in ``https://pay.example``; ``key_id`` and ``secret`` are those of an API key. Options: ``timeout``
    (20 seconds), ``retries`` (2), ``longest_wait`` (20 seconds: a server that asks for a longer pause is not asked again),
    ``allow_http`` (for a server in your own network).
    """

    def __init__(self, url: str, key_id: str, secret: str, **options: Any) -> None:
        self._transport = Transport(url, key_id, secret, **options)
        self.charges = Charges(self._transport)
        self.events = Events(self._transport)
        self.webhooks = Webhooks(self._transport)

    def rate(self) -> Rate:
        """The rate that a charge created now would use."""
        return Rate.read(self._transport.call("GET", "/mapi/rate"))


class Charges:
    """Charges."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        *,
        fiat_price_cents: int,
        fiat_currency: Optional[str] = None,
        external_order_id: Optional[str] = None,
        buyer_email: Optional[str] = None,
        lang: Optional[str] = None,
        success_url: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        window_secs: Optional[int] = None,
        confirmations: Optional[int] = None,
        idempotency_key: Optional[str] = None,
    ) -> Charge:
        """Creates a charge with its own address. Send the shopper to its ``url``.

        ``idempotency_key`` names what is to happen once; give your own to repeat the call yourself.
        """
        body = {
            "fiat_price_cents": fiat_price_cents,
            "fiat_currency": fiat_currency,
            "external_order_id": external_order_id,
            "buyer_email": buyer_email,
            "lang": lang,
            "success_url": success_url,
            "metadata": metadata,
            "window_secs": window_secs,
            "confirmations": confirmations,
        }
        return Charge.read(
            self._transport.call("POST", "/mapi/charges", body=_given(body), idempotency_key=idempotency_key)
        )

    def get(self, id: str) -> Charge:
        """One charge as it is now."""
        return Charge.read(self._transport.call("GET", _charge(id)))

    def cancel(self, id: str, sequence: int, *, idempotency_key: Optional[str] = None) -> Charge:
        """Cancels a charge that nobody has paid. ``sequence`` is the charge's as you saw it."""
        body = {"sequence": sequence}
        return Charge.read(
            self._transport.call("POST", f"{_charge(id)}/cancel", body=body, idempotency_key=idempotency_key)
        )

    def accept(
        self, id: str, sequence: int, payments: Sequence[str], *, idempotency_key: Optional[str] = None
    ) -> Charge:
        """Accepts the named payments (``txid:vout``), whatever their amount and time."""
        body = {"sequence": sequence, "payments": list(payments)}
        return Charge.read(
            self._transport.call("POST", f"{_charge(id)}/accept", body=body, idempotency_key=idempotency_key)
        )

    def page(
        self,
        *,
        state: Optional[str] = None,
        external_order_id: Optional[str] = None,
        created_from: Optional[str] = None,
        created_to: Optional[str] = None,
        per_page: Optional[int] = None,
        cursor: Optional[str] = None,
        page: Optional[int] = None,
    ) -> ChargeList:
        """One page of the charges, newest first; 25 by default, at most 100."""
        query = {
            "state": state,
            "external_order_id": external_order_id,
            "created_from": created_from,
            "created_to": created_to,
            "per_page": per_page,
            "cursor": cursor,
            "page": page,
        }
        return ChargeList.read(self._transport.call("GET", "/mapi/charges", query=_given(query)))

    def pages(self, **query: Any) -> Iterator[ChargeList]:
        """Page after page, by their cursors; parameters are those of :meth:`page`."""
        while True:
            page = self.page(**query)
            yield page
            if page.next_cursor is None:
                return
            query = {**query, "page": None, "cursor": page.next_cursor}

    def list(self, **query: Any) -> Iterator[Charge]:
        """Charge after charge, newest first. :meth:`pages` also names charges that the server cannot read."""
        for page in self.pages(**query):
            yield from page.charges


class Events:
    """The log of events."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def page(self, *, after: Optional[str] = None, per_page: Optional[int] = None) -> EventList:
        """One page, oldest first. Keep ``next_cursor`` and give it as ``after`` next time."""
        query = {"after": after, "per_page": per_page}
        return EventList.read(self._transport.call("GET", "/mapi/events", query=_given(query)))

    def pages(self, *, after: Optional[str] = None, per_page: Optional[int] = None) -> Iterator[EventList]:
        """Page after page, up to now. Keep the ``next_cursor`` of each once its events are handled."""
        while True:
            page = self.page(after=after, per_page=per_page)
            yield page
            if not page.has_more:
                return
            after = page.next_cursor


class Webhooks:
    """Webhooks; they take a key with the scope ``webhooks:write``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> List[Webhook]:
        """All webhooks, oldest first, without their secrets."""
        return WebhookList.read(self._transport.call("GET", "/mapi/webhooks")).webhooks

    def create(self, state: str, url: str, *, idempotency_key: Optional[str] = None) -> Webhook:
        """Adds a webhook. The answer contains the secret that signs deliveries; no other answer does."""
        body = {"state": state, "url": url}
        return Webhook.read(self._transport.call("POST", "/mapi/webhooks", body=body, idempotency_key=idempotency_key))

    def remove(self, id: str, *, idempotency_key: Optional[str] = None) -> Webhook:
        """Removes a webhook and cancels its pending deliveries."""
        return Webhook.read(self._transport.call("DELETE", _webhook(id), idempotency_key=idempotency_key))

    def rotate(self, id: str, overlap_secs: int, *, idempotency_key: Optional[str] = None) -> Webhook:
        """Creates a new secret and shows it. The previous one also signs for ``overlap_secs``."""
        body = {"overlap_secs": overlap_secs}
        return Webhook.read(
            self._transport.call("POST", f"{_webhook(id)}/rotate", body=body, idempotency_key=idempotency_key)
        )

    def test(self, id: str) -> WebhookTest:
        """Sends one test delivery now, and says what happened. It is never repeated by itself."""
        return WebhookTest.read(self._transport.call("POST", f"{_webhook(id)}/test", body={}, once_only=True))

    def redeliver(
        self, id: str, event_id: Optional[str] = None, *, idempotency_key: Optional[str] = None
    ) -> Redelivery:
        """Delivers failed events again, or one event whatever happened to it."""
        body = _given({"event_id": event_id})
        return Redelivery.read(
            self._transport.call("POST", f"{_webhook(id)}/redeliver", body=body, idempotency_key=idempotency_key)
        )

    def deliveries(self, id: str, *, before: Optional[int] = None, per_page: Optional[int] = None) -> DeliveryList:
        """The deliveries of the last 90 days, newest first, with their attempts."""
        query = _given({"before": before, "per_page": per_page})
        return DeliveryList.read(self._transport.call("GET", f"{_webhook(id)}/deliveries", query=query))


def _given(values: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _charge(id: str) -> str:
    return f"/mapi/charges/{_plain(id)}"


def _webhook(id: str) -> str:
    return f"/mapi/webhooks/{_plain(id)}"


def _plain(id: str) -> str:
    """An id that could lead elsewhere must not get into a path that we sign."""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}", id):
        raise ValueError(f"{id!r} is not an id")
    return id
