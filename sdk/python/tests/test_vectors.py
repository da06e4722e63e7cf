"""The conformance vectors that all SDKs share."""

import dataclasses
import inspect
import json
import unittest

import bitpro
from bitpro import ApiError, Bitpro, UnverifiedAnswer, WebhookError, link_message, signed_link, types, verify_webhook
from bitpro.errors import BitproError
from bitpro.signing import (
    SignedParts,
    authorization,
    content_hash,
    is_answer_genuine,
    query_of,
    secret_bytes,
    string_to_sign,
)
from bitpro.transport import Transport

from .served import SDK, Served, nonce_of, vectors


class Vectors(unittest.TestCase):
    def test_requests_are_signed_as_the_vectors_say(self) -> None:
        whole = vectors("requests")
        self.assertGreaterEqual(len(whole["vectors"]), 9)
        for one in whole["vectors"]:
            with self.subTest(one["says"]):
                body = None if one["body"] is None else one["body"].encode()
                query = query_of(one["parameters"])
                self.assertEqual(query, one["query"])
                parts = SignedParts(
                    one["method"],
                    one["host"],
                    one["path"],
                    query,
                    whole["id"],
                    whole["nonce"],
                    whole["timestamp"],
                    body,
                    one["realm"],
                )
                self.assertEqual(string_to_sign(parts), one["string_to_sign"])
                self.assertEqual(authorization(secret_bytes(whole["secret"]), parts), one["authorization"])
                if body:
                    self.assertEqual(content_hash(body), one["content_sha256"])

    def test_what_is_sent_is_what_was_signed(self) -> None:
        whole = vectors("requests")
        for one in whole["vectors"]:
            if one["realm"] != "Bitpro":
                continue
            with self.subTest(one["says"]):
                served = Served(lambda sent, count: {})
                body = None if one["body"] is None else json.loads(one["body"])
                transport = Transport(**served.options(url=one["url"], key_id=whole["id"]))
                transport.call(one["method"], one["path"], query=dict(one["parameters"]), body=body)
                [sent] = served.seen
                self.assertEqual(sent.origin, f"{one['url'].split('://')[0]}://{one['host']}")
                self.assertEqual(sent.target, one["path"] + (f"?{one['query']}" if one["query"] else ""))
                self.assertEqual(sent.headers["Host"], one["host"])
                self.assertEqual(sent.body, None if one["body"] is None else one["body"].encode())
                nonce = nonce_of(sent.headers)
                self.assertRegex(nonce, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
                parts = SignedParts(
                    one["method"],
                    one["host"],
                    one["path"],
                    one["query"],
                    whole["id"],
                    nonce,
                    whole["timestamp"],
                    sent.body,
                )
                self.assertEqual(
                    sent.headers["Authorization"], authorization(secret_bytes(whole["secret"]), parts)
                )

    def test_answers_are_believed_as_the_vectors_say(self) -> None:
        whole = vectors("answers")
        secret = secret_bytes(whole["secret"])
        for one in whole["vectors"]:
            with self.subTest(one["says"]):
                body = one["body"].encode()
                found = is_answer_genuine(secret, one["nonce"], one["timestamp"], body, one["signature"])
                self.assertEqual(found, one["genuine"])

    def test_problems_become_errors_as_the_vectors_say(self) -> None:
        whole = vectors("errors")
        for one in whole["vectors"]:
            with self.subTest(one["says"]):
                served = Served(lambda sent, count: one)
                transport = Transport(**served.options(longest_wait=whole["longest_wait_secs"]))
                with self.assertRaises(BitproError) as caught:
                    transport.call("POST", "/mapi/charges", body={})
                error, wanted = caught.exception, one["error"]
                if wanted["kind"] == "api":
                    assert isinstance(error, ApiError)
                    for name in ("status", "code", "title", "request_id", "field", "retry_after", "signed"):
                        self.assertEqual(getattr(error, name), wanted[name])
                    self.assertEqual(error.problem, json.loads(one["body"]))
                else:
                    assert isinstance(error, UnverifiedAnswer)
                    self.assertEqual(error.status, wanted["status"])
                self.assertEqual(len(served.seen), 3 if one["repeated"] else 1)
                if one["repeated"] and wanted.get("retry_after"):
                    self.assertEqual(served.pauses, [wanted["retry_after"]] * 2)

    def test_deliveries_are_verified_as_the_vectors_say(self) -> None:
        whole = vectors("webhooks")
        for one in whole["vectors"]:
            with self.subTest(one["says"]):
                headers = {name.title(): value for name, value in one["headers"].items()}
                try:
                    delivery = verify_webhook(
                        one["body"].encode(),
                        headers,
                        one["secrets"],
                        tolerance_secs=whole["tolerance_secs"],
                        now=one["now"],
                    )
                    found = "genuine"
                    self.assertEqual(delivery.raw, json.loads(one["body"]))
                    self.assertTrue(delivery.test)
                    self.assertEqual(delivery.event.data.fiat_price_cents, 0)
                except WebhookError as error:
                    found = error.code
                self.assertEqual(found, one["outcome"])

    def test_links_are_signed_as_the_vectors_say(self) -> None:
        whole = vectors("links")
        self.assertGreaterEqual(len(whole["vectors"]), 11)
        for one in whole["vectors"]:
            with self.subTest(one["says"]):
                covered = {
                    name: one[name]
                    for name in ("fiat_price_cents", "fiat_currency", "external_order_id", "buyer_email")
                }
                self.assertEqual(link_message(one["merchant_id"], one["exp"], **covered), one["message"])
                link = signed_link(
                    whole["server"], one["merchant_id"], whole["key"], lang=one["lang"], exp=one["exp"], **covered
                )
                self.assertEqual(link, one["url"])

    def test_every_call_of_the_api_is_there(self) -> None:
        lists = '{"webhooks":[],"charges":[],"events":[],"deliveries":[],"next_cursor":null}'
        served = Served(lambda sent, count: {"body": lists})
        client = Bitpro(**served.options())
        client.charges.page()
        client.charges.create(fiat_price_cents=4200)
        client.charges.get("ID")
        client.charges.cancel("ID", 0)
        client.charges.accept("ID", 3, ["5e:0"])
        client.events.page()
        client.rate()
        client.webhooks.list()
        client.webhooks.create("charge:confirmed", "https://shop.example/hooks")
        client.webhooks.remove("ID")
        client.webhooks.rotate("ID", 0)
        client.webhooks.test("ID")
        client.webhooks.redeliver("ID")
        client.webhooks.deliveries("ID")
        called = [f"{sent.method} {sent.target.replace('ID', '{id}')}" for sent in served.seen]
        self.assertEqual(called, [f"{call['method']} {call['path']}" for call in vectors("shapes")["calls"]])

    def test_every_member_of_the_apis_documents_has_its_attribute(self) -> None:
        whole = vectors("shapes")
        for name, shape in whole["shapes"].items():
            if name == "Problem":
                continue
            kind = types.PastDelivery if name == "Delivery" else getattr(types, name)
            members = [one.name for one in dataclasses.fields(kind) if one.name != "raw"]
            self.assertEqual(sorted(members), sorted(shape["members"]), name)
        parameters = {
            "listCharges": bitpro.client.Charges.page,
            "listEvents": bitpro.client.Events.page,
            "listDeliveries": bitpro.client.Webhooks.deliveries,
            "createCharge": bitpro.client.Charges.create,
        }
        for call in whole["calls"]:
            if call["name"] in parameters:
                known = set(inspect.signature(parameters[call["name"]]).parameters) - {"self", "id", "idempotency_key"}
                self.assertEqual(known, set(call["query"] + (call["body"] or [])), call["name"])

    def test_the_readmes_programs_are_the_examples_that_are_run_against_the_server(self) -> None:
        readme = (SDK / "python/README.md").read_text("utf-8")
        for name in ("quickstart", "receiver", "link"):
            example = (SDK / f"python/examples/{name}.py").read_text("utf-8")
            self.assertIn(f"```python\n{example}```\n", readme, name)
