/** The shop's owner at his dashboard. */

import { type Page, expect } from "@playwright/test";

import type { Demo } from "./demo.ts";

const EMAIL = "owner@shop.example";
const PASSWORD = "seven green kettles sing";

/** Demos whose owner has chosen his password. */
const chosen = new WeakSet<Demo>();

/** Logs the owner in; the first time, he chooses his password by the letter's link. */
export async function enter(page: Page, demo: Demo): Promise<void> {
  const isKnown = chosen.has(demo);
  await page.goto(isKnown ? `${demo.server}/login` : demo.dashboard);
  if (isKnown) await page.locator("input[name=email]").fill(EMAIL);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.locator("main button[type=submit]").click();
  await expect(page).toHaveURL(/\/dashboard/);
  chosen.add(demo);
}

/** The address of a page of the shop's dashboard. */
export function desk(demo: Demo, part: string): string {
  return `${demo.server}/dashboard/${demo.merchant}${part}`;
}
