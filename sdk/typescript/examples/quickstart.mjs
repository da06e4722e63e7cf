import { ApiError, Bitpro } from "bitpro-checkout";

const { BITPRO_URL, BITPRO_ID, BITPRO_SECRET, ORDER_ID } = process.env;
const bitpro = new Bitpro({ url: BITPRO_URL, keyId: BITPRO_ID, secret: BITPRO_SECRET });

// A charge of EUR 42.00. With the order's id as its idempotency key there is one charge, however often this runs.
const order = { fiat_price_cents: 4200, external_order_id: ORDER_ID };
const charge = await bitpro.charges.create(order, { idempotencyKey: ORDER_ID });
console.log("send the shopper to", charge.url);

// Before you ship: state, order and price, as the server says.
const now = await bitpro.charges.get(charge.id);
console.log("order", now.external_order_id, "of", now.fiat_price_cents, "cents is", now.state);

// All charges, newest first, page after page.
for await (const one of bitpro.charges.list({ per_page: 2 })) {
  console.log("listed", one.id);
}

// What the server refuses has a stable code.
try {
  await bitpro.charges.create({ fiat_price_cents: 0 });
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  console.log("refused:", error.code);
}
