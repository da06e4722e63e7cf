/** WCAG 2.2 AA on every screen, by axe; and what axe cannot see: keyboard, language, size, motion. */

import AxeBuilder from "@axe-core/playwright";

import { screens, tidy } from "../lib/screens.ts";
import { clipboard, expect, live, shows, test } from "../lib/test.ts";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

for (const scheme of ["light", "dark"] as const) {
  for (const screen of screens) {
    test(`axe finds nothing on ${screen.name}, ${scheme}`, async ({ page, demo }) => {
      await page.emulateMedia({ colorScheme: scheme });
      await screen.reach(page, demo, "en");
      const axe = new AxeBuilder({ page }).withTags(RULES);
      // The shop and the checkout in its frame are two documents, each with a `main` of its own.
      if (screen.name.startsWith("frame")) axe.disableRules("landmark-unique");
      const { violations } = await axe.analyze();
      await tidy(screen, demo);
      const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
      expect(told).toEqual([]);
    });
  }
}

test("a shopper pays with the keyboard only", async ({ context, page, demo }) => {
  await context.grantPermissions(["clipboard-write"]);
  await page.goto(demo.link());
  await live(page);
  const { address } = await demo.view(page.url());
  const reached: string[] = [];
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      return element.getAttribute("aria-label") ?? element.textContent ?? "";
    });
    reached.push(name.trim());
    if (/copy.*address/i.test(name)) {
      await page.keyboard.press("Enter");
      await expect(page.getByText("Copied")).toBeVisible();
      expect(await clipboard(context, demo)).toBe(address);
      break;
    }
  }
  expect(reached.some((name) => /wallet/i.test(name)), `the wallet link is not reached: ${reached.join(", ")}`).toBe(true);
  expect(reached.at(-1)).toMatch(/copy.*address/i);
});

test("what has the focus can be seen to have it", async ({ page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  for (let presses = 0; presses < 6; presses++) {
    await page.keyboard.press("Tab");
    const outlined = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return true;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      return (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
    });
    expect(outlined).toBe(true);
  }
});

test("a change of state is announced once, politely", async ({ page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  const status = page.locator("[role='status'][aria-live='polite']");
  await expect(status).toHaveText("Waiting for your payment.");
  await demo.pay(page.url());
  await expect(status).toContainText("Payment received");
});

for (const ordered of [false, true]) {
  for (const viewport of [{ width: 1280, height: 1000 }, { width: 360, height: 1000 }]) {
    const how = `${ordered ? "with" : "without"} an order id, ${viewport.width} px wide`;
    // Each test has an order of its own: a worker may run both, and an order that is paid shows no second charge.
    const order: Record<string, string> = ordered ? { external_order_id: `A-${viewport.width}` } : {};
    test(`nothing shifts when the state changes, ${how}`, async ({ page, demo }) => {
      await page.setViewportSize(viewport);
      await page.addInitScript(() => {
        const shifts: string[] = [];
        Object.assign(window, { shifts });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[]) {
            shifts.push(`${entry.value} while ${document.documentElement.dataset.state}`);
          }
        }).observe({ type: "layout-shift", buffered: true });
      });
      await page.goto(demo.link({ fiat_price_cents: 4200, ...order }));
      await live(page);
      await demo.pay(page.url(), "half");
      await shows(page, "seen");
      await demo.pay(page.url());
      await expect(page.getByRole("status").filter({ hasText: "Payment received" })).toBeVisible();
      await demo.mine();
      await shows(page, "confirmed");
      expect(await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts)).toEqual([]);
    });
  }
}

for (const width of [320, 360]) {
  test(`the widest payment number stands in one line, ${width} px wide`, async ({ page, demo }) => {
    await page.setViewportSize({ width, height: 1000 });
    await page.goto(demo.link({ fiat_price_cents: 4200 }));
    await live(page);
    await demo.pay(page.url());
    await shows(page, "seen");
    const number = page.locator(".address dd").filter({ hasText: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ });
    const lines = await number.evaluate((element) => {
      // In most fonts `d` is the widest of the digits that a payment number can have.
      element.textContent = element.textContent.replace(/[0-9a-f]/g, "d");
      return element.getBoundingClientRect().height / Number.parseFloat(getComputedStyle(element).lineHeight);
    });
    expect(Math.round(lines)).toBe(1);
  });
}

test.describe("in French", () => {
  test("the page is French, and the amount is written as the French write it", async ({ page, demo }) => {
    await page.goto(demo.link({ fiat_price_cents: 123_456, lang: "fr" }));
    await expect(page.locator("html")).toHaveAttribute("lang", "fr");
    await expect(page.getByText(/1\s?234,56\s?€/).first()).toBeVisible();
    await demo.pay(page.url());
    await shows(page, "seen");
    await expect(page.locator("html")).toHaveAttribute("lang", "fr");
  });

  test("r40: an unknown language stops no sale, and the browser's own is taken", async ({ browser, demo }) => {
    const context = await browser.newContext({ locale: "fr-FR" });
    const page = await context.newPage();
    await page.goto(demo.link({ fiat_price_cents: 4200, lang: "xx" }));
    await shows(page, "pending");
    await expect(page.locator("html")).toHaveAttribute("lang", "fr");
    await context.close();
  });

  test("the language can be switched on the page", async ({ page, demo }) => {
    await page.goto(demo.link());
    await live(page);
    await page.getByRole("link", { name: "Français" }).click();
    await expect(page.locator("html")).toHaveAttribute("lang", "fr");
    await shows(page, "pending");
  });
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });

  test("amount, state and the wallet button are above the fold, and nothing scrolls sideways", async ({ page, demo }) => {
    await page.goto(demo.link());
    await live(page);
    for (const part of [page.getByText("€42.00").first(), page.getByRole("link", { name: "Open in wallet" })]) {
      await expect(part).toBeInViewport({ ratio: 1 });
    }
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });
});

test("at 400 % zoom nothing scrolls sideways", async ({ page, demo }) => {
  await page.setViewportSize({ width: 320, height: 256 });
  await page.goto(demo.link());
  await live(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});

test("in the dark the code keeps its white quiet zone", async ({ page, demo }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(demo.link());
  await live(page);
  const code = page.locator("svg[role='img'], [role='img'] svg").first();
  await expect(code).toBeVisible();
  const box = await code.boundingBox();
  expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(200);
});
