/** People at the dashboard: what they do again and again, and what no page of theirs may ever do. */

import { createHmac } from "node:crypto";

import AxeBuilder from "@axe-core/playwright";
import type { BrowserContext, BrowserContextOptions, Page } from "@playwright/test";

import type { Demo } from "./demo.ts";
import { expect, test as base } from "./test.ts";

export { expect };

export const PASSWORD = "seven green kettles sing";
const OWNER = "owner@shop.example";
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Somebody with an account and a shop of their own. */
export interface Person {
  email: string;
  /** Where their shop's pages begin. */
  shop: string;
}

/** What a browser says when it is shown a page that refuses something: that is the page's good right. */
const REFUSAL = /^Failed to load resource: the server responded with a status of (403|404|409|410|422) /;

/** Notes whatever goes wrong in the pages of `context`: errors in the console, violations of the policy among them, and probes. */
async function watch(context: BrowserContext, faults: string[]): Promise<void> {
  context.on("console", (message) => {
    if (message.type() === "error" && !REFUSAL.test(message.text())) faults.push(`${message.page()?.url()}: ${message.text()}`);
  });
  context.on("weberror", (error) => faults.push(`${error.page()?.url()}: ${error.error().message}`));
  context.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await context.addInitScript(() => {
    Object.defineProperty(window, "__hit", { set: () => console.error("a probe was carried out") });
  });
}

/** With a watch over every page, and more people, each with a browser of their own. */
export const test = base.extend<{ faults: string[]; visitor: (options?: BrowserContextOptions) => Promise<Page> }>({
  faults: [
    async ({ context }, use) => {
      const faults: string[] = [];
      await watch(context, faults);
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
  visitor: async ({ browser, faults }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ locale: "en-GB", ...options });
      contexts.push(context);
      await watch(context, faults);
      return context.newPage();
    });
    for (const context of contexts) await context.close();
  },
});

let people = 0;

/** An address that nobody has yet. */
export const address = (name: string) => `${name.toLowerCase()}-${process.pid}-${++people}@tea.example`;

/** Presses the one button that the page is there for. */
export async function send(page: Page): Promise<void> {
  await page.locator("main button.main").first().click();
}

/** Asks for an account, and chooses the password by the letter's link; ends at the new shop. */
export async function signUp(page: Page, demo: Demo, name: string, company = `${name}’s tea`): Promise<Person> {
  // One address asks for more accounts than the server grants in a minute.
  await demo.advance(20);
  const email = address(name.replace(/\W/g, "x"));
  await page.goto(`${demo.server}/signup`);
  await page.locator("[name=name]").fill(name);
  await page.locator("[name=email]").fill(email);
  await page.locator("[name=company]").fill(company);
  await send(page);
  await expect(page.getByRole("status")).toBeVisible();
  await page.goto(await demo.letters.linkTo(email, "/password"));
  await page.locator("[name=password]").fill(PASSWORD);
  await send(page);
  return { email, shop: await shopOf(page) };
}

/** Where the shop's pages begin, once the browser has come to one. */
export async function shopOf(page: Page): Promise<string> {
  await page.waitForURL(/\/dashboard\/[0-9a-f-]{36}$/);
  return page.url();
}

export async function logIn(page: Page, demo: Demo, email: string, password = PASSWORD): Promise<void> {
  await demo.advance(20);
  await page.goto(`${demo.server}/login`);
  await page.locator("[name=email]").fill(email);
  await page.locator("[name=password]").fill(password);
  await send(page);
  await page.waitForURL((url) => url.pathname !== "/login");
}

export async function logOut(page: Page): Promise<void> {
  await page.locator("form[action='/logout'] button").click();
  await page.waitForURL(/\/login/);
}

const owned = new WeakSet<Demo>();

/** Enters as the owner of the demo's shop. */
export async function asOwner(page: Page, demo: Demo): Promise<Person> {
  if (owned.has(demo)) {
    await logIn(page, demo, OWNER);
  } else {
    owned.add(demo);
    await page.goto(demo.dashboard);
    await page.locator("[name=password]").fill(PASSWORD);
    await send(page);
  }
  return { email: OWNER, shop: await shopOf(page) };
}

/** Presses a button, and says who it is where that is asked for: the form goes on by itself then. */
export async function sensitively(page: Page, press: () => Promise<void>): Promise<void> {
  await press();
  const password = page.locator("[name=own_password]");
  await expect(password.or(page.getByRole("status")).first()).toBeVisible();
  if ((await password.count()) === 0) return;
  await password.fill(PASSWORD);
  await send(page);
}

/** A public key of a test wallet (BIP 32); every number gives another wallet. */
const KEY = "tpubD6NzVbkrYhZ4XgiXtGrdW5XDAPFCL9h7we1vwNCpn8tGbBcgfVYjXyhWo4E1xkh56hjod1RhGjxbaTLV3X4FyWuejifB9jusQ46QzG87VKp";
let wallets = 0;

/** The text that such a wallet exports. */
export const descriptor = () => `wpkh(${KEY}/${process.pid}/${++wallets}/*)`;

/** Says where the money goes, and waits until payments can be made. */
export async function giveWallet(page: Page, shop: string): Promise<void> {
  await page.goto(`${shop}/settings/wallet`);
  await page.locator("[name=wallet]").fill(descriptor());
  await send(page);
  await page.locator("[name=compared]").check();
  await send(page);
  await expect(async () => {
    await page.reload();
    await expect(page.locator("#scan.good")).toBeVisible({ timeout: 100 });
  }).toPass();
}

/** The code of an authenticator app at `now`, in seconds (RFC 6238). */
export function code(secret: string, now: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replaceAll("=", "")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) as number) & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** What axe finds on the page. */
export async function found(page: Page): Promise<string[]> {
  // No page of the dashboard has a frame, and without one axe needs no second page for itself.
  const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).setLegacyMode().withTags(RULES).analyze();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
}

/** By how many pixels the page is too wide for its window. */
export async function excess(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
}

/** A picture of one colour that the test makes itself. */
export async function picture(page: Page, colour: string): Promise<Buffer> {
  const data = await page.evaluate((colour) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.fillStyle = colour;
    context.fillRect(0, 0, 64, 64);
    return canvas.toDataURL("image/png");
  }, colour);
  return Buffer.from(data.split(",")[1] as string, "base64");
}
