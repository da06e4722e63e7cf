"""Verifies one delivery with the published package `standardwebhooks`, and one that was changed."""

import json
import os
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

headers = json.loads(os.environ["HEADERS"])
body = open(os.environ["BODY"], "rb").read()
for secret in os.environ["SECRETS"].split():
    Webhook(secret).verify(body, headers)
    try:
        Webhook(secret).verify(body.replace(b"42.0", b"42.1"), headers)
    except WebhookVerificationError:
        continue
    sys.exit("a changed body was taken")
print("verified")
