import os

from bitpro import signed_link

print(
    signed_link(
        os.environ["BITPRO_URL"],
        os.environ["MERCHANT_ID"],
        os.environ["LINK_KEY"],
        fiat_price_cents=4200,
        external_order_id=os.environ["ORDER_ID"],
    )
)
