"""What the API answers, by the names on the wire.

More members may be added: ``raw`` has the whole document, also what this module does not know yet. Amounts are whole numbers: cents
and satoshis.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Type, TypeVar

Document = Dict[str, Any]
T = TypeVar("T", bound="Shape")


def _one(shape: Type[Shape]) -> Any:
    return field(metadata={"read": shape.read})


def _many(shape: Type[Shape]) -> Any:
    return field(metadata={"read": lambda items: [shape.read(item) for item in items]})


@dataclass(frozen=True)
class Shape:
    """A document of the API."""

    #: The document as it came.
    raw: Document = field(repr=False, compare=False)

    @classmethod
    def read(cls: Type[T], document: Document) -> T:
        """Reads a document. A member that is missing is None."""
        values: Document = {"raw": document}
        for member in dataclasses.fields(cls):
            if member.name == "raw":
                continue
            value = document.get(member.name)
            read = member.metadata.get("read")
            values[member.name] = value if read is None or value is None else read(value)
        return cls(**values)


@dataclass(frozen=True)
class Address(Shape):
    address: str


@dataclass(frozen=True)
class Payment(Shape):
    txid: str
    #: Bitcoin, with 8 decimal places.
    value: str
    #: ``seen`` or ``confirmed``.
    state: str
    vout: int
    value_sat: int
    confirmations: int
    first_seen_at: str
    #: The price of one bitcoin when the payment was first seen.
    rate_cents_per_btc: Optional[int]


@dataclass(frozen=True)
class GonePayment(Shape):
    txid: str
    value: str
    state: str
    vout: int
    value_sat: int


@dataclass(frozen=True)
class QuotedRate(Shape):
    cents_per_btc: int
    source: str
    at: str
    spread_bps: int


@dataclass(frozen=True)
class Charge(Shape):
    id: str
    #: ``pending``, ``seen``, ``confirmed``, ``timedout`` or ``failed``.
    state: str
    #: Why it is in this state.
    reason: Optional[str]
    #: Rises with each event. Send it when you cancel or accept.
    sequence: int
    #: Rises each time a charge falls back after it was seen or confirmed.
    round: int
    external_order_id: Optional[str]
    buyer_email: Optional[str]
    fiat_currency: str
    #: A fraction of the reference's own: calculate with ``fiat_price_cents``.
    fiat_price: float
    fiat_price_cents: int
    amount_sat: int
    received_sat: int
    remaining_sat: int
    confirmations: int
    confirmations_required: int
    #: Whether the merchant vouches for the price: created by the API or a signed link.
    price_verified: bool
    #: Whether the order id has charges with different prices, or more than one that received money.
    order_conflict: bool
    #: ``link``, ``signed_link`` or ``api``.
    origin: str
    created_at: str
    expires_at: str
    #: The charge's page: send the shopper there.
    url: str
    metadata: Optional[Document]
    payments_total: int
    gone_payments_total: int
    rate: QuotedRate = _one(QuotedRate)
    addresses: List[Address] = _many(Address)
    payments: List[Payment] = _many(Payment)
    gone_payments: List[GonePayment] = _many(GonePayment)
    #: Money that was seen before the charge was created: it belongs to someone else.
    earlier_payments: List[Payment] = _many(Payment)


@dataclass(frozen=True)
class ChargeList(Shape):
    #: Nearly always empty: ids of charges that belong here, and that the server cannot read. Do not ship for them.
    unreadable: List[str]
    page: int
    next_cursor: Optional[str]
    charges: List[Charge] = _many(Charge)


@dataclass(frozen=True)
class Event(Shape):
    id: str
    #: As in ``charge:confirmed``.
    type: str
    #: The reference's own spelling.
    occured_at: str
    #: The charge as it was then.
    data: Charge = _one(Charge)


@dataclass(frozen=True)
class EventList(Shape):
    #: Where to go on; it is there also at the end, for later.
    next_cursor: str
    has_more: bool
    events: List[Event] = _many(Event)


@dataclass(frozen=True)
class Delivery(Shape):
    """The body of a webhook delivery."""

    delivery_attempt: int
    #: A test names no order: accept it and do nothing.
    test: Optional[bool]
    #: The event that came to be delivered before this one.
    superseded_by: Optional[str]
    event: Event = _one(Event)


@dataclass(frozen=True)
class Rate(Shape):
    fiat_currency: str
    cents_per_btc: int
    source: str
    at: str
    #: How much more than the rate a charge asks for, in hundredths of a percent.
    spread_bps: int


@dataclass(frozen=True)
class Webhook(Shape):
    id: str
    merchant_id: str
    state: str
    url: str
    created_at: str
    #: When deliveries stopped because the receiver answered 410.
    paused_at: Optional[str]
    former_secret_until: Optional[str]
    #: Pending deliveries.
    pending: int
    #: Only in the answer that created it.
    secret: Optional[str] = field(repr=False)


@dataclass(frozen=True)
class WebhookList(Shape):
    webhooks: List[Webhook] = _many(Webhook)


@dataclass(frozen=True)
class WebhookTest(Shape):
    event_id: str
    delivered: bool
    status: Optional[int]
    failure: Optional[str]
    took_ms: int
    excerpt: Optional[str]


@dataclass(frozen=True)
class Redelivery(Shape):
    id: str
    #: How many deliveries start now.
    due: int


@dataclass(frozen=True)
class Attempt(Shape):
    attempt: int
    at: str
    took_ms: int
    status: Optional[int]
    failure: Optional[str]
    excerpt: Optional[str]


@dataclass(frozen=True)
class PastDelivery(Shape):
    number: int
    event_id: str
    type: str
    occured_at: str
    #: ``pending``, ``delivered``, ``given_up`` or ``cancelled``.
    state: str
    next_attempt_at: Optional[str]
    superseded_by: Optional[str]
    attempts: List[Attempt] = _many(Attempt)


@dataclass(frozen=True)
class DeliveryList(Shape):
    next_before: Optional[int]
    deliveries: List[PastDelivery] = _many(PastDelivery)
