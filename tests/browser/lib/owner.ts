/** The shop's owner at their dashboard. */

import { type Cookie, type Page, expect } from "@playwright/test";

import { asOwner } from "./dashboard.ts";
import type { Demo } from "./demo.ts";

/** The owner's session of each demo: logging in for every test would use up what one address may try. */
const sessions = new WeakMap<Demo, Cookie[]>();

/** Enters as the owner, with the session of the test before while it counts. */
export async function enter(page: Page, demo: Demo): Promise<void> {
  const session = sessions.get(demo);
  if (session) {
    await page.context().addCookies(session);
    await page.goto(desk(demo, ""));
  }
  if (!session || page.url().includes("/login")) await asOwner(page, demo);
  await expect(page).toHaveURL(/\/dashboard/);
  sessions.set(demo, await page.context().cookies());
}

/** The address of a page of the shop's dashboard. */
export function desk(demo: Demo, part: string): string {
  return `${demo.server}/dashboard/${demo.merchant}${part}`;
}
