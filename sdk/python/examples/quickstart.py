import os

from bitpro import ApiError, Bitpro

order_id = os.environ["ORDER_ID"]
bitpro = Bitpro(os.environ["BITPRO_URL"], os.environ["BITPRO_ID"], os.environ["BITPRO_SECRET"])

# A charge of EUR 42.00. With the order's id as its idempotency key there is one charge, however often this runs.
charge = bitpro.charges.create(fiat_price_cents=4200, external_order_id=order_id, idempotency_key=order_id)
print("send the shopper to", charge.url)

# Before you ship: state, order and price, as the server says.
now = bitpro.charges.get(charge.id)
print("order", now.external_order_id, "of", now.fiat_price_cents, "cents is", now.state)

# All charges, newest first, page after page.
for one in bitpro.charges.list(per_page=2):
    print("listed", one.id)

# What the server refuses has a stable code.
try:
    bitpro.charges.create(fiat_price_cents=0)
except ApiError as error:
    print("refused:", error.code)
