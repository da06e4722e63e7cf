/** Signed links: payment links whose price and order nobody can edit. */

import { createHmac } from "node:crypto";

import { queryOf } from "./signing.ts";

/** What a signed link says. */
export interface Link {
  /** The server, as in `https://pay.example`. */
  server: string;
  merchantId: string;
  /** The link key: 64 hexadecimal digits. Keep it on your server. */
  key: string;
  /** The price in cents. A link without a price cannot be signed. */
  fiatPriceCents: number | bigint;
  fiatCurrency?: string | undefined;
  externalOrderId?: string | undefined;
  buyerEmail?: string | undefined;
  /** The page's language. It is not signed. */
  lang?: string | undefined;
  /** From when on the link is refused, in Unix seconds. Defaults to a day from now. */
  exp?: number | undefined;
}

/** The message under a link's signature: seven netstrings, `-,` for what the link does not have. */
export function linkMessage(link: Link & { exp: number }): string {
  const values = ["bitpro-link-1", merchant(link), price(link), link.fiatCurrency, link.externalOrderId, link.buyerEmail, String(link.exp)];
  return values.map((value) => (value ? `${Buffer.byteLength(value)}:${value},` : "-,")).join("");
}

/** A signed link. Values are signed as they are given; what is empty is left out. */
export function signedLink(link: Link): string {
  if (!/^[0-9a-f]{64}$/i.test(link.key)) throw new TypeError("a link key has 64 hexadecimal digits");
  const exp = link.exp ?? Math.floor(Date.now() / 1000) + 86_400;
  if (!Number.isInteger(exp) || exp < 0 || exp > 999_999_999_999) throw new RangeError("exp is not a time in Unix seconds");
  const message = linkMessage({ ...link, exp });
  const sig = createHmac("sha256", Buffer.from(link.key, "hex")).update(message, "utf8").digest("hex");
  const query = queryOf([
    ["fiat_price_cents", price(link)],
    ["fiat_currency", link.fiatCurrency || undefined],
    ["external_order_id", link.externalOrderId || undefined],
    ["buyer_email", link.buyerEmail || undefined],
    ["lang", link.lang || undefined],
    ["exp", exp],
    ["sig", sig],
  ]);
  return `${link.server.replace(/\/+$/, "")}/app/checkout/${merchant(link)}?${query}`;
}

function price({ fiatPriceCents: cents }: Link): string {
  if (typeof cents === "number" && !Number.isSafeInteger(cents)) throw new RangeError("a price is a whole number of cents");
  return String(cents);
}

function merchant({ merchantId }: Link): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(merchantId)) throw new TypeError("the merchant id is not a UUID");
  return merchantId.toLowerCase();
}
