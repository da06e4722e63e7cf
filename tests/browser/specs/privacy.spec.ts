/** What the checkout never does: keep something in the browser, or tell somebody else. */

import { expect, live, shows, test } from "../lib/test.ts";

test("no cookie, no storage, no request to another origin", async ({ context, page, demo }) => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== demo.server) elsewhere.push(request.url());
  });
  await page.goto(demo.link());
  await live(page);
  await demo.pay(page.url());
  await shows(page, "seen");
  expect(elsewhere).toEqual([]);
  expect(await context.cookies()).toEqual([]);
  const kept = await page.evaluate(async () => [
    localStorage.length,
    sessionStorage.length,
    (await indexedDB.databases()).length,
    (await caches.keys()).length,
    (await navigator.serviceWorker.getRegistrations()).length,
  ]);
  expect(kept).toEqual([0, 0, 0, 0, 0]);
});

test("r23: the page shows nothing of the buyer, and sends no referrer", async ({ page, demo }) => {
  const answer = await page.goto(demo.link({ fiat_price_cents: 4200, buyer_email: "someone@example.com" }));
  expect(answer?.headers()["referrer-policy"]).toBe("no-referrer");
  expect(await page.content()).not.toContain("someone@example.com");
});

test("the policy of the page is strict, and nothing breaks it", async ({ page, demo }) => {
  const broken: string[] = [];
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) broken.push(message.text());
  });
  page.on("pageerror", (error) => broken.push(error.message));
  const answer = await page.goto(demo.link());
  await live(page);
  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain(`frame-ancestors ${demo.shop}`);
  expect(policy).not.toMatch(/'unsafe-(inline|eval)'/);
  expect(answer?.headers()["cache-control"]).toContain("no-store");
  expect(answer?.headers()["x-content-type-options"]).toBe("nosniff");
  // For the rest of the amount the page fetches another code, and reads it out of a page with a policy of its own.
  const code = page.locator(".code");
  const whole = (await code.getAttribute("data-text")) as string;
  await demo.pay(page.url(), "half");
  await expect(code).toHaveAttribute("data-text", /amount=/i);
  await expect(code).not.toHaveAttribute("data-text", whole);
  await demo.pay(page.url());
  await demo.mine();
  await shows(page, "confirmed");
  expect(broken).toEqual([]);
});

test("r24: looking ahead makes no charge", async ({ page, demo, request }) => {
  const head = await request.head(demo.link(), { maxRedirects: 0 });
  expect(head.status()).not.toBe(303);
  const ahead = await request.get(demo.link(), {
    headers: { "sec-purpose": "prefetch", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
    maxRedirects: 0,
  });
  expect(ahead.status()).not.toBe(303);
  // A person gets a button where the browser does not say that this is a navigation.
  const bare = await request.get(demo.link(), { maxRedirects: 0 });
  expect(bare.status()).toBe(200);
  expect(await bare.text()).toContain("<form");
  await page.goto(demo.link());
  await shows(page, "pending");
});
