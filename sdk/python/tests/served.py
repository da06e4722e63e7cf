"""What the tests share: the vectors, and a server that is a function."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Union

from bitpro.transport import Answer, Sent

SDK = Path(__file__).resolve().parents[2]
SECRET = "W5PeGMxSItNerkNFqQMfYiJvH14WzVJMy54CPoTAYoI="

Reply = Union[Dict[str, Any], Exception]


def vectors(name: str) -> Any:
    return json.loads((SDK / "vectors" / f"{name}.json").read_text("utf-8"))


def nonce_of(headers: Any) -> str:
    found = re.search('nonce="([^"]*)"', headers["Authorization"])
    assert found
    return found[1]


def signed(headers: Any, body: bytes, secret: bytes = base64.b64decode(SECRET)) -> str:
    """Signs an answer as the server does."""
    text = f"{nonce_of(headers)}\n{headers['X-Authorization-Timestamp']}\n".encode() + body
    return base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()


class Served:
    """A server that is a function of the request and its number; it knows what it saw, and how long the client paused."""

    def __init__(self, answer: Callable[[Sent, int], Reply]) -> None:
        self.seen: List[Sent] = []
        self.pauses: List[float] = []
        self._answer = answer

    def options(self, **more: Any) -> Dict[str, Any]:
        usual = {
            "url": "https://pay.example",
            "key_id": "efdde334-fe7b-11e4-a322-1697f925ec7b",
            "secret": SECRET,
            "now": lambda: 1432075982.7,
            "pause": self.pauses.append,
            "send": self._send,
        }
        return {**usual, **more}

    def _send(self, sent: Sent) -> Answer:
        self.seen.append(sent)
        reply = self._answer(sent, len(self.seen))
        if isinstance(reply, Exception):
            raise reply
        body = reply.get("body", "{}").encode()
        headers = dict(reply.get("headers", {}))
        kind = reply.get("signature", "right")
        if kind != "none":
            secret = base64.b64decode(SECRET) if kind == "right" else bytes([7] * 32)
            headers["x-server-authorization-hmac-sha256"] = signed(sent.headers, body, secret)
        return Answer(reply.get("status", 200), headers, body)
