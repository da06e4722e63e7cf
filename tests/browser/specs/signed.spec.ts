/** A signed link in a merchant's page: the loader hands the signature on, and an edited price makes nothing. */

import { expect } from "@playwright/test";

import { checkoutFrame, live, merchantPage, shows, test } from "../lib/test.ts";

const trigger = (merchant: string, cents: number, order: string, { sig, exp }: { sig: string; exp: string }) =>
  `<div><button id="bitit-iframe-trigger" data-merchant-id="${merchant}" data-fiat-price-cents="${cents}"
     data-external-order-id="${order}" data-sig="${sig}" data-exp="${exp}">Pay with Bitcoin</button></div>`;
const script = (server: string) => `<script src="${server}/libs/iframeBuilderV1.min.js"></script>`;

test("a trigger with data-sig and data-exp is paid, and its charge's address shows nothing of them", async ({ page, demo }) => {
  const signature = await demo.sign(4200, "signed-1");
  await merchantPage(page, `${demo.shop}/own`, trigger(demo.merchant, 4200, "signed-1", signature) + script(demo.server));
  await page.getByRole("button").click();
  const frame = await checkoutFrame(page);
  await shows(frame, "pending");
  await live(frame);
  expect(frame.url()).not.toMatch(/sig=|exp=/);
  await demo.pay(frame.url());
  await shows(frame, "seen");
});

test("a price that was edited in the page is refused in the frame, and no charge is made", async ({ page, demo }) => {
  const signature = await demo.sign(4200, "signed-2");
  await merchantPage(page, `${demo.shop}/own`, trigger(demo.merchant, 1000, "signed-2", signature) + script(demo.server));
  await page.getByRole("button").click();
  const frame = await checkoutFrame(page);
  await expect(frame.locator("html")).toHaveAttribute("data-problem", "wrong-signature");
  await expect(frame.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(frame.locator("html[data-state]")).toHaveCount(0);
  // The page that gave the right price is served as before.
  await page.locator("#bitit-iframe-trigger").evaluate((element) => element.setAttribute("data-fiat-price-cents", "4200"));
  await page.locator("#bitit-iframe-trigger").click();
  await expect.poll(() => page.frames().some((one) => /\/[0-9a-f-]{36}\/[0-9a-f-]{36}/.test(one.url()))).toBe(true);
});
