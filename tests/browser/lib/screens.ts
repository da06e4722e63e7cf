/** Every screen that a shopper can come to, and how; for the accessibility tests and for screenshots. */

import type { Page } from "@playwright/test";

import type { Demo } from "./demo.ts";
import { checkoutFrame, live, merchantPage, shows } from "./test.ts";

export interface Screen {
  name: string;
  /** Brings `page` to it. `lang` is a parameter of the link. */
  reach: (page: Page, demo: Demo, lang: string) => Promise<void>;
}

let orders = 0;
const order = () => `screen-${process.pid}-${++orders}`;

async function open(page: Page, demo: Demo, lang: string, parameters: Record<string, string | number> = {}): Promise<string> {
  await page.goto(demo.link({ fiat_price_cents: 4200, external_order_id: order(), lang, ...parameters }));
  await shows(page, "pending");
  await live(page);
  return page.url();
}

async function refused(page: Page, demo: Demo, parameters: Record<string, string | number>): Promise<void> {
  await page.goto(demo.link(parameters));
}

export const screens: Screen[] = [
  { name: "pending", reach: async (page, demo, lang) => void (await open(page, demo, lang)) },
  {
    name: "partial",
    reach: async (page, demo, lang) => {
      await demo.pay(await open(page, demo, lang), "half");
      await shows(page, "seen");
    },
  },
  {
    name: "seen",
    reach: async (page, demo, lang) => {
      await demo.pay(await open(page, demo, lang));
      await shows(page, "seen");
    },
  },
  {
    name: "seen-one-of-three",
    reach: async (page, demo, lang) => {
      await demo.pay(await open(page, demo, lang, { fiat_price_cents: 125_000 }));
      await shows(page, "seen");
      await demo.mine();
    },
  },
  {
    name: "confirmed",
    reach: async (page, demo, lang) => {
      await demo.pay(await open(page, demo, lang));
      await shows(page, "seen");
      await demo.mine();
      await shows(page, "confirmed");
    },
  },
  {
    name: "overpaid",
    reach: async (page, demo, lang) => {
      await demo.pay(await open(page, demo, lang), "too-much");
      await shows(page, "seen");
      await demo.mine();
      await shows(page, "confirmed");
    },
  },
  {
    name: "last-minutes",
    reach: async (page, demo, lang) => {
      await open(page, demo, lang);
      await demo.advance(17 * 60);
      await page.reload();
      await live(page);
    },
  },
  {
    name: "timedout",
    reach: async (page, demo, lang) => {
      await open(page, demo, lang);
      await demo.advance(21 * 60);
      await shows(page, "timedout");
    },
  },
  {
    name: "late",
    reach: async (page, demo, lang) => {
      const { address, amount_sat } = await demo.view(await open(page, demo, lang));
      await demo.advance(21 * 60);
      await shows(page, "timedout");
      await demo.paySats(address, amount_sat);
      await shows(page, "failed");
    },
  },
  {
    name: "underpaid",
    reach: async (page, demo, lang) => {
      await demo.pay(await open(page, demo, lang), "half");
      await shows(page, "seen");
      await demo.advance(31 * 60);
      await shows(page, "failed");
    },
  },
  {
    name: "replaced",
    reach: async (page, demo, lang) => {
      const txid = await demo.pay(await open(page, demo, lang));
      await shows(page, "seen");
      await demo.doubleSpend(txid);
      await shows(page, "pending");
      await demo.advance(21 * 60);
      await shows(page, "failed");
    },
  },
  {
    name: "node-away",
    reach: async (page, demo, lang) => {
      await open(page, demo, lang);
      await demo.node(false);
      await page.getByRole("status").filter({ hasText: /can pay safely|pouvez payer/i }).waitFor();
    },
  },
  {
    name: "amount-form",
    reach: async (page, demo, lang) => void (await page.goto(demo.link({ lang, external_order_id: order() }))),
  },
  {
    name: "amount-refused",
    reach: async (page, demo, lang) => {
      await page.goto(demo.link({ lang }));
      await page.getByRole("textbox").fill("none");
      await page.getByRole("button").last().click();
      await page.waitForLoadState();
    },
  },
  {
    name: "paid-outcome",
    reach: async (page, demo, lang) => {
      const external_order_id = order();
      await demo.pay(await open(page, demo, lang, { external_order_id }));
      await shows(page, "seen");
      await page.context().clearCookies();
      await page.goto(demo.link({ fiat_price_cents: 4200, external_order_id, lang }));
    },
  },
  {
    name: "error-unknown-merchant",
    reach: async (page, demo, lang) => void (await page.goto(`${demo.server}/app/checkout/nobody?lang=${lang}`)),
  },
  { name: "error-bad-price", reach: (page, demo, lang) => refused(page, demo, { fiat_price_cents: "-1", lang }) },
  { name: "error-price-too-high", reach: (page, demo, lang) => refused(page, demo, { fiat_price_cents: 10_000_001, lang }) },
  { name: "error-bad-currency", reach: (page, demo, lang) => refused(page, demo, { fiat_price_cents: 100, fiat_currency: "usd", lang }) },
  {
    name: "error-order-id-too-long",
    reach: (page, demo, lang) => refused(page, demo, { fiat_price_cents: 100, external_order_id: "x".repeat(201), lang }),
  },
  {
    name: "error-unknown-charge",
    reach: async (page, demo, lang) =>
      void (await page.goto(`${demo.server}/app/checkout/${demo.merchant}/00000000-0000-4000-8000-000000000000?lang=${lang}`)),
  },
  {
    name: "frame",
    reach: async (page, demo) => {
      await page.goto(demo.shop);
      await page.getByRole("button", { name: "Pay with Bitcoin" }).click();
      await live(await checkoutFrame(page));
    },
  },
  {
    name: "frame-notice",
    reach: async (page, demo, lang) => {
      const trigger = `<div><button id="bitit-iframe-trigger" data-merchant-id="${demo.merchant}" data-fiat-price-cents="4200" data-lang="${lang}">Pay</button></div>`;
      await merchantPage(page, "http://127.0.0.2:9/", `<main><h1>A shop</h1>${trigger}</main><script src="${demo.server}/libs/iframeBuilderV1.min.js"></script>`);
      await page.getByRole("button").click();
      await (await checkoutFrame(page)).getByText("127.0.0.2").first().waitFor();
    },
  },
  { name: "demo-shop", reach: async (page, demo) => void (await page.goto(demo.shop)) },
  {
    name: "demo-wallet",
    reach: async (page, demo) => {
      await page.goto(demo.wallet);
      await page.getByText(/ BTC$/).first().waitFor();
    },
  },
];

/** Undoes what a screen did to the demo. */
export async function tidy(screen: Screen, demo: Demo): Promise<void> {
  if (screen.name === "node-away") await demo.node(true);
}
