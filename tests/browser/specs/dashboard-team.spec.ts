/** Several people in one shop: who may do what, and how it is handed over. */

import type { Page } from "@playwright/test";

import type { Demo } from "../lib/demo.ts";
import { PASSWORD, address, asOwner, expect, sensitively, send, shopOf, signUp, test } from "../lib/dashboard.ts";
import { shows } from "../lib/test.ts";

/** Invites somebody who has no account, and lets them join in `guest`; gives their address. */
async function invite(page: Page, guest: Page, demo: Demo, shop: string, role: string): Promise<string> {
  const email = address(role);
  await page.goto(`${shop}/team`);
  await sensitively(page, async () => {
    await page.locator("[name=email]").fill(email);
    await page.getByLabel("Role", { exact: true }).selectOption({ label: role });
    await page.getByRole("button", { name: "Send the invitation" }).click();
  });
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "team");
  await guest.goto(await demo.letters.linkTo(email, "/invitation"));
  await guest.getByLabel("Your name").fill(`The ${role}`);
  await guest.getByLabel("Password").fill(PASSWORD);
  await guest.getByRole("button", { name: "Join the team" }).click();
  expect(await shopOf(guest)).toBe(shop);
  return email;
}

/** Sends a form as the page itself could, with the token that it has; gives the status. */
async function force(page: Page, path: string, fields: Record<string, string> = {}): Promise<number> {
  return page.evaluate(
    async ([path, fields]) => {
      const csrf = document.querySelector<HTMLInputElement>("[name=csrf]")?.value as string;
      const body = new URLSearchParams({ ...fields, csrf });
      return (await fetch(path, { method: "POST", body, redirect: "manual" })).status;
    },
    [path, fields] as const,
  );
}

test("an invited accountant exports, and changes nothing", async ({ page, demo, visitor }) => {
  const order = `books-${process.pid}`;
  await page.goto(demo.link({ fiat_price_cents: 4200, external_order_id: order, buyer_email: "buyer@mail.example" }));
  await shows(page, "pending");
  const charge = new URL(page.url()).pathname.split("/").at(-1);
  const { shop } = await asOwner(page, demo);
  const guest = await visitor();
  await invite(page, guest, demo, shop, "Accountant");

  await guest.getByRole("link", { name: "Charges", exact: true }).click();
  await expect(guest.getByRole("row").filter({ hasText: order })).toContainText("buyer@mail.example");
  const [download] = await Promise.all([guest.waitForEvent("download"), guest.getByRole("link", { name: "Export as CSV" }).click()]);
  expect(download.suggestedFilename()).toMatch(/^charges-\d{4}-\d\d-\d\d\.csv$/);
  const lines = await guest.evaluate(async (path) => (await fetch(path)).text(), `${shop}/charges.csv?q=${order}`);
  expect(lines).toContain(order);

  const settings = ["", "/look", "/domains", "/webhooks", "/keys", "/links", "/wallet"].map((tab) => `/settings${tab}`);
  for (const part of ["", "/charges", `/charges/${charge}`, "/figures", ...settings]) {
    await guest.goto(`${shop}${part}`);
    // Settings that they may only read stand in forms that cannot be sent.
    const buttons = guest.locator("main form[method=post] button, main form[method=post] [type=submit]");
    await expect(buttons, part).toHaveCount(0);
    await expect(guest.locator("main form[method=post] :is(input, textarea, select):enabled:not([type=hidden])"), part).toHaveCount(0);
  }
  await guest.goto(`${shop}/team`);
  await expect(guest.locator("main form[method=post]")).toHaveCount(1);
  await expect(guest.getByRole("button", { name: "Leave the team" })).toBeVisible();
  const changes = ["/look", "/look/logo", "/domains", "/domains/add", "/webhooks", "/keys", "/links", "/links/rotate", "/wallet", "/wallet/confirm"];
  const acts = ["/cancel", "/accept", "/note", "/erase"].map((act) => `/charges/${charge}${act}`);
  for (const change of ["/settings", ...changes.map((one) => `/settings${one}`), "/team/invite", ...acts]) {
    expect(await force(guest, `${new URL(shop).pathname}${change}`), change).toBe(403);
  }
  const log = await guest.goto(`${shop}/log`);
  expect(log?.status()).toBe(403);
});

test("a viewer sees whose order it is only in part, and may not export", async ({ page, demo, visitor }) => {
  const order = `veil-${process.pid}`;
  await page.goto(demo.link({ fiat_price_cents: 4200, external_order_id: order, buyer_email: "veiled@mail.example" }));
  const charge = new URL(page.url()).pathname.split("/").at(-1);
  const { shop } = await asOwner(page, demo);
  const guest = await visitor();
  await invite(page, guest, demo, shop, "Viewer");
  for (const part of [`/charges?q=${order}`, `/charges/${charge}`, `/charges/${charge}/receipt`]) {
    await guest.goto(`${shop}${part}`);
    await expect(guest.getByText("v…@mail.example").first()).toBeVisible();
    expect(await guest.content()).not.toContain("veiled@");
  }
  await guest.goto(`${shop}/charges`);
  await expect(guest.getByRole("link", { name: "Export as CSV" })).toHaveCount(0);
  expect((await guest.goto(`${shop}/charges.csv`))?.status()).toBe(403);
});

test("roles change at once, members are removed, and to others the shop does not exist", async ({ page, demo, visitor }) => {
  const { shop } = await signUp(page, demo, "Olga");
  const guest = await visitor();
  const email = await invite(page, guest, demo, shop, "Viewer");
  await guest.goto(`${shop}/settings`);
  await expect(guest.getByLabel("Payment window")).toBeDisabled();

  await page.reload();
  await page.getByLabel(`Role ${email}`).selectOption("Manager");
  await page.getByRole("row").filter({ hasText: email }).getByRole("button", { name: "Change" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "team");
  await guest.reload();
  await guest.getByLabel("Payment window").fill("25");
  await send(guest);
  await expect(guest.getByRole("status")).toHaveAttribute("data-done", "saved");
  await page.goto(`${shop}/log`);
  await expect(page.getByRole("row").filter({ hasText: email }).filter({ hasText: "settings" }).first()).toBeVisible();

  await page.goto(`${shop}/team`);
  await page.getByRole("button", { name: `Remove ${email}` }).click();
  await expect(page.getByRole("row").filter({ hasText: email })).toHaveCount(0);
  expect((await guest.goto(`${shop}/settings`))?.status()).toBe(404);
});

test("a shop keeps an owner: it is handed over before the last one leaves", async ({ page, demo, visitor }) => {
  const { shop } = await signUp(page, demo, "Leo");
  const guest = await visitor();
  const email = await invite(page, guest, demo, shop, "Developer");
  await page.getByRole("button", { name: "Leave the team" }).click();
  await expect(page.getByRole("alert")).toBeVisible();

  await page.getByLabel(`Role ${email}`).selectOption("Owner");
  await page.getByRole("row").filter({ hasText: email }).getByRole("button", { name: "Change" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "team");
  await page.getByRole("button", { name: "Leave the team" }).click();
  await page.waitForURL(/\/dashboard$/);
  expect((await page.goto(shop))?.status()).toBe(404);
  await guest.goto(`${shop}/team`);
  await expect(guest.getByRole("row").filter({ hasText: email })).toContainText("(you)");
  await expect(guest.getByRole("button", { name: "Send the invitation" })).toBeVisible();
});

test("an invitation can be taken back", async ({ page, demo, visitor }) => {
  const { shop } = await signUp(page, demo, "Ines");
  const email = address("late");
  await page.goto(`${shop}/team`);
  await page.locator("[name=email]").fill(email);
  await send(page);
  const link = await demo.letters.linkTo(email, "/invitation");
  await page.getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "team");
  const guest = await visitor();
  expect((await guest.goto(link))?.status()).toBe(410);
});
