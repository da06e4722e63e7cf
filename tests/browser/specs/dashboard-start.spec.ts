/** From a stranger to a merchant with a confirmed payment; and the same pages without JavaScript. */

import { PASSWORD, address, descriptor, expect, logIn, logOut, send, shopOf, signUp, test } from "../lib/dashboard.ts";
import { checkoutFrame, live, merchantPage, shows } from "../lib/test.ts";

test("a stranger goes from the first visit to a confirmed payment on a page of their own", async ({ page, demo, visitor }) => {
  await page.goto(demo.server);
  await page.getByRole("link", { name: "Request one" }).click();
  const email = address("ada");
  await page.getByLabel("Your name").fill("Ada Lovelace");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Company or shop").fill("Analytical Tea");
  await page.getByRole("button", { name: "Request the account" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "requested");

  await page.goto(await demo.letters.linkTo(email, "/password"));
  await page.getByLabel("New password").fill(PASSWORD);
  await page.getByRole("button", { name: "Save and log in" }).click();
  const shop = await shopOf(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Analytical Tea");
  const steps = page.locator("ol.checklist > li");
  const step = page.locator("[aria-current=step]");

  await step.getByRole("link", { name: "Connect your wallet" }).click();
  await page.getByLabel("Output descriptor or extended public key").fill(descriptor());
  await page.getByRole("button", { name: "Show the first addresses" }).click();
  const shown = await page.locator("ol.addresses > li").allInnerTexts();
  expect(shown).toHaveLength(3);
  for (const receiving of shown) expect(receiving).toMatch(/^bcrt1q[0-9a-z]{38}$/);
  await page.getByLabel("These are the first addresses of my wallet").check();
  await page.getByRole("button", { name: "Use this wallet" }).click();
  await expect(page.locator("ol.addresses > li")).toHaveText(shown);
  await expect(async () => {
    await page.goto(shop);
    await expect(steps.nth(0)).toContainText("done", { timeout: 100 });
  }).toPass();

  await step.getByRole("link", { name: "Allow your domain" }).click();
  await page.getByLabel("Allowed domains").fill("teahouse.example");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "saved");

  await page.goto(shop);
  await step.getByRole("link", { name: "Paste the snippet" }).click();
  await page.getByLabel("Price").fill("42.50");
  await page.getByLabel("Order ID").fill("first-1");
  await page.getByRole("button", { name: "Create the snippet" }).click();
  const snippet = await page.getByLabel("For your page").inputValue();

  await page.goto(`${shop}/charges`);
  await expect(page.getByText("No charges yet")).toBeVisible();
  await page.evaluate(() => document.body.setAttribute("data-not-reloaded", ""));
  const shopper = await visitor();
  await merchantPage(shopper, "https://teahouse.example/cart", `<main><h1>Tea</h1>${snippet}</main>`);
  await shopper.locator("#bitit-iframe-trigger").click();
  const frame = await checkoutFrame(shopper);
  await shows(frame, "pending");
  await live(frame);
  const row = page.getByRole("row").filter({ hasText: "first-1" });
  await expect(row.locator(".state")).toHaveClass("state pending");
  await demo.pay(frame.url());
  await expect(row.locator(".state")).toHaveClass("state seen");
  await demo.mine();
  await expect(row.locator(".state")).toHaveClass("state confirmed");
  await shows(frame, "confirmed");
  await expect(page.locator("body[data-not-reloaded]")).toHaveCount(1);

  await row.getByRole("link").click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Order first-1");
  await expect(page.getByText("€42.50").first()).toBeVisible();
  await expect(page.getByRole("heading", { name: "What happened" })).toBeVisible();
  await page.goto(shop);
  await expect(steps.filter({ hasText: "Make a first payment" })).toHaveClass("done");
  await expect(step).toContainText("Set up a webhook");
});

test("who asks for too little is told next to the field, and keeps what they typed", async ({ page, demo }) => {
  await page.goto(`${demo.server}/signup`);
  // Not the browser, but the server is asked.
  await page.locator("form").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.getByLabel("Your name").fill("Ada");
  await page.getByLabel("E-mail address").fill("ada at tea");
  await page.getByLabel("Website (optional)").fill("not a site");
  await send(page);
  await expect(page.getByLabel("Your name")).toHaveValue("Ada");
  for (const label of ["E-mail address", "Company or shop", "Website (optional)"]) {
    const field = page.getByLabel(label);
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(/^Enter /);
  }
  await expect(page.getByLabel("E-mail address")).toHaveValue("ada at tea");
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("somebody gets an account, changes a setting, logs out and in again", async ({ page, demo }) => {
    const { email, shop } = await signUp(page, demo, "Grace");
    await page.getByRole("link", { name: "Settings" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Grace & Daughters");
    await page.getByLabel("Payment window").fill("30");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("status")).toHaveAttribute("data-done", "saved");
    await expect(page.getByLabel("Payment window")).toHaveValue("30");

    await page.getByLabel("Payment window").fill("soon");
    await page.getByLabel("Website").fill("https://grace.example");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toContainText("Nothing was changed");
    await expect(page.getByLabel("Payment window")).toHaveValue("soon");
    await expect(page.getByLabel("Payment window")).toHaveAccessibleDescription(/Enter 5 to 1440 minutes/);
    await expect(page.getByLabel("Website")).toHaveValue("https://grace.example");

    await logOut(page);
    await page.goto(`${shop}/settings`);
    await expect(page).toHaveURL(/\/login\?then=/);
    await logIn(page, demo, email);
    await expect(page).toHaveURL(shop);
    await page.goto(`${shop}/settings`);
    await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Grace & Daughters");
    for (const part of ["/charges", "/snippet", "/team", "/log", "/settings/look", "/settings/domains", "/figures"]) {
      const answer = await page.goto(`${shop}${part}`);
      expect(answer?.status(), part).toBe(200);
    }
  });
});
