/** What goes wrong between a shopper and a server, and must not cost anybody a payment. */

import { expect, live, shows, test } from "../lib/test.ts";

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the page is complete, and looks for news by itself", async ({ page, demo }) => {
    await page.goto(demo.link());
    await shows(page, "pending");
    const { uri } = await demo.view(page.url());
    await expect(page.getByRole("link", { name: "Open in wallet" })).toHaveAttribute("href", uri as string);
    await expect(page.getByRole("img", { name: /QR/ })).toBeVisible();
    await demo.pay(page.url());
    await demo.knows(page.url(), "seen");
    await expect(page.locator("html")).toHaveAttribute("data-state", "seen", { timeout: 40_000 });
  });

  test("the amount can be typed and sent", async ({ page, demo }) => {
    await page.goto(demo.link({}));
    await page.getByRole("textbox").fill("12.50");
    await page.getByRole("button").last().click();
    await shows(page, "pending");
  });
});

test("with WASM blocked the page goes on by reloading", async ({ page, demo }) => {
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(demo.link());
  await shows(page, "pending");
  await demo.pay(page.url());
  await expect(page.locator("html")).toHaveAttribute("data-state", "seen", { timeout: 40_000 });
  await demo.mine();
  await expect(page.locator("html")).toHaveAttribute("data-state", "confirmed", { timeout: 40_000 });
});

test("what happens between rendering and subscribing is not lost", async ({ page, demo }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const asked = page.waitForRequest("**/events*");
  await page.route("**/events*", async (route) => {
    await held;
    await route.continue();
  });
  // The poll that steps in for a slow stream would find the payment, too; here the stream has to.
  await page.route("**/status", (route) => route.abort());
  await page.goto(demo.link());
  await asked;
  await shows(page, "pending");
  await demo.pay(page.url());
  await demo.knows(page.url(), "seen");
  release();
  await shows(page, "seen");
});

test("what the stream says before WASM is there is not lost", async ({ page, demo }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await page.route("**/status", (route) => route.abort());
  const streams: string[] = [];
  page.on("request", (request) => void (request.url().includes("/events") && streams.push(request.url())));
  await page.goto(demo.link());
  await shows(page, "pending");
  await demo.pay(page.url());
  await page.waitForFunction(
    () => (window as unknown as { early: { kept: MessageEvent<string>[] } }).early.kept.some(({ data }) => data.includes('"seen"')),
  );
  release();
  await live(page);
  await shows(page, "seen");
  // It is the same stream that goes on.
  await demo.mine();
  await shows(page, "confirmed");
  expect(streams).toHaveLength(1);
});

test("where the stream does not open, polling takes over", async ({ page, demo }) => {
  await page.route("**/events*", () => {
    // Never answered: as when the browser has spent its connections to this server.
  });
  await page.goto(demo.link());
  await shows(page, "pending");
  await demo.pay(page.url());
  await shows(page, "seen");
});

test("offline and online again", async ({ context, page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  await context.setOffline(true);
  await demo.pay(page.url());
  await demo.knows(page.url(), "seen");
  await demo.mine();
  await demo.knows(page.url(), "confirmed");
  await context.setOffline(false);
  await shows(page, "confirmed");
});

test("a page that slept in the background is right when it comes back", async ({ context, page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  await demo.pay(page.url());
  await demo.knows(page.url(), "seen");
  await demo.mine();
  await demo.knows(page.url(), "confirmed");
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  await shows(page, "confirmed");
});

test("a page that was left and is gone back to is right", async ({ page, demo }) => {
  await page.goto(demo.link());
  const charge = page.url();
  await live(page);
  await page.goto(demo.shop);
  await demo.pay(charge);
  await demo.knows(charge, "seen");
  await page.goBack();
  await shows(page, "seen");
});

test("while the node is away the page says so, and paying goes on afterwards", async ({ page, demo }) => {
  await page.goto(demo.link());
  await live(page);
  const { address, amount_sat } = await demo.view(page.url());
  await demo.node(false);
  await expect(page.getByRole("status").filter({ hasText: /pay safely/i })).toBeVisible();
  await shows(page, "pending");
  await demo.node(true);
  await demo.paySats(address, amount_sat);
  await shows(page, "seen");
});

test("the server's clock counts, not the shopper's", async ({ page, demo }) => {
  await page.clock.install({ time: Date.now() - 3 * 60 * 60 * 1000 });
  await page.goto(demo.link());
  await shows(page, "pending");
  // Three hours slow, and still there are twenty minutes left, not two hundred.
  await expect(page.getByText(/(19|20)\smin/)).toBeVisible();
});
