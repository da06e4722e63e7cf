"""Client of the merchant API of Bitpro Checkout."""

from .client import Bitpro
from .errors import ApiError, BitproError, ConnectionFailed, UnverifiedAnswer, WebhookError
from .links import link_message, signed_link
from .types import (
    Attempt,
    Charge,
    ChargeList,
    Delivery,
    DeliveryList,
    Event,
    EventList,
    GonePayment,
    PastDelivery,
    Payment,
    QuotedRate,
    Rate,
    Redelivery,
    Webhook,
    WebhookTest,
)
from .webhooks import verify_webhook

__all__ = [
    "ApiError",
    "Attempt",
    "Bitpro",
    "BitproError",
    "Charge",
    "ChargeList",
    "ConnectionFailed",
    "Delivery",
    "DeliveryList",
    "Event",
    "EventList",
    "GonePayment",
    "PastDelivery",
    "Payment",
    "QuotedRate",
    "Rate",
    "Redelivery",
    "UnverifiedAnswer",
    "Webhook",
    "WebhookError",
    "WebhookTest",
    "link_message",
    "signed_link",
    "verify_webhook",
]
__version__ = "0.1.0"
