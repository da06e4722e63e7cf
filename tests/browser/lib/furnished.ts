/** A shop in which something stands on every page, and all that people could write is markup that would do harm as such. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { BrowserContextOptions, Cookie, Page } from "@playwright/test";

import { PASSWORD, address, expect, giveWallet, picture, send, shopOf, signUp } from "./dashboard.ts";
import type { Demo } from "./demo.ts";
import { checkoutOf } from "./keeper.ts";
import { post } from "./mapi.ts";
import { shows } from "./test.ts";

export const IMAGE = '"><img src=x onerror=alert(1)>';
export const SCRIPT = "</script><script>alert(1)</script>";
/** What a buyer's address may hold at most. */
export const BUYER = "'onfocus='alert`1`'autofocus='@mail.example";
/** What a spreadsheet would carry out. */
export const FORMULAS = ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "A;=1+1;B", ' =HYPERLINK("http://x.example")'];

type Visitor = (options?: BrowserContextOptions) => Promise<Page>;

export interface Furnished {
  session: Cookie[];
  shop: string;
  /** Another shop of the same person, in which nothing was done yet. */
  empty: string;
  /** The pages of one payment, below the shop's. */
  charge: string;
  /** The page of the webhook, below the shop's. */
  webhook: string;
  /** Where letters lead that nobody has answered. */
  links: { password: string; email: string; invitation: string };
  /** To whom letters were sent. */
  readers: string[];
}

const shops = new WeakMap<Demo, Promise<Furnished>>();

/** The shop of this demo, furnished by the first who asks; `page` enters it. */
export async function furnished(page: Page, demo: Demo, visitor: Visitor): Promise<Furnished> {
  const known = shops.get(demo);
  const shop = known ?? furnish(page, demo, visitor);
  shops.set(demo, shop);
  const made = await shop;
  if (known) await page.context().addCookies(made.session);
  return made;
}

async function furnish(page: Page, demo: Demo, visitor: Visitor): Promise<Furnished> {
  const { email, shop } = await signUp(page, demo, IMAGE, SCRIPT);
  await giveWallet(page, shop);
  await settle(page, shop);
  const webhook = await connect(page, shop);
  const key = await unlock(page, shop);
  const { charge, buyer } = await sell(page, demo, shop, key, visitor);
  const { invitation, guest } = await team(page, demo, shop, visitor);
  await page.goto(`${demo.server}/dashboard/new`);
  await page.locator("[name=name]").fill(IMAGE);
  await send(page);
  const empty = await shopOf(page);
  const other = await visitor({ userAgent: IMAGE });
  await other.goto(`${demo.server}/login`);
  await other.locator("[name=email]").fill(email);
  await other.locator("[name=password]").fill(PASSWORD);
  await send(other);
  await other.waitForURL(/\/dashboard$/);
  const links = { invitation, ...(await correspond(page, await visitor(), demo, email)) };
  const session = await page.context().cookies();
  return { session, shop, empty, charge, webhook, links, readers: [email, guest, buyer] };
}

async function settle(page: Page, shop: string): Promise<void> {
  await page.goto(`${shop}/settings`);
  await page.getByLabel("Website").fill(`https://tea.example/${IMAGE}`);
  await page.getByLabel("E-mail shoppers a receipt").check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "saved");
  await page.goto(`${shop}/settings/look`);
  const buffer = await picture(page, "#7a1f5c");
  await page.getByLabel("Picture").setInputFiles({ name: `${IMAGE}.png`, mimeType: "image/png", buffer });
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "logo");
  await page.goto(`${shop}/settings/domains`);
  await page.getByLabel("Allowed domains").fill("tea.example\n*.tea.example");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "saved");
}

/** A webhook whose server refuses everything, and answers with markup. */
async function connect(page: Page, shop: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(500, { "content-type": "text/html" }).end(IMAGE + SCRIPT));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  // It is there as long as the worker is, and keeps nobody waiting.
  server.unref();
  const { port } = server.address() as AddressInfo;
  await page.goto(`${shop}/settings/webhooks`);
  await page.getByLabel("Event").selectOption("charge:seen");
  await page.getByLabel("Address").fill(`http://127.0.0.1:${port}/${IMAGE}?q=${IMAGE}'${SCRIPT}`);
  await send(page);
  await page.getByRole("link", { name: "I have copied it" }).click();
  await page.getByRole("rowheader").getByRole("link").click();
  await page.waitForURL(/\/webhooks\/./);
  return page.url().slice(shop.length);
}

/** Two keys of the API, one of them revoked, and a key of links; gives the API's. */
async function unlock(page: Page, shop: string): Promise<{ id: string; secret: string }> {
  let key = { id: "", secret: "" };
  for (const name of [SCRIPT, IMAGE]) {
    await page.goto(`${shop}/settings/keys`);
    await page.getByLabel("Name", { exact: true }).fill(name);
    await send(page);
    key = { id: await page.locator("dl.facts code").first().innerText(), secret: await page.getByLabel("Secret").inputValue() };
  }
  await page.goto(`${shop}/settings/keys`);
  await page.getByText(`Revoke ${SCRIPT}`).click();
  await page.getByRole("listitem").filter({ hasText: SCRIPT }).getByRole("button", { name: "Revoke permanently" }).click();
  await page.goto(`${shop}/settings/links`);
  await page.getByRole("button", { name: "Create a link key" }).click();
  await expect(page.getByRole("textbox", { name: "Link key" })).toBeVisible();
  return key;
}

/** Payments of every kind: confirmed, with a note, made by a link that held nonsense, made by the API. */
async function sell(page: Page, demo: Demo, shop: string, key: { id: string; secret: string }, visitor: Visitor) {
  const shopper = await visitor();
  for (const [index, formula] of FORMULAS.entries()) {
    const buyer_email = `${"=+-"[index % 3]}1+1@mail.example`;
    await shopper.goto(checkoutOf(shop, { external_order_id: formula, buyer_email }));
    await shows(shopper, "pending");
  }
  const order = { fiat_price_cents: 4300, external_order_id: `${SCRIPT}api`, metadata: { [IMAGE]: SCRIPT } };
  await post(demo.server, key, "/mapi/charges", order, await demo.now());
  const buyer = address("buyer");
  await shopper.goto(checkoutOf(shop, { external_order_id: SCRIPT, buyer_email: buyer }));
  await shows(shopper, "pending");
  await demo.pay(shopper.url());
  await demo.knows(shopper.url(), "seen");
  await shopper.goto(checkoutOf(shop, { external_order_id: IMAGE, buyer_email: BUYER, lang: IMAGE, [SCRIPT]: SCRIPT }));
  await shows(shopper, "pending");
  const charge = `/charges/${new URL(shopper.url()).pathname.split("/").at(-1)}`;
  await demo.pay(shopper.url());
  await demo.knows(shopper.url(), "seen");
  await demo.mine();
  await demo.knows(shopper.url(), "confirmed");
  await page.goto(`${shop}${charge}`);
  await page.getByRole("textbox", { name: "Your note" }).fill(IMAGE + SCRIPT);
  await page.getByRole("button", { name: "Save the note" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "noted");
  return { charge, buyer };
}

/** An accountant who has joined, and somebody who has not. */
async function team(page: Page, demo: Demo, shop: string, visitor: Visitor) {
  const [guest, stranger] = [address("guest"), address("stranger")];
  await page.goto(`${shop}/team`);
  for (const email of [guest, stranger]) {
    await page.locator("[name=email]").fill(email);
    await page.getByLabel("Role", { exact: true }).selectOption({ label: "Accountant" });
    await page.getByRole("button", { name: "Send the invitation" }).click();
    await expect(page.getByRole("row").filter({ hasText: email })).toBeVisible();
  }
  const joining = await visitor();
  await joining.goto(await demo.letters.linkTo(guest, "/invitation"));
  await joining.getByLabel("Your name").fill(IMAGE);
  await joining.getByLabel("Password").fill(PASSWORD);
  await send(joining);
  await joining.waitForURL(shop);
  return { invitation: await demo.letters.linkTo(stranger, "/invitation"), guest };
}

/** Asks for the letters whose links lead to pages. */
async function correspond(page: Page, outside: Page, demo: Demo, email: string): Promise<{ password: string; email: string }> {
  const fresh = address("fresh");
  await demo.advance(60);
  await page.goto(`${demo.server}/account`);
  await page.getByLabel("New address").fill(fresh);
  await page.getByRole("button", { name: "Send a link to the new address" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "asked");
  await outside.goto(`${demo.server}/password/forgot`);
  await outside.locator("[name=email]").fill(email);
  await send(outside);
  await expect(outside.getByRole("status")).toBeVisible();
  return { password: await demo.letters.linkTo(email, "/password"), email: await demo.letters.linkTo(fresh, "/email") };
}
