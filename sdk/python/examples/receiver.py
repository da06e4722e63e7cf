import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from bitpro import Delivery, WebhookError, verify_webhook

SECRETS = os.environ["WEBHOOK_SECRET"].split()
# Your database: order ids and their prices in cents.
PRICES = json.loads(os.environ["ORDERS"])


def decide(delivery: Delivery) -> str:
    if delivery.test:
        return "test"
    charge = delivery.event.data
    order = charge.external_order_id
    if PRICES.get(order) != charge.fiat_price_cents:
        return f"refuse {order}"
    return f"ship {order}" if charge.state == "confirmed" else f"wait {order}"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            print(decide(verify_webhook(body, self.headers, SECRETS)), flush=True)
            self.send_response(204)
        except WebhookError as error:
            print("refused:", error.code, flush=True)
            self.send_response(401)
        self.end_headers()


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
