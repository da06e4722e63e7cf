/** A person's own account: the second factor, the password, the address, the sessions. */

import { PASSWORD, address, code, expect, logIn, logOut, send, signUp, test } from "../lib/dashboard.ts";

test("with a second factor a password alone is not enough, and a recovery code counts once", async ({ page, demo }) => {
  const { email, shop } = await signUp(page, demo, "Tove");
  await page.goto(`${demo.server}/account`);
  await page.getByRole("link", { name: "Set up" }).click();
  const secret = await page.locator("main code").innerText();
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Turn it on" }).click();
  await expect(page.getByLabel("Code", { exact: true })).toHaveAttribute("aria-invalid", "true");
  // A wrong code is no reason to scan once more.
  await expect(page.locator("main code")).toHaveText(secret);
  const current = async () => code(secret, await demo.now());
  await page.getByLabel("Code", { exact: true }).fill(await current());
  await page.getByRole("button", { name: "Turn it on" }).click();
  const codes = await page.locator("ul.codes > li").allInnerTexts();
  expect(codes).toHaveLength(10);
  await page.getByRole("link", { name: "I have saved them" }).click();
  await expect(page.getByText("10 recovery codes left")).toBeVisible();

  await logOut(page);
  // A code counts once, so the next one is waited for.
  await demo.advance(60);
  await logIn(page, demo, email);
  await expect(page).toHaveURL(/\/login\/code/);
  await page.goto(shop);
  await expect(page).toHaveURL(/\/login\/code\?then=/);
  await page.getByLabel("Code", { exact: true }).fill("123456");
  await send(page);
  await expect(page.getByLabel("Code", { exact: true })).toHaveAccessibleDescription(/The code is wrong/);
  await page.getByLabel("Code", { exact: true }).fill(await current());
  await send(page);
  await expect(page).toHaveURL(shop);

  for (const [attempt, left] of [["first", true], ["second", false]] as const) {
    await logOut(page);
    await logIn(page, demo, email);
    await page.getByLabel("Code", { exact: true }).fill(codes[0] as string);
    await send(page);
    if (left) await expect(page, attempt).toHaveURL(shop);
    else await expect(page.getByLabel("Code", { exact: true }), attempt).toHaveAttribute("aria-invalid", "true");
  }
});

test("a forgotten password is replaced by a letter's link, which counts once", async ({ page, demo, visitor }) => {
  const { email, shop } = await signUp(page, demo, "Rosa");
  const other = await visitor();
  await demo.advance(60);
  await other.goto(`${demo.server}/login`);
  await other.getByRole("link", { name: "Forgot your password?" }).click();
  await other.getByLabel("E-mail address").fill(email);
  await other.getByRole("button", { name: "Send the link" }).click();
  await expect(other.getByRole("status")).toBeVisible();
  const link = await demo.letters.linkTo(email, "/password");
  await other.goto(link);
  await other.getByLabel("New password").fill("password1234");
  await send(other);
  await expect(other.getByLabel("New password")).toHaveAccessibleDescription(/easy to guess/);
  await other.getByLabel("New password").fill("nine quiet lanterns drift");
  await send(other);
  await expect(other).toHaveURL(shop);
  // Whoever had the old one is out.
  await page.goto(shop);
  await expect(page).toHaveURL(/\/login/);
  expect((await page.goto(link))?.status()).toBe(410);
  await page.goto(`${demo.server}/login`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await send(page);
  await expect(page.getByText("The e-mail address or the password is wrong.")).toBeVisible();
  await expect(page.getByLabel("E-mail address")).toHaveValue(email);
});

test("sessions are listed, and ended one by one or all at once", async ({ page, demo, visitor }) => {
  const { email, shop } = await signUp(page, demo, "Sven");
  const others = [await visitor({ userAgent: "A telephone" }), await visitor({ userAgent: "A library" }), await visitor({ userAgent: "A train" })];
  for (const other of others) await logIn(other, demo, email);
  const outside = async (other: (typeof others)[number]) => {
    await other.goto(shop);
    return new URL(other.url()).pathname === "/login";
  };
  await page.goto(`${demo.server}/account`);
  await expect(page.getByText("this one")).toHaveCount(1);
  await page.getByRole("row").filter({ hasText: "A telephone" }).getByRole("button", { name: "End" }).click();
  await expect(page.getByRole("row").filter({ hasText: "A telephone" })).toHaveCount(0);
  expect(await Promise.all(others.map(outside))).toEqual([true, false, false]);
  await page.getByRole("button", { name: "End all other sessions" }).click();
  await expect(page.getByRole("row").filter({ hasText: /A library|A train/ })).toHaveCount(0);
  expect(await Promise.all(others.map(outside))).toEqual([true, true, true]);
});

test("an address is changed by the new mailbox alone, and a password by who knows the old one", async ({ page, demo }) => {
  const { email, shop } = await signUp(page, demo, "Nora");
  const fresh = address("newnora");
  await page.goto(`${demo.server}/account`);
  await page.getByLabel("New address").fill(fresh);
  await page.getByRole("button", { name: "Send a link to the new address" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "asked");
  await expect(page.getByText(`E-mail address: ${email}`)).toBeVisible();
  await page.goto(await demo.letters.linkTo(fresh, "/email"));
  await page.getByRole("button", { name: "Use this address" }).click();

  // A quarter of an hour later the password has to be given again.
  await demo.advance(16 * 60);
  if (page.url().includes("/login")) await logIn(page, demo, fresh);
  await page.goto(`${demo.server}/account`);
  await expect(page.getByText(`E-mail address: ${fresh}`)).toBeVisible();
  await demo.advance(16 * 60);
  await page.getByLabel("New password").fill("nine quiet lanterns drift");
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByRole("heading", { name: "Confirm that it is you" })).toBeVisible();
  await page.getByLabel("Password").fill("something else entirely");
  await send(page);
  await expect(page.getByLabel("Password")).toHaveAttribute("aria-invalid", "true");
  // What was filled in before goes on with it.
  await page.getByLabel("Password").fill(PASSWORD);
  await send(page);
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "password");
  await logOut(page);
  await logIn(page, demo, fresh, "nine quiet lanterns drift");
  await expect(page).toHaveURL(shop);
  expect((await demo.letters.all(email)).length, "the old mailbox is told").toBeGreaterThan(1);
});
