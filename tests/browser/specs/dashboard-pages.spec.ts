/** Every page of the dashboard, in a shop where whatever people could write is markup that would do harm as such. */

import type { Page, Response } from "@playwright/test";

import { PASSWORD, excess, expect, send, test } from "../lib/dashboard.ts";
import type { Demo } from "../lib/demo.ts";
import { BUYER, FORMULAS, type Furnished, IMAGE, SCRIPT, furnished } from "../lib/furnished.ts";
import { checkoutOf } from "../lib/keeper.ts";
import { pageOf } from "../lib/letters.ts";
import { faultsOf, refusals, seen } from "../lib/sound.ts";

// One worker furnishes the shop once for all of them.
test.describe.configure({ mode: "default", timeout: 240_000 });

interface Leaf {
  path: string;
  /** What the answer says of itself, if that is not that all is well. */
  status?: number;
  /** It looks as another does: axe judges it once. */
  alike?: true;
  /** Markup that somebody wrote, and that stands there as text. */
  shows?: string[];
}

const NOWHERE = "00000000-0000-4000-8000-000000000000";
const pathOf = (link: string) => link.slice(new URL(link).origin.length);

/** What is shown to everybody. */
const outside = ({ links }: Furnished): Leaf[] => [
  { path: "/" },
  { path: "/login" },
  { path: "/login?then=%2Faccount", alike: true },
  { path: "/signup" },
  { path: "/password/forgot" },
  { path: pathOf(links.password) },
  { path: "/password?token=none", status: 410, alike: true },
  { path: pathOf(links.email) },
  { path: "/email?token=none", status: 410, alike: true },
  { path: pathOf(links.invitation), shows: [SCRIPT] },
  { path: "/invitation?token=none", status: 410, alike: true },
  { path: `/dashboard/${NOWHERE}` },
];

/** What is shown to somebody who has logged in, beside the shop. */
const inside: Leaf[] = [
  { path: "/dashboard", shows: [IMAGE, SCRIPT] },
  { path: "/dashboard/new" },
  { path: "/dashboard/merchant" },
  { path: "/account", shows: [IMAGE] },
  { path: "/account/factor" },
  { path: "/confirm?then=%2Faccount" },
  { path: "/login/code" },
  { path: `/dashboard/${NOWHERE}`, status: 404 },
];

/** The shop's own. */
const within = ({ charge, webhook }: Furnished): Leaf[] => [
  { path: "", shows: [SCRIPT] },
  { path: "/charges", shows: [IMAGE, SCRIPT, ...FORMULAS.map((formula) => formula.trim())] },
  { path: "/charges?q=nothing&state=seen&from=2026-01-01&to=2026-01-02", alike: true },
  { path: "/charges?from=x", status: 422, alike: true },
  { path: charge, shows: [IMAGE, SCRIPT] },
  { path: `${charge}/receipt`, shows: [IMAGE, SCRIPT] },
  { path: `/charges/${NOWHERE}`, status: 404, alike: true },
  { path: "/figures" },
  { path: "/settings", shows: [SCRIPT] },
  { path: "/settings/wallet" },
  { path: "/settings/domains" },
  { path: "/settings/domains?page=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", alike: true },
  { path: "/settings/domains?page=shop.example", alike: true },
  { path: "/settings/look" },
  { path: "/settings/webhooks" },
  { path: webhook, shows: [IMAGE, SCRIPT] },
  { path: "/settings/keys", shows: [IMAGE, SCRIPT] },
  { path: "/settings/links" },
  { path: "/snippet", alike: true },
  { path: `/snippet?kind=link&order_id=${encodeURIComponent(IMAGE)}&label=${encodeURIComponent(SCRIPT)}`, alike: true },
  { path: "/snippet?kind=signed&price=42" },
  { path: "/snippet?price=x", status: 422, alike: true },
  { path: "/team", shows: [IMAGE] },
  { path: "/log", shows: [IMAGE, SCRIPT] },
];

/** Those of a shop in which nothing was done yet. */
const unused: Leaf[] = [
  { path: "", shows: [IMAGE] },
  { path: "/charges", alike: true },
  { path: "/settings/wallet" },
  { path: "/settings/keys", alike: true },
  { path: "/settings/webhooks", alike: true },
  { path: "/snippet?kind=signed&price=42", status: 422, alike: true },
];

/** Pages that the loops have not seen, though others lead there. */
function unseen(linked: Set<string>, visited: Leaf[]): string[] {
  const kind = (path: string) => (path.split("?")[0] as string).replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "*");
  const known = new Set([...visited.map(({ path }) => kind(path)), "/dashboard/*/charges.csv"]);
  const ours = /^\/(dashboard|account|login|signup|password|email|invitation|confirm)\b/;
  return [...linked].map(kind).filter((path) => ours.test(path) && !known.has(path));
}

/** Opens all pages one after the other, and says what is wrong with them. */
async function walk(page: Page, demo: Demo, leaves: Leaf[], lang: string, linked: Set<string>): Promise<string[]> {
  const isFirst = lang === "en";
  const faults: string[] = [];
  const { width, height } = page.viewportSize() as { width: number; height: number };
  for (const { path, status, shows, alike } of leaves) {
    const answer = (await page.goto(`${demo.server}${path}${path.includes("?") ? "&" : "?"}lang=${lang}`)) as Response;
    const told = [...refusals(answer, status), ...(await faultsOf(page, lang, shows, isFirst || !alike))];
    if (width < 400) {
      await page.setViewportSize({ width: 320, height });
      if ((await excess(page)) > 0) told.push(`at 320 px too wide by ${await excess(page)} px`);
      await page.setViewportSize({ width, height });
    }
    faults.push(...told.map((fault) => `${path}: ${fault}`));
    const links = page.locator("a[href^='/']");
    for (const href of await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")))) linked.add(href as string);
  }
  return faults;
}

for (const [lang, colorScheme, width] of [["en", "light", 360], ["fr", "dark", 1280]] as const) {
  test(`every page is sound, ${width} px wide, ${colorScheme}, ${lang}`, async ({ page, demo, visitor }) => {
    const shop = await furnished(page, demo, visitor);
    await page.setViewportSize({ width, height: 740 });
    await page.emulateMedia({ colorScheme });
    await page.goto(`${demo.server}/account`);
    await page.locator("[name=language]").selectOption(lang);
    await send(page);
    await expect(page.locator("html")).toHaveAttribute("lang", lang);

    const stranger = await visitor({ locale: lang, colorScheme, viewport: { width, height: 740 } });
    const below = (base: string, leaves: Leaf[]) => leaves.map((leaf) => ({ ...leaf, path: pathOf(base) + leaf.path }));
    const own = [...below(shop.shop, within(shop)), ...below(shop.empty, unused)];
    const linked = new Set<string>();
    const open = outside(shop);
    // Somebody who has logged in opens them, too.
    const both = open.filter(({ path, status }) => !status && !/^\/($|login|dashboard)/.test(path));
    const faults = [
      ...(await walk(stranger, demo, open, lang, linked)),
      ...(await walk(page, demo, [...inside, ...own, ...(lang === "en" ? both : [])], lang, linked)),
    ];
    expect(faults).toEqual([]);
    expect(unseen(linked, [...open, ...inside, ...own])).toEqual([]);
  });
}

test("what was typed into a form comes back as text", async ({ page, demo, visitor }) => {
  const { shop } = await furnished(page, demo, visitor);
  const stranger = await visitor();
  const inform = async (where: Page, url: string, fields: Record<string, string>) => {
    await where.goto(url);
    const form = where.locator("main form[method=post]").filter({ has: where.locator(`[name=${Object.keys(fields)[0]}]`) }).first();
    await form.evaluate((element: HTMLFormElement) => (element.noValidate = true));
    for (const [name, value] of Object.entries(fields)) await form.locator(`[name=${name}]`).fill(value);
    const answered = where.waitForResponse((response) => response.request().method() === "POST");
    await form.locator("button").first().click();
    const told = refusals(await answered, 422);
    await where.waitForLoadState();
    const lang = (await where.locator("html").getAttribute("lang")) as string;
    const kept = Object.entries(fields).filter(([name]) => name !== "password");
    return [...told, ...(await faultsOf(where, lang, kept.map(([, value]) => value)))].map((fault) => `${url}: ${fault}`);
  };
  const faults = [
    ...(await inform(stranger, `${demo.server}/login`, { email: IMAGE, password: SCRIPT })),
    ...(await inform(stranger, `${demo.server}/signup`, { name: SCRIPT, email: IMAGE, site: SCRIPT })),
    ...(await inform(stranger, `${demo.server}/password/forgot`, { email: IMAGE })),
    ...(await inform(page, `${demo.server}/account`, { email: IMAGE })),
    ...(await inform(page, `${demo.server}/dashboard/new`, { name: SCRIPT, site: IMAGE })),
    ...(await inform(page, `${shop}/settings`, { site: IMAGE, window_secs: SCRIPT })),
    ...(await inform(page, `${shop}/settings/domains`, { origins: IMAGE })),
    ...(await inform(page, `${shop}/settings/webhooks`, { url: IMAGE })),
    ...(await inform(page, `${shop}/team`, { email: IMAGE })),
  ];
  expect(faults).toEqual([]);
});

test("what was sent too late is kept as text while its sender is asked who they are", async ({ page, demo, visitor }) => {
  const { shop } = await furnished(page, demo, visitor);
  await page.goto(`${shop}/settings/keys`);
  await demo.advance(16 * 60);
  await page.locator("[name=name]").fill(IMAGE + SCRIPT.slice(0, 20));
  await send(page);
  const lang = (await page.locator("html").getAttribute("lang")) as string;
  expect(await faultsOf(page, lang, [IMAGE + SCRIPT.slice(0, 20)])).toEqual([]);
  await page.locator("[name=own_password]").fill(PASSWORD);
  await send(page);
  await expect(page.locator("#secret")).toBeVisible();
  expect(await faultsOf(page, lang, [IMAGE + SCRIPT.slice(0, 20)])).toEqual([]);
});

test("a payment that comes to the list by itself is text", async ({ page, demo, visitor }) => {
  const { shop } = await furnished(page, demo, visitor);
  const order = `${IMAGE}${Date.now()}`;
  await page.goto(`${shop}/charges?q=${encodeURIComponent(order)}`);
  const rows = page.locator("table.charges tbody tr");
  await expect(rows).toHaveCount(0);
  const shopper = await visitor();
  await shopper.goto(checkoutOf(shop, { external_order_id: order, buyer_email: BUYER }));
  await expect(rows).toContainText([order]);
  await demo.pay(shopper.url());
  await expect(rows).toContainText([/Received|Reçu/]);
  expect((await seen(page)).strange).toEqual([]);
});

test("in letters, what others wrote is text", async ({ page, demo, visitor }) => {
  const shop = await furnished(page, demo, visitor);
  const read = async () => (await Promise.all(shop.readers.map((reader) => demo.letters.all(reader)))).flat();
  // A receipt is on its way once the payment is confirmed.
  await expect.poll(async () => (await read()).some((letter) => letter.includes("Subject: Receipt"))).toBe(true);
  const letters = await read();
  for (const subject of ["Choose your password", "Key created", "The team changed", "Invitation to", "Receipt from"]) {
    expect(letters.filter((letter) => new RegExp(`^Subject: .*(${subject})`, "im").test(letter)), subject).not.toEqual([]);
  }
  for (const letter of letters) {
    await page.setContent(pageOf(letter));
    const strange = await page.evaluate(() => {
      const handled = [...document.querySelectorAll("*")].filter((one) => one.getAttributeNames().some((name) => /^on/.test(name)));
      const active = document.querySelectorAll("script, iframe, img, form, object, embed, link, base");
      const links = [...document.querySelectorAll("a")].filter((link) => !/^https?:$/.test(link.protocol));
      return [...handled, ...active, ...links].map((element) => element.outerHTML);
    });
    expect(strange, letter).toEqual([]);
  }
});

test("in the export, what strangers wrote is no formula", async ({ page, demo, visitor }) => {
  const { shop } = await furnished(page, demo, visitor);
  await page.goto(`${shop}/charges`);
  const text = await page.evaluate(async (path) => (await fetch(path)).text(), `${shop}/charges.csv`);
  const cells = text.split("\r\n").flatMap((line) => [...line.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map(([, cell]) => cell as string));
  const values = cells.map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
  // Where commas are decimal, a spreadsheet parts lines at their semicolons.
  expect(values.flatMap((value) => value.split(";")).filter((part) => /^\s*[=+\-@]/.test(part))).toEqual([]);
  for (const formula of FORMULAS) expect(values).toContain(formula.startsWith("A;") ? "A;'=1+1;B" : `'${formula}`);
  for (const probe of [IMAGE, SCRIPT]) expect(values).toContain(probe);
});
