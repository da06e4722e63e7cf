/**
 * The page's figures in the real Chromium. `node page.ts JOB` reads what to do from the file JOB, tells its progress on standard
 * error, and prints one line of JSON; the Rust program that starts it makes the table.
 */

import { readFileSync } from "node:fs";

import { type Browser, type BrowserContext, type Page, chromium } from "@playwright/test";

import { launchOptions } from "../lib/chromium.ts";
import { type Access, Bitcoin } from "./node.ts";
import { type Noted, observe } from "./observe.ts";

interface Paid {
  page: string;
  transaction: string;
}

interface Job {
  origin: string;
  blank: string;
  link: string;
  loads: number;
  unpaid: string[];
  lived: Paid[];
  timed: Paid[];
  node: Access;
}

/** What the bars are measured under. */
const PROCESSOR_SLOWER = 4;
const LATENCY_MS = 150;
const BYTES_PER_SECOND = 1_600_000 / 8;
/** Longer than any entry of the browser takes to be told. */
const SETTLED_MS = 400;

const job = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Job;
const node = new Bitcoin(job.node);
const browser: Browser = await chromium.launch(launchOptions);

const foreignRequests = new Set<string>();
const stored = new Set<string>();
let cookies = 0;

try {
  process.stdout.write(`${JSON.stringify(await measured())}\n`);
} finally {
  node.close();
  await browser.close();
}

async function measured() {
  const figures = {
    chromium: `Chromium ${browser.version()}`,
    fcp: [] as number[],
    lcp: [] as number[],
    live: [] as number[],
    hydrated: [] as number[],
    blank: [] as number[],
    redirect: [] as number[],
    cls: [] as number[],
    inp: [] as number[],
    slowInp: [] as number[],
    interactions: 0,
    latency: [] as number[],
  };
  say("page loads over a slow line");
  for (let load = 0; load < job.loads; load++) {
    figures.blank.push(await blank());
    const noted = await opened(at(job.unpaid, load));
    figures.fcp.push(given(noted.fcp, "a first paint"));
    figures.lcp.push(given(noted.lcp, "a largest paint"));
    figures.hydrated.push(given(noted.hydrated, "data-live"));
    figures.live.push(Math.max(given(noted.event, "an event"), given(noted.hydrated, "data-live")));
    figures.redirect.push(await redirected());
  }
  say("pages from the first look to the end");
  for (let round = 0; round < job.loads; round++) {
    const noted = await lived(at(job.lived, 2 * round), 1);
    figures.cls.push(noted.cls);
    figures.inp.push(noted.longest);
    const slow = await lived(at(job.lived, 2 * round + 1), PROCESSOR_SLOWER);
    figures.cls.push(slow.cls);
    figures.slowInp.push(slow.longest);
    figures.interactions = Math.max(figures.interactions, slow.pressed);
  }
  say("payments while somebody looks");
  await fresh(async (context) => {
    for (const paid of job.timed) figures.latency.push(await shownAfter(context, paid));
  });
  return { ...figures, foreignRequests: [...foreignRequests], cookies, stored: [...stored] };
}

/** The charge's own page over a slow line, with an empty cache. */
function opened(address: string): Promise<Noted> {
  return fresh(async (context) => {
    const page = await slowPage(context);
    await page.goto(address);
    await page.waitForFunction(() => window.noted.hydrated !== null && window.noted.event !== null);
    await page.waitForTimeout(SETTLED_MS);
    return page.evaluate(() => window.noted);
  });
}

/** How long the link takes until it has led to the charge's page. */
function redirected(): Promise<number> {
  return fresh(async (context) => {
    const page = await slowPage(context);
    await page.goto(job.link);
    const ended = await page.evaluate(() => {
      const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
      return navigation?.redirectEnd ?? 0;
    });
    if (ended === 0) throw new Error(`the link led to no charge: ${await page.title()}`);
    return ended;
  });
}

/** The first paint of a page with one line, over the same line. */
function blank(): Promise<number> {
  return fresh(async (context) => {
    const page = await slowPage(context);
    await page.goto(job.blank);
    await page.waitForFunction(() => window.noted.fcp !== null);
    return given(await page.evaluate(() => window.noted.fcp), "a first paint");
  }, false);
}

/** A page that is opened, used, paid and confirmed. */
function lived({ page: address, transaction }: Paid, slower: number): Promise<Noted & { pressed: number }> {
  return fresh(async (context) => {
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: slower });
    await page.goto(address);
    await page.waitForFunction(() => window.noted.hydrated !== null && window.noted.event !== null);
    const pressed = await used(page);
    await node.send(transaction);
    await shows(page, "seen");
    await node.mine();
    await shows(page, "confirmed");
    await page.waitForTimeout(SETTLED_MS);
    const noted = await page.evaluate(() => window.noted);
    noted.shifted.forEach((shift) => say(`  shifted: ${shift}`));
    return { ...noted, pressed };
  });
}

/** Presses everything that can be pressed on the page without leaving it, and tells how much that was. */
async function used(page: Page): Promise<number> {
  let pressed = 0;
  for (const target of await page.locator("button, summary").all()) {
    if (!(await target.isVisible()) || !(await target.isEnabled())) continue;
    await target.click();
    pressed += 1;
    await page.waitForTimeout(100);
  }
  await page.keyboard.press("Tab");
  await page.keyboard.press("Shift+Tab");
  // What a finger does explains the shifts of the next half second; what follows must count.
  await page.waitForTimeout(600);
  return pressed + 2;
}

/** Milliseconds from the call of the node until the page shows the payment. */
async function shownAfter(context: BrowserContext, { page: address, transaction }: Paid): Promise<number> {
  const page = await context.newPage();
  await page.goto(address);
  await page.waitForFunction(() => window.noted.hydrated !== null && window.noted.event !== null);
  const called = await node.send(transaction);
  await shows(page, "seen");
  const shown = given(await page.evaluate(() => window.noted.states["seen"] ?? null), "the state seen");
  await page.close();
  return shown - called;
}

async function shows(page: Page, state: string): Promise<void> {
  await page.waitForFunction((wanted) => document.documentElement.dataset["state"] === wanted, state);
}

/** Does `work` in a browser profile of its own, and looks at what it leaves behind. */
async function fresh<T>(work: (context: BrowserContext) => Promise<T>, ours = true): Promise<T> {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 412, height: 823 } });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await context.addInitScript(observe);
  if (ours) {
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && url.origin !== job.origin) foreignRequests.add(request.url());
    });
  }
  try {
    const result = await work(context);
    if (ours) await searched(context);
    return result;
  } finally {
    await context.close();
  }
}

/** Cookies, and everything else that a page can leave in a browser. */
async function searched(context: BrowserContext): Promise<void> {
  cookies += (await context.cookies()).length;
  for (const page of context.pages()) {
    const found = await page.evaluate(async () => [
      ...Object.keys(localStorage).map((key) => `localStorage ${key}`),
      ...Object.keys(sessionStorage).map((key) => `sessionStorage ${key}`),
      ...(await indexedDB.databases()).map(({ name }) => `indexedDB ${name}`),
      ...(await caches.keys()).map((key) => `cache ${key}`),
    ]);
    found.forEach((item) => stored.add(item));
  }
}

async function slowPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: LATENCY_MS,
    downloadThroughput: BYTES_PER_SECOND,
    uploadThroughput: BYTES_PER_SECOND,
  });
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: PROCESSOR_SLOWER });
  return page;
}

function at<T>(list: T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new Error("the job has too little to do");
  return item;
}

function given(value: number | null, what: string): number {
  if (value === null) throw new Error(`the browser told of no ${what}`);
  return value;
}

function say(line: string): void {
  console.error(`[bench]   ${line}`);
}
