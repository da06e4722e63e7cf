/** The merchant's charges: found, followed, decided, taken away. With a script and without, wide and narrow. */

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import type { Demo } from "../lib/demo.ts";
import { desk, enter } from "../lib/owner.ts";
import { expect, test } from "../lib/test.ts";

const PROBE = '"><script>window.probed = 1</script>';

/** What axe and the browser find wrong with the page as it is. */
async function isClean(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
  expect(told, page.url()).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0);
}

/** Makes a charge as a shopper does, in a tab of their own, and gives its page. */
async function shop(page: Page, demo: Demo, order: string): Promise<string> {
  const tab = await page.context().newPage();
  await tab.goto(demo.link({ fiat_price_cents: 4200, external_order_id: order, buyer_email: "anna@shop.example" }));
  const url = tab.url();
  await tab.close();
  return url;
}

/** Complaints of the browser: a policy that is broken, a script that fails. */
function complaints(page: Page): string[] {
  const heard: string[] = [];
  page.on("console", (message) => message.type() === "error" && heard.push(message.text()));
  page.on("pageerror", (error) => heard.push(error.message));
  return heard;
}

for (const width of [1280, 320]) {
  test(`every page of a charge is clean on ${width} px`, async ({ page, demo }) => {
    await page.setViewportSize({ width, height: 800 });
    const heard = complaints(page);
    await enter(page, demo);
    const order = `${PROBE}${width}`;
    const url = await shop(page, demo, order);
    await demo.pay(url);
    await demo.knows(url, "seen");
    await page.goto(`${desk(demo, "/charges")}?q=${encodeURIComponent(order)}`);
    await isClean(page);
    await page.locator("table.charges a").click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("<script>");
    await isClean(page);
    await page.getByRole("link", { name: "Receipt" }).click();
    await expect(page.getByRole("button", { name: "Print" })).toBeVisible();
    await isClean(page);
    await page.goto(desk(demo, "/figures"));
    await page.locator("summary").click();
    await isClean(page);
    await page.goto(`${desk(demo, "/charges")}?from=x`);
    await isClean(page);
    expect(await page.evaluate(() => "probed" in window)).toBe(false);
    // The last page is a 422, which the browser calls an error.
    expect(heard.filter((text) => !text.includes("422"))).toEqual([]);
  });
}

test("the list follows what happens, and keeps the focus", async ({ page, demo }) => {
  const heard = complaints(page);
  await enter(page, demo);
  const url = await shop(page, demo, "follow-1");
  await page.goto(`${desk(demo, "/charges")}?q=follow-`);
  const row = page.locator("table.charges tbody tr");
  await expect(row.locator(".state")).toHaveClass("state pending");
  await row.getByRole("link").focus();
  await demo.pay(url);
  await expect(row.locator(".state")).toHaveClass("state seen");
  await expect(row.getByRole("link")).toBeFocused();
  await demo.mine();
  await expect(row.locator(".state")).toHaveClass("state confirmed");
  expect(heard).toEqual([]);
});

test("late money is accepted once, and a page that is behind is told so", async ({ context, page, demo }) => {
  await enter(page, demo);
  const url = await shop(page, demo, "late-1");
  await demo.advance(3_600);
  await demo.knows(url, "timedout");
  const { address } = await demo.view(url);
  await demo.paySats(address, 84_000);
  await demo.knows(url, "failed");
  await page.goto(`${desk(demo, "/charges")}?q=${address}`);
  await page.locator("table.charges a").click();
  await expect(page.getByText("Decide below")).toBeVisible();
  const behind = await context.newPage();
  await behind.goto(page.url());
  await page.getByRole("button", { name: "Accept this money" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "accepted");
  await behind.getByRole("button", { name: "Accept this money" }).click();
  await expect(behind.getByRole("heading", { level: 1 })).toHaveText("Nothing was changed");
  await expect(behind.getByText("was accepted manually")).toBeVisible();
  await isClean(behind);
  await demo.mine();
  await demo.knows(url, "confirmed");
});

test.describe("without a script", () => {
  test.use({ javaScriptEnabled: false });

  test("a charge is found, noted, told again, cancelled and erased", async ({ page, demo }) => {
    await enter(page, demo);
    const url = await shop(page, demo, "plain-1");
    await page.goto(desk(demo, "/charges"));
    await page.getByLabel("Search").fill("plain-");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.locator("table.charges a").click();
    await expect(page.getByText("anna@shop.example")).toBeVisible();
    await page.getByRole("textbox", { name: "Your note" }).fill("Called twice");
    await page.getByRole("button", { name: "Save the note" }).click();
    await expect(page.getByRole("textbox", { name: "Your note" })).toHaveValue("Called twice");
    await page.getByRole("button", { name: "Cancel the charge" }).click();
    await demo.knows(url, "failed");
    await page.getByRole("button", { name: /^Deliver again charge:failed/ }).click();
    await expect(page.getByRole("status")).toHaveAttribute("data-done", "redelivered");
    await page.getByLabel("Yes, erase them").check();
    await page.getByRole("button", { name: "Erase personal data" }).click();
    await expect(page.getByRole("status")).toHaveAttribute("data-done", "erased");
    await expect(page.getByText("anna@shop.example")).toHaveCount(0);
    await expect(page.getByRole("textbox", { name: "Your note" })).toHaveValue("");
  });
});

test("the export is a file with a line for each charge", async ({ page, demo }) => {
  await enter(page, demo);
  await shop(page, demo, "=1+1");
  await page.goto(`${desk(demo, "/charges")}?q=${encodeURIComponent("=1")}`);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as CSV" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^charges-\d{4}-\d\d-\d\d\.csv$/);
  const stream = await file.createReadStream();
  let text = "";
  for await (const chunk of stream) text += chunk;
  const lines = text.trim().split("\r\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain(",'=1+1,anna@shop.example,42.00,");
});
