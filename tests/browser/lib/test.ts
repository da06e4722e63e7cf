/** The tests' own `test`: with a demo for each worker, and a word for what the page says of itself. */

import { type BrowserContext, type Frame, type Page, test as base, expect } from "@playwright/test";

import { Demo } from "./demo.ts";

export const test = base.extend<object, { demo: Demo }>({
  demo: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern.
    async ({}, use) => {
      const demo = await Demo.start();
      await use(demo);
      await demo.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
});

export { expect };

/** Waits until the checkout in `where` shows `state`; the root element says it, for merchants' tests and for ours. */
export async function shows(where: Page | Frame, state: string): Promise<void> {
  await expect(where.locator("html")).toHaveAttribute("data-state", state);
}

/** Waits until the page's WASM has taken over. */
export async function live(where: Page | Frame): Promise<void> {
  await expect(where.locator("html[data-live]")).toHaveCount(1);
}

/** The checkout's frame inside a merchant's page, once it is there. */
export async function checkoutFrame(page: Page, index = 0): Promise<Frame> {
  const element = page.locator("iframe").nth(index);
  await expect(element).toBeAttached();
  const frame = await (await element.elementHandle())?.contentFrame();
  if (!frame) throw new Error("the iframe has no frame");
  return frame;
}

/** Shows `html` to the browser at `address`, as if a merchant served it there. */
export async function merchantPage(
  page: Page,
  address: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title><body>${body}</body></html>`;
  // Chromium does not know where an answer of ours came from, and so asks before such a page may reach this machine.
  await page.context().grantPermissions(["local-network-access"]);
  await page.route(address, (route) =>
    route.fulfill({ body: html, headers: { "content-type": "text/html; charset=utf-8", ...headers } }),
  );
  await page.goto(address);
}

/** What the clipboard holds. The checkout itself may only write to it, so another page has to read. */
export async function clipboard(context: BrowserContext, demo: Demo): Promise<string> {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const reader = await context.newPage();
  await reader.goto(demo.shop);
  await reader.bringToFront();
  const text = await reader.evaluate(() => navigator.clipboard.readText());
  await reader.close();
  return text;
}
