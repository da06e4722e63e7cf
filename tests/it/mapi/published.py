"""Lists and makes a charge by the published client, and checks that it takes the answers' signatures."""
import json
import os
import uuid

import httphmac

url, key, secret = (os.environ[name] for name in ("BITPRO_URL", "BITPRO_ID", "BITPRO_SECRET"))
signer = httphmac.V2Signer()


def ask(method, path, body=None):
    request = httphmac.Request().with_method(method).with_url(url + path).with_time()
    if body is not None:
        request.with_json_body(body)
    who = {"id": key, "nonce": str(uuid.uuid4()), "realm": "Bitpro", "version": "2.0"}
    signer.sign_direct(request, who, secret)
    answer = request.do()
    assert answer.ok, answer.text
    assert signer.get_response_signer().check(request, answer, secret), "the answer's signature is not taken"
    return answer.json()


made = ask("POST", "/mapi/charges", {"fiat_price_cents": 4200, "external_order_id": "published"})
listed = ask("GET", "/mapi/charges?page=1")
print(json.dumps({"made": made["id"], "listed": [charge["id"] for charge in listed["charges"]]}))
