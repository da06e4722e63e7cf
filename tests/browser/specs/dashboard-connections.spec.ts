/** What connects a shop with its server and its wallet: webhooks, keys of the API, signed links, snippets. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { Page } from "@playwright/test";

import { code, descriptor, expect, giveWallet, send, signUp, test } from "../lib/dashboard.ts";
import { checkoutOf, openForTrade } from "../lib/keeper.ts";
import { post } from "../lib/mapi.ts";
import { checkoutFrame, merchantPage, shows } from "../lib/test.ts";

/** A shop's server that notes what it is told. */
async function receiver() {
  const told: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      told.push(body);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { told, url, close };
}

/** A secret is shown on the page of its making, and never again. */
async function secretOnce(page: Page, label: string): Promise<string> {
  const secret = await page.getByRole("textbox", { name: label }).inputValue();
  await page.getByRole("link", { name: "I have copied it" }).click();
  await expect(page.getByRole("textbox", { name: label })).toHaveCount(0);
  expect(await page.content()).not.toContain(secret);
  return secret;
}

test("a webhook is added, tested, told of a payment, and removed", async ({ page, demo, visitor }) => {
  const { told, url, close } = await receiver();
  const shop = await openForTrade(page, demo, "Wim’s tea");
  await page.goto(`${shop}/settings/webhooks`);
  await page.getByLabel("Event").selectOption("charge:seen");
  await page.getByLabel("Address").fill("ftp://wim.example");
  await send(page);
  await expect(page.getByLabel("Address")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Address")).toHaveAccessibleDescription(/http/);
  await expect(page.getByLabel("Address")).toHaveValue("ftp://wim.example");
  await expect(page.getByLabel("Event")).toHaveValue("charge:seen");
  await page.getByLabel("Address").fill(url);
  await send(page);
  expect(await secretOnce(page, "Signing secret")).toMatch(/^whsec_/);
  await page.getByRole("link", { name: url }).click();
  await expect(page.getByText("No deliveries yet.")).toBeVisible();
  const link = page.url();
  await page.getByRole("button", { name: "Send a test" }).click();
  await expect(page.locator("#tested")).toContainText("The test arrived: 204");
  expect(told).toHaveLength(1);

  const shopper = await visitor();
  await shopper.goto(checkoutOf(shop, { external_order_id: "hook-1" }));
  await shows(shopper, "pending");
  await demo.pay(shopper.url());
  await expect.poll(() => told.some((body) => body.includes("hook-1"))).toBe(true);
  const deliveries = page.getByRole("table");
  await expect(async () => {
    await page.goto(link);
    await expect(deliveries.getByText("delivered", { exact: true })).toBeVisible({ timeout: 100 });
  }).toPass();
  await expect(deliveries.getByText(/^1 · 204/)).toBeVisible();
  const count = told.length;
  await deliveries.getByRole("button", { name: "Deliver again" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "due");
  await expect.poll(() => told.length).toBeGreaterThan(count);
  await page.getByText("Remove", { exact: true }).click();
  await page.getByRole("button", { name: "Remove the webhook" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "removed");
  expect((await page.goto(link))?.status()).toBe(404);
  close();
});

test("an API key makes a charge until it is revoked", async ({ page, demo }) => {
  const shop = await openForTrade(page, demo, "Kira’s tea");
  await page.goto(`${shop}/settings/keys`);
  await page.getByLabel("Name", { exact: true }).fill("Shop server");
  const scopes = page.getByRole("group", { name: "What it may do" }).getByRole("checkbox");
  for (const scope of await scopes.all()) await scope.uncheck();
  await send(page);
  await expect(page.getByRole("group", { name: "What it may do" })).toHaveAccessibleDescription("Tick at least one.");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Shop server");
  await page.getByLabel("Create and cancel charges").check();
  await send(page);
  const id = await page.locator("dl.facts code").first().innerText();
  const secret = await secretOnce(page, "Secret");
  const order = { fiat_price_cents: 4200, external_order_id: "key-1" };
  const make = async () => post(demo.server, { id, secret }, "/mapi/charges", order, await demo.now());
  await make();
  await page.goto(`${shop}/charges`);
  await expect(page.getByRole("row").filter({ hasText: "key-1" })).toBeVisible();
  await page.goto(`${shop}/settings/keys`);
  await page.getByText("Revoke Shop server").click();
  await page.getByRole("button", { name: "Revoke permanently" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "revoked");
  await expect(make()).rejects.toThrow(/401|403/);
});

test("the snippet builder fills the script tag and the direct link", async ({ page, demo, visitor }) => {
  const shop = await openForTrade(page, demo, "Nils’ tea");
  await page.goto(`${shop}/settings/domains`);
  await page.getByLabel("Allowed domains").fill("nils.example");
  await page.getByRole("button", { name: "Save" }).click();
  await page.goto(`${shop}/snippet`);
  await page.getByLabel("Price").fill("forty");
  await page.getByLabel("Order ID").fill('N-1 "&"');
  await page.getByRole("button", { name: "Create the snippet" }).click();
  await expect(page.getByLabel("Price")).toHaveAccessibleDescription(/Enter an amount in euros/);
  await expect(page.getByLabel("Price")).toHaveValue("forty");
  await page.getByLabel("Price").fill("12,50");
  await page.getByLabel("Language of the page").selectOption("fr");
  await page.getByLabel("Button text").fill("Payer <vite>");
  await page.getByRole("button", { name: "Create the snippet" }).click();
  const snippet = await page.getByLabel("For your page").inputValue();
  const shopper = await visitor();
  await merchantPage(shopper, "https://nils.example/cart", `<main><h1>Thé</h1>${snippet}</main>`);
  await shopper.getByRole("button", { name: "Payer <vite>" }).click();
  const frame = await checkoutFrame(shopper);
  await shows(frame, "pending");
  await expect(frame.locator("html")).toHaveAttribute("lang", "fr");
  await expect(frame.getByText(/12,50\s€/).first()).toBeVisible();

  await page.getByLabel("Kind").selectOption("link");
  await page.getByRole("button", { name: "Create the snippet" }).click();
  const anchor = await page.getByLabel("For your page").inputValue();
  const link = await page.getByLabel("The address alone").inputValue();
  await merchantPage(shopper, "https://nils.example/other", `<main><h1>Thé</h1>${anchor}</main>`);
  await expect(shopper.getByRole("link", { name: "Payer <vite>" })).toHaveAttribute("href", link);
  await shopper.goto(link);
  await shows(shopper, "pending");
  await page.goto(`${shop}/charges`);
  // Both are the same order at the same price: one payment.
  await expect(page.getByRole("row").filter({ hasText: 'N-1 "&"' })).toHaveCount(1);
});

test("once signed links are required, the snippet builder signs, and an edited price makes no payment", async ({ page, demo, visitor }) => {
  const shop = await openForTrade(page, demo, "Sana’s tea");
  const shopper = await visitor();
  const signed = async (order: string) => {
    await page.goto(`${shop}/snippet`);
    await page.getByLabel("Kind").selectOption("signed");
    await page.getByLabel("Price").fill("42");
    await page.getByLabel("Order ID").fill(order);
    await page.getByRole("button", { name: "Create the snippet" }).click();
  };
  await signed("signed-0");
  await expect(page.getByLabel("Kind")).toHaveAccessibleDescription(/There is no link key yet/);
  await expect(page.getByLabel("Order ID")).toHaveValue("signed-0");
  await page.goto(`${shop}/settings/links`);
  await page.getByRole("button", { name: "Create a link key" }).click();
  expect(await secretOnce(page, "Link key")).toMatch(/^[0-9a-f]{64}$/);
  await page.getByLabel("Refuse links that are not signed").check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "required");
  const refused = async (address: string) => {
    await shopper.goto(address);
    await expect(shopper.locator("html[data-state]")).toHaveCount(0);
    await expect(shopper.getByRole("heading", { level: 1 })).toBeVisible();
  };
  await refused(checkoutOf(shop));
  await signed("signed-1");
  const link = await page.getByLabel("The address alone").inputValue();
  await refused(link.replace("4200", "42"));

  // With a new key, what the former one signed counts for a while yet.
  await page.goto(`${shop}/settings/links`);
  await page.getByRole("button", { name: "Create a new key" }).click();
  await secretOnce(page, "Link key");
  await expect(page.locator("ul.cards > li")).toHaveCount(2);
  await signed("signed-2");
  for (const good of [link, await page.getByLabel("The address alone").inputValue()]) {
    await shopper.goto(good);
    await shows(shopper, "pending");
  }
  await page.goto(`${shop}/settings/links`);
  const former = page.locator("ul.cards > li").last();
  await former.locator("summary").click();
  await former.getByRole("button", { name: "Remove the key" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "removed");
  await refused(link);
});

test("another wallet needs a second factor, waits for a day, and can be stopped", async ({ page, demo, visitor }) => {
  const { email, shop } = await signUp(page, demo, "Hugo");
  const letters = async (subject: string) => (await demo.letters.all(email)).filter((letter) => letter.includes(subject)).length;
  await giveWallet(page, shop);
  await expect.poll(() => letters("Your payout wallet is set")).toBe(1);
  const wallet = `${shop}/settings/wallet`;
  await expect(page.getByText("your account needs a second factor")).toBeVisible();
  await expect(page.locator("[name=wallet]")).toHaveCount(0);
  // Nor does a form help that is not shown.
  const other = descriptor();
  const status = await page.evaluate(
    async ([path, wallet]) => {
      const csrf = document.querySelector<HTMLInputElement>("[name=csrf]")?.value as string;
      const body = new URLSearchParams({ wallet, script_type: "", compared: "yes", csrf });
      return (await fetch(`${path}/confirm`, { method: "POST", body, redirect: "manual" })).status;
    },
    [wallet, other] as const,
  );
  expect(status).toBe(422);

  await page.getByRole("link", { name: "Set it up" }).click();
  await page.getByRole("link", { name: "Set up" }).click();
  const secret = await page.locator("main code").innerText();
  await page.getByLabel("Code", { exact: true }).fill(code(secret, await demo.now()));
  await page.getByRole("button", { name: "Turn it on" }).click();
  await page.goto(wallet);
  const first = await page.getByRole("region", { name: "Current wallet" }).locator("ol.addresses > li").first().innerText();
  await page.locator("[name=wallet]").fill("wpkh(nothing)");
  await send(page);
  await expect(page.locator("[name=wallet]")).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator("[name=wallet]")).toHaveValue("wpkh(nothing)");
  await page.locator("[name=wallet]").fill(other);
  await send(page);
  await expect(page.locator("ol.addresses > li").first()).not.toHaveText(first);
  await page.getByLabel("These are the first addresses").check();
  await send(page);
  await expect(page.getByRole("status").first()).toHaveAttribute("data-done", "due");
  await expect(page.getByRole("heading", { name: "Pending wallet change" })).toBeVisible();
  await page.goto(shop);
  await expect(page.locator("p.note.bad")).toContainText("wallet");
  await expect.poll(() => letters("Wallet change requested")).toBe(1);

  // Until then the money goes where it went.
  const shopper = await visitor();
  await shopper.goto(checkoutOf(shop));
  await shows(shopper, "pending");
  expect((await demo.view(shopper.url())).address).toBe(first);
  await page.goto(wallet);
  await page.getByRole("button", { name: "Cancel the change" }).click();
  await expect(page.getByRole("status").first()).toHaveAttribute("data-done", "stopped");
  await expect(page.getByRole("heading", { name: "Pending wallet change" })).toHaveCount(0);
  await expect.poll(() => letters("Wallet change cancelled")).toBe(1);
});
