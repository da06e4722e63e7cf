/** The main job: a shopper follows a link, pays, and watches it arrive. */

import { clipboard, expect, live, shows, test } from "../lib/test.ts";

test("a direct link leads from pending over seen to confirmed without a reload", async ({ page, demo }) => {
  await page.goto(demo.link());
  await shows(page, "pending");
  await live(page);
  await page.evaluate(() => document.body.setAttribute("data-not-reloaded", ""));
  const view = await demo.view(page.url());
  await expect(page.getByText("€42.00").first()).toBeVisible();
  await expect(page.getByRole("link", { name: "Open in wallet" })).toHaveAttribute("href", view.uri as string);

  await demo.pay(page.url());
  await shows(page, "seen");
  await expect(page.getByRole("link", { name: "Open in wallet" })).toHaveCount(0);
  await demo.mine();
  await shows(page, "confirmed");
  await expect(page.locator("body[data-not-reloaded]")).toHaveCount(1);
});

test("the link leads to the charge's own address, so that a reload is the same charge", async ({ page, demo }) => {
  await page.goto(demo.link({ fiat_price_cents: 4200, buyer_email: "someone@example.com" }));
  const url = page.url();
  expect(url).toMatch(/\/app\/checkout\/[0-9a-f-]{36}\/[0-9a-f-]{36}/);
  expect(url).not.toContain("someone");
  const { address } = await demo.view(url);
  await page.reload();
  expect(page.url()).toBe(url);
  await shows(page, "pending");
  expect((await demo.view(page.url())).address).toBe(address);
  await demo.pay(url);
  await shows(page, "seen");
  await page.reload();
  await shows(page, "seen");
});

test("half a payment asks for the rest, and the rest completes it", async ({ page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  await demo.pay(page.url(), "half");
  await expect(page.locator("html")).toHaveAttribute("data-state", "seen");
  const { uri } = await demo.view(page.url());
  await expect(page.getByRole("link", { name: "Open in wallet" })).toHaveAttribute("href", uri as string);
  await demo.pay(page.url());
  await expect(page.getByRole("link", { name: "Open in wallet" })).toHaveCount(0);
  await demo.mine();
  await shows(page, "confirmed");
});

test("too much is confirmed all the same", async ({ page, demo }) => {
  await page.goto(demo.link());
  await demo.pay(page.url(), "too-much");
  await shows(page, "seen");
  await demo.mine();
  await shows(page, "confirmed");
});

test("a payment that is taken back is asked for again", async ({ page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  const txid = await demo.pay(page.url());
  await shows(page, "seen");
  await demo.doubleSpend(txid);
  await shows(page, "pending");
  await expect(page.getByRole("link", { name: "Open in wallet" })).toBeVisible();
});

test("a replaced payment stays seen", async ({ page, demo }) => {
  await page.goto(demo.link());
  const txid = await demo.pay(page.url());
  await shows(page, "seen");
  const replacement = await demo.replace(txid);
  await expect
    .poll(async () => JSON.stringify(await demo.view(page.url())))
    .toContain(replacement);
  await shows(page, "seen");
  await demo.mine();
  await shows(page, "confirmed");
});

test("an undone block takes the page back to seen, and the next one forward again", async ({ page, demo }) => {
  await page.goto(demo.link());
  await demo.pay(page.url());
  await shows(page, "seen");
  await demo.mine();
  await shows(page, "confirmed");
  await demo.undo();
  await shows(page, "seen");
  await demo.mine();
  await shows(page, "confirmed");
});

test("a charge that nobody pays runs out, and money that comes later is told as late", async ({ page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  const { address, amount_sat } = await demo.view(page.url());
  await demo.advance(21 * 60);
  await shows(page, "timedout");
  await expect(page.getByText(address).filter({ visible: true })).toHaveCount(0);
  await demo.paySats(address, amount_sat);
  await shows(page, "failed");
});

test("without a price the page asks for the amount first", async ({ page, demo }) => {
  await page.goto(demo.link({}));
  await page.getByRole("textbox").fill("12.50");
  await page.getByRole("button").last().click();
  await shows(page, "pending");
  await expect(page.getByText("€12.50").first()).toBeVisible();
});

test("two tabs of one charge both see the payment", async ({ context, page, demo }) => {
  await page.goto(demo.link());
  const second = await context.newPage();
  await second.goto(page.url());
  await Promise.all([live(page), live(second)]);
  await demo.pay(page.url());
  await Promise.all([shows(page, "seen"), shows(second, "seen")]);
  await demo.mine();
  await Promise.all([shows(page, "confirmed"), shows(second, "confirmed")]);
});

test("r22: a second shopper on a paid link sees the outcome and no address", async ({ browser, page, demo }) => {
  const link = demo.link({ fiat_price_cents: 4200, external_order_id: `paid-${Date.now()}` });
  await page.goto(link);
  const { address } = await demo.view(page.url());
  await demo.pay(page.url());
  await shows(page, "seen");

  const other = await browser.newContext();
  const second = await other.newPage();
  await second.goto(link);
  expect(await second.content()).not.toContain(address);
  expect((await second.content()).toLowerCase()).not.toContain(address.slice(-12).toLowerCase());
  await expect(second.getByRole("link", { name: "Open in wallet" })).toHaveCount(0);
  await other.close();
});

test("amount and address are copied with one press", async ({ context, page, demo }) => {
  await context.grantPermissions(["clipboard-write"]);
  await page.goto(demo.link());
  await live(page);
  const { address, amount_sat } = await demo.view(page.url());
  await page.getByRole("button", { name: "Copy address" }).click();
  await expect(page.getByText("Copied")).toBeVisible();
  expect(await clipboard(context, demo)).toBe(address);
  await page.bringToFront();
  await page.getByRole("button", { name: "Copy amount in bitcoin" }).click();
  await expect.poll(async () => Math.round(Number(await clipboard(context, demo)) * 100_000_000)).toBe(amount_sat);
});
