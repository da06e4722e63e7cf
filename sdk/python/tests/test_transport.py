"""Calls: repeated where that is safe, and only believed where the server vouches for them."""

import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Iterator
from contextlib import contextmanager

from bitpro import Bitpro, ConnectionFailed, UnverifiedAnswer

from .served import SECRET, Served, nonce_of, signed

LOST = ConnectionResetError("lost")


class Repetitions(unittest.TestCase):
    def test_a_lost_answer_is_asked_for_again_with_the_same_idempotency_key_signed_anew(self) -> None:
        served = Served(lambda sent, count: LOST if count < 3 else {"body": '{"id":"one"}'})
        charge = Bitpro(**served.options()).charges.create(fiat_price_cents=4200)
        self.assertEqual(charge.id, "one")
        self.assertEqual(len({sent.headers["Idempotency-Key"] for sent in served.seen}), 1)
        self.assertEqual(len({nonce_of(sent.headers) for sent in served.seen}), 3)
        first, second = served.pauses
        self.assertTrue(0.5 <= first <= 0.75 and 1 <= second <= 1.5, served.pauses)

    def test_the_callers_own_idempotency_key_is_sent_and_reading_has_none(self) -> None:
        served = Served(lambda sent, count: {})
        client = Bitpro(**served.options())
        client.charges.create(fiat_price_cents=4200, idempotency_key="order-7")
        client.charges.get("one")
        self.assertEqual([sent.headers.get("Idempotency-Key") for sent in served.seen], ["order-7", None])

    def test_a_lost_answer_ends_as_one_after_the_last_repetition(self) -> None:
        served = Served(lambda sent, count: LOST)
        with self.assertRaises(ConnectionFailed) as caught:
            Bitpro(**served.options(retries=1)).rate()
        self.assertIs(caught.exception.__cause__, LOST)
        self.assertEqual(len(served.seen), 2)

    def test_a_test_delivery_is_never_sent_twice_by_itself(self) -> None:
        served = Served(lambda sent, count: LOST if count == 1 else {})
        with self.assertRaises(ConnectionFailed):
            Bitpro(**served.options()).webhooks.test("one")
        self.assertEqual(len(served.seen), 1)


class Lists(unittest.TestCase):
    def test_lists_go_on_at_their_cursor_and_end_without_one(self) -> None:
        pages = [
            {"charges": [{"id": "c"}, {"id": "b"}], "next_cursor": "n1"},
            {"charges": [{"id": "a"}], "next_cursor": None},
        ]
        served = Served(lambda sent, count: {"body": json.dumps(pages[count - 1])})
        listed = Bitpro(**served.options()).charges.list(page=1, per_page=2, state="seen")
        self.assertEqual([charge.id for charge in listed], ["c", "b", "a"])
        self.assertEqual(
            [sent.target.split("?")[1] for sent in served.seen],
            ["state=seen&per_page=2&page=1", "state=seen&per_page=2&cursor=n1"],
        )

    def test_the_log_of_events_goes_on_until_there_is_no_more(self) -> None:
        pages = [
            {"events": [{"id": "1"}], "next_cursor": "n1", "has_more": True},
            {"events": [], "next_cursor": "n1", "has_more": False},
        ]
        served = Served(lambda sent, count: {"body": json.dumps(pages[count - 1])})
        read = Bitpro(**served.options()).events.pages(after="n0")
        self.assertEqual([page.next_cursor for page in read], ["n1", "n1"])
        self.assertEqual([sent.target.split("?")[1] for sent in served.seen], ["after=n0", "after=n1"])


class Refusals(unittest.TestCase):
    def test_addresses_secrets_and_ids_that_lead_elsewhere_are_refused(self) -> None:
        served = Served(lambda sent, count: {})
        for url in (
            "http://pay.example",
            "ftp://pay.example",
            "https://pay.example/shop",
            "https://user@pay.example",
            "https://pay.example?x",
            "pay.example",
        ):
            with self.assertRaises(ValueError, msg=url):
                Bitpro(**served.options(url=url))
        for url in ("http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080", "https://pay.example/"):
            Bitpro(**served.options(url=url))
        Bitpro(**served.options(url="http://bitpro:8080", allow_http=True))
        for secret in ("", "short", "not base64 at all, but quite long!"):
            with self.assertRaises(ValueError, msg=secret):
                Bitpro(**served.options(secret=secret))
        for id in ("", "../webhooks", "a/b", "a?b", "ä", "a\n"):
            with self.assertRaises(ValueError, msg=id):
                Bitpro(**served.options()).charges.get(id)

    def test_a_secret_is_not_shown_when_a_webhook_is_printed(self) -> None:
        served = Served(lambda sent, count: {"body": '{"id":"one","secret":"whsec_hidden"}'})
        webhook = Bitpro(**served.options()).webhooks.create("charge:confirmed", "https://shop.example/hooks")
        self.assertEqual(webhook.secret, "whsec_hidden")
        self.assertNotIn("hidden", repr(webhook))


@contextmanager
def on_network(handle: Callable[[Any, int], Any]) -> Iterator[Any]:
    """A client of a server on this machine; what ``handle`` gives is signed and sent."""
    count = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            count[0] += 1
            body = handle(self, count[0])
            if body is None:
                return
            self.send_response(200)
            self.send_header("X-Server-Authorization-HMAC-SHA256", signed(self.headers, body))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Bitpro(url, "id", SECRET, timeout=5, pause=lambda _: None), count
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Network(unittest.TestCase):
    def test_an_answer_that_breaks_off_is_asked_for_again(self) -> None:
        def handle(request: Any, count: int) -> Any:
            if count > 1:
                return b'{"cents_per_btc":5000000}'
            request.wfile.write(b"HTTP/1.0 200 OK\r\ncontent-length: 100\r\n\r\n{")
            return None

        with on_network(handle) as (client, count):
            self.assertEqual(client.rate().cents_per_btc, 5_000_000)
            self.assertEqual(count, [2])

    def test_redirects_are_not_followed_and_hosts_carry_their_port(self) -> None:
        hosts = []

        def handle(request: Any, count: int) -> Any:
            hosts.append(request.headers["Host"])
            request.wfile.write(b"HTTP/1.0 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")
            return None

        with on_network(handle) as (client, count):
            with self.assertRaises(UnverifiedAnswer):
                client.rate()
            self.assertEqual(count, [1])
        self.assertRegex(hosts[0], r"^127\.0\.0\.1:\d+$")

    def test_nobody_at_the_address_is_a_connection_that_failed(self) -> None:
        with on_network(lambda request, count: b"{}") as (client, _):
            pass
        with self.assertRaises(ConnectionFailed):
            client.rate()
