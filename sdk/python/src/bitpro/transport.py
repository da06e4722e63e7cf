"""One call: signed, sent, verified, and repeated where that is safe."""

from __future__ import annotations

import http.client
import json
import random
import re
import ssl
import time
import uuid
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional
from urllib.parse import urlsplit

from .errors import ApiError, BitproError, ConnectionFailed, UnverifiedAnswer
from .signing import SignedParts, authorization, content_hash, is_answer_genuine, query_of, secret_bytes

MEDIA_TYPE = "application/vnd.bitpro-mapi-20180503+json"
#: The first pause before a repetition, in seconds; each further one is twice as long.
FIRST_PAUSE = 0.5


class Sent(NamedTuple):
    """A request as it goes out."""

    method: str
    #: As in ``https://pay.example``.
    origin: str
    #: Path and query.
    target: str
    headers: Dict[str, str]
    body: Optional[bytes]


class Answer(NamedTuple):
    """An answer as it comes in; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


#: Sends a request. It raises OSError or http.client.HTTPException when no answer comes, and follows no redirect.
Sender = Callable[[Sent], Answer]


class Transport:
    """The way to one server, with one key."""

    def __init__(
        self,
        url: str,
        key_id: str,
        secret: str,
        *,
        timeout: float = 20.0,
        retries: int = 2,
        longest_wait: float = 20.0,
        allow_http: bool = False,
        send: Optional[Sender] = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        address = urlsplit(url)
        is_local = address.hostname in ("localhost", "127.0.0.1", "::1")
        if address.scheme != "https" and not (address.scheme == "http" and (is_local or allow_http)):
            raise ValueError(f"{url} is not https; for a server in your own network, set allow_http")
        if not address.hostname or address.path not in ("", "/") or address.query or address.fragment or address.username:
            raise ValueError(f"{url} is not an origin such as https://pay.example")
        self._host = _host(address.scheme, address.hostname, address.port)
        self._origin = f"{address.scheme}://{self._host}"
        self._key_id = key_id
        self._secret = secret_bytes(secret)
        self._retries = retries
        self._longest_wait = longest_wait
        self._send = send or _Network(timeout)
        self._now = now
        self._pause = pause

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, object]] = None,
        body: Optional[Mapping[str, Any]] = None,
        idempotency_key: Optional[str] = None,
        once_only: bool = False,
    ) -> Dict[str, Any]:
        """Carries out a call. ``once_only`` says that a repetition could do something twice."""
        text = query_of((query or {}).items())
        document = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        if method != "GET" and idempotency_key is None:
            idempotency_key = str(uuid.uuid4())
        attempt = 0
        while True:
            try:
                return self._once(method, path, text, document, idempotency_key)
            except BitproError as error:
                wait = _pause_before(error, attempt, once_only)
                if wait is None or attempt >= self._retries or wait > self._longest_wait:
                    raise
            attempt += 1
            self._pause(wait)

    def _once(
        self, method: str, path: str, query: str, body: Optional[bytes], idempotency_key: Optional[str]
    ) -> Dict[str, Any]:
        """Each attempt has a nonce and a time of its own."""
        nonce, timestamp = str(uuid.uuid4()), str(int(self._now()))
        parts = SignedParts(method, self._host, path, query, self._key_id, nonce, timestamp, body)
        headers = {
            "Host": self._host,
            "Accept": MEDIA_TYPE,
            "Accept-Encoding": "identity",
            "Authorization": authorization(self._secret, parts),
            "X-Authorization-Timestamp": timestamp,
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
            headers["X-Authorization-Content-SHA256"] = content_hash(body)
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        target = f"{path}?{query}" if query else path
        try:
            answer = self._send(Sent(method, self._origin, target, headers, body))
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed(f"{method} {path}: no answer: {error}") from error
        signature = answer.headers.get("x-server-authorization-hmac-sha256")
        if signature is not None and not is_answer_genuine(self._secret, nonce, timestamp, answer.body, signature):
            raise _ForgedAnswer(answer.status)
        return _read(answer, signature is not None)


class _ForgedAnswer(UnverifiedAnswer):
    """Signed, but not by the server: it is told like an answer without a signature, and never repeated."""


class _Network:
    """A connection for each request, so that one client can serve all threads."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._tls: Optional[ssl.SSLContext] = None

    def __call__(self, sent: Sent) -> Answer:
        address = urlsplit(sent.origin)
        host = address.hostname or ""
        connection: http.client.HTTPConnection
        if address.scheme == "https":
            self._tls = self._tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, address.port, timeout=self._timeout, context=self._tls)
        else:
            connection = http.client.HTTPConnection(host, address.port, timeout=self._timeout)
        try:
            connection.request(sent.method, sent.target, body=sent.body, headers=sent.headers)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, headers, answer.read())
        finally:
            connection.close()


def _host(scheme: str, name: str, port: Optional[int]) -> str:
    name = f"[{name}]" if ":" in name else name
    usual = 443 if scheme == "https" else 80
    return name if port in (None, usual) else f"{name}:{port}"


def _pause_before(error: BitproError, attempt: int, once_only: bool) -> Optional[float]:
    """How long to wait before the same is asked again; None when it must not be."""
    usual = FIRST_PAUSE * 2**attempt * (1 + random.random() / 2)
    if isinstance(error, ApiError):
        if error.status == 429 and error.retry_after is not None:
            return error.retry_after
        if error.status == 503 and not once_only:
            return usual if error.retry_after is None else error.retry_after
        return None
    is_lost = isinstance(error, ConnectionFailed)
    is_proxys = isinstance(error, UnverifiedAnswer) and error.status in (502, 503, 504)
    is_proxys = is_proxys and not isinstance(error, _ForgedAnswer)
    return usual if (is_lost or is_proxys) and not once_only else None


def _read(answer: Answer, is_signed: bool) -> Dict[str, Any]:
    if 200 <= answer.status < 300:
        if not is_signed:
            raise UnverifiedAnswer(answer.status)
        return _object(answer.body) or {}
    kind = answer.headers.get("content-type", "")
    problem = _object(answer.body) if kind.startswith("application/problem+json") else None
    if problem is None or not isinstance(problem.get("code"), str):
        if not is_signed:
            raise UnverifiedAnswer(answer.status)
        raise BitproError(f"status {answer.status} without a problem's document")
    seconds = answer.headers.get("retry-after", "")
    retry_after = int(seconds) if re.fullmatch(r"[0-9]{1,9}", seconds) else None
    raise ApiError(answer.status, problem, retry_after, is_signed)


def _object(body: bytes) -> Optional[Dict[str, Any]]:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
