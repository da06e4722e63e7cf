import { signedLink } from "bitpro-checkout";

const { BITPRO_URL, MERCHANT_ID, LINK_KEY, ORDER_ID } = process.env;
console.log(
  signedLink({
    server: BITPRO_URL,
    merchantId: MERCHANT_ID,
    key: LINK_KEY,
    fiatPriceCents: 4200,
    externalOrderId: ORDER_ID,
  }),
);
