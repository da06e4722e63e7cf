import { createServer } from "node:http";
import { verifyWebhook, WebhookError } from "bitpro-checkout";

const secrets = process.env.WEBHOOK_SECRET.split(" ");
// Your database: order ids and their prices in cents.
const prices = new Map(Object.entries(JSON.parse(process.env.ORDERS)));

function decide({ test, event }) {
  if (test) return "test";
  const charge = event.data;
  if (prices.get(charge.external_order_id) !== charge.fiat_price_cents) return `refuse ${charge.external_order_id}`;
  return charge.state === "confirmed" ? `ship ${charge.external_order_id}` : `wait ${charge.external_order_id}`;
}

const server = createServer(async (request, response) => {
  const chunks = await request.toArray();
  try {
    console.log(decide(verifyWebhook(Buffer.concat(chunks), request.headers, secrets)));
    response.writeHead(204).end();
  } catch (error) {
    if (!(error instanceof WebhookError)) throw error;
    console.log("refused:", error.code);
    response.writeHead(401).end();
  }
});
server.listen(Number(process.env.PORT), "127.0.0.1");
