"""What can go wrong. Every error of this package is a :class:`BitproError`."""

from __future__ import annotations

from typing import Any, Dict, Optional


class BitproError(Exception):
    """The common class."""


class ApiError(BitproError):
    """The server has refused. Branch on ``code``, which is stable; the message may change."""

    def __init__(self, status: int, problem: Dict[str, Any], retry_after: Optional[int], signed: bool) -> None:
        self.status = status
        #: What is wrong, in kebab-case, as in ``out-of-bounds``.
        self.code: str = problem["code"]
        self.title: str = problem.get("title") or ""
        #: Names the request: quote it to the operator.
        self.request_id: Optional[str] = problem.get("request_id")
        #: The field or parameter that is wrong.
        self.field: Optional[str] = problem.get("field")
        #: When to come back, in seconds.
        self.retry_after = retry_after
        #: Whether the server vouches for the answer. It cannot where it does not know the key, as for ``signature-invalid``.
        self.signed = signed
        #: The whole document, with members that only some problems have.
        self.problem = problem
        request = f" (request {self.request_id})" if self.request_id else ""
        super().__init__(f"{status} {self.code}: {self.title}{request}")


class ConnectionFailed(BitproError):
    """No answer came. Whether the request was carried out is not known: ask again with the same idempotency key."""


class UnverifiedAnswer(BitproError):
    """An answer came that the server has not signed: it may be of anyone, so it is not shown."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the answer (status {status}) is not signed by the server")


class WebhookError(BitproError):
    """A webhook delivery that is not to be believed. Answer it with 401 and do nothing else.

    ``code`` is ``missing-header``, ``wrong-signature``, ``stale-timestamp`` or ``malformed-body``.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)
