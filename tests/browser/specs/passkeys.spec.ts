/** Passkeys with Chromium's own authenticator: added, used at the login and to confirm, removed. */

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { Demo } from "../lib/demo.ts";
import { expect, test } from "../lib/test.ts";

const EMAIL = "owner@shop.example";
const PASSWORD = "seven green kettles sing";

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

async function logIn(page: Page, demo: Demo): Promise<void> {
  await page.goto(`${demo.server}/login`);
  await page.locator("[name=email]").fill(EMAIL);
  await page.locator("[name=password]").fill(PASSWORD);
  await page.locator("main button.main").click();
  await expect(page).toHaveURL(/\/login\/code/);
}

async function logOut(page: Page): Promise<void> {
  await page.locator("form[action='/logout'] button").click();
  await expect(page).toHaveURL(/\/login/);
}

test("a passkey is added, lets its owner in, confirms, and is removed", async ({ page, browser }) => {
  // A demo of its own: the owner chooses their password here.
  const demo = await Demo.start();
  try {
    const faults: string[] = [];
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    const session = await page.context().newCDPSession(page);
    await session.send("WebAuthn.enable");
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });

    await page.goto(demo.dashboard);
    await page.locator("[name=password]").fill(PASSWORD);
    await page.locator("main button.main").click();
    await expect(page).toHaveURL(/\/dashboard/);

    await page.goto(`${demo.server}/account/factor`);
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await page.getByLabel("Name").fill("Phone");
    await press(page, "Add a passkey");
    await expect(page.locator("ul.codes > li")).toHaveCount(10);
    const codes = await page.locator("ul.codes > li").allInnerTexts();

    // A second one gives no codes, and this authenticator makes none: it has one already.
    await page.goto(`${demo.server}/account/factor`);
    await expect(page.getByRole("listitem").filter({ hasText: "Phone" })).toContainText("never");
    await page.getByLabel("Name").fill("Again");
    await press(page, "Add a passkey");
    await expect(page.getByRole("alert")).toContainText("No passkey was created");

    await logOut(page);
    await logIn(page, demo);
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await press(page, "Use a passkey");
    await expect(page).toHaveURL(/\/dashboard/);

    // After a quarter of an hour it stands for the password too.
    await demo.advance(16 * 60);
    await page.goto(`${demo.server}/account/factor`);
    await expect(page).toHaveURL(/\/confirm\?then=/);
    await press(page, "Use a passkey");
    await expect(page).toHaveURL(/\/account\/factor$/);
    await expect(page.getByRole("listitem").filter({ hasText: "Phone" })).not.toContainText("never");

    // Whoever lacks it stays out, but for a recovery code; without a script the button is not there.
    const context = await browser.newContext({ javaScriptEnabled: false });
    const plain = await context.newPage();
    await demo.advance(60);
    await logIn(plain, demo);
    await expect(plain.getByRole("button", { name: "Use a passkey" })).toBeHidden();
    await plain.locator("[name=code]").fill("123456");
    await press(plain, "Continue");
    await expect(plain.locator("[name=code]")).toHaveAttribute("aria-invalid", "true");
    await plain.locator("[name=code]").fill(codes[0] as string);
    await press(plain, "Continue");
    await expect(plain).toHaveURL(/\/dashboard/);
    await context.close();

    // A device that answers no more says so on the page.
    await logOut(page);
    await demo.advance(60);
    await logIn(page, demo);
    await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await press(page, "Use a passkey");
    await expect(page.locator("main [role=alert]:visible, main [aria-invalid=true]").first()).toBeVisible();
    await session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    await press(page, "Use a passkey");
    await expect(page).toHaveURL(/\/dashboard/);

    await page.goto(`${demo.server}/account/factor`);
    await page.getByRole("button", { name: "Remove Phone" }).click();
    await expect(page.getByText("No passkeys yet.")).toBeVisible();
    await page.goto(`${demo.server}/account`);
    await expect(page.getByText(/^Off\./)).toBeVisible();
    expect(faults.filter((fault) => !fault.includes("422"))).toEqual([]);
  } finally {
    await demo.stop();
  }
});
