/** A shopkeeper with many shops: each test opens one of its own, without another account to be asked for. */

import type { Cookie, Page } from "@playwright/test";

import { PASSWORD, giveWallet, send, shopOf, signUp } from "./dashboard.ts";
import type { Demo } from "./demo.ts";

interface Keeper {
  session: Cookie[];
  shops: number;
}

/** As many shops as one person may add, less the first one. */
const MOST = 19;
const keepers = new WeakMap<Demo, Keeper>();

/** Opens a shop called `name`, in which sensitive things may be done at once; gives where its pages begin. */
export async function openShop(page: Page, demo: Demo, name: string): Promise<string> {
  const keeper = (await entered(page, demo)) ?? (await newcomer(page, demo));
  keeper.shops += 1;
  await page.goto(`${demo.server}/dashboard/new`);
  await page.getByLabel("Name, as shoppers will see it").fill(name);
  await send(page);
  return shopOf(page);
}

/** The same, with a wallet: shoppers can pay there. */
export async function openForTrade(page: Page, demo: Demo, name: string): Promise<string> {
  const shop = await openShop(page, demo, name);
  await giveWallet(page, shop);
  return shop;
}

/** The checkout of such a shop, as a link of it leads there. */
export function checkoutOf(shop: string, parameters: Record<string, string | number> = {}): string {
  const { origin, pathname } = new URL(shop);
  const query = new URLSearchParams({ fiat_price_cents: "4200" });
  for (const [name, value] of Object.entries(parameters)) query.set(name, String(value));
  return `${origin}/app/checkout/${pathname.split("/").at(-1)}?${query}`;
}

/** The keeper of the test before, while their session counts and they may have more shops. */
async function entered(page: Page, demo: Demo): Promise<Keeper | undefined> {
  const keeper = keepers.get(demo);
  if (!keeper || keeper.shops >= MOST) return undefined;
  await page.context().addCookies(keeper.session);
  // This page is shown to nobody who has not given their password lately.
  await page.goto(`${demo.server}/account/factor`);
  if (page.url().includes("/login")) return undefined;
  if (page.url().includes("/confirm")) {
    await page.locator("[name=own_password]").fill(PASSWORD);
    await send(page);
    await page.waitForURL(/\/account\/factor/);
  }
  return keeper;
}

async function newcomer(page: Page, demo: Demo): Promise<Keeper> {
  await page.context().clearCookies();
  await signUp(page, demo, "Kim");
  const keeper = { session: await page.context().cookies(), shops: 0 };
  keepers.set(demo, keeper);
  return keeper;
}
