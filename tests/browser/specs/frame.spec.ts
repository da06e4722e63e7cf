/** The checkout in a merchant's page: the loader's contract, and who may frame. */

import { type ConsoleMessage, type Page, expect } from "@playwright/test";

import { checkoutFrame, live, merchantPage, shows, test } from "../lib/test.ts";

/** A merchant's wrapper with a trigger of one kind. */
function wrapper(merchant: string, element = "button", attributes = "", label = "Pay with Bitcoin"): string {
  const link = element === "a" ? 'href="/?elsewhere"' : "";
  return `<div><${element} id="bitit-iframe-trigger" ${link} data-merchant-id="${merchant}" data-fiat-price-cents="4200" ${attributes}>${label}</${element}></div>`;
}

const script = (server: string) => `<script src="${server}/libs/iframeBuilderV1.min.js"></script>`;
/** It stands above the frames: right after a scroll Chromium may still give a click to the frame that was there before. */
const destroy = '<p><button id="bitit-iframe-destroy">Close</button></p>';

/** All that the page says in its console. */
function consoleOf(page: Page): string[] {
  const said: string[] = [];
  page.on("console", (message: ConsoleMessage) => said.push(message.text()));
  return said;
}

/** The charge's own address, as the frame shows it. */
async function chargeUrl(page: Page, index = 0): Promise<string> {
  const frame = await checkoutFrame(page, index);
  await shows(frame, "pending");
  return frame.url();
}

test("a charge is paid inside the demo shop's page", async ({ page, demo }) => {
  await page.goto(demo.shop);
  await page.getByRole("button", { name: "Pay with Bitcoin" }).click();
  const frame = await checkoutFrame(page);
  await shows(frame, "pending");
  await live(frame);
  await demo.pay(frame.url());
  await shows(frame, "seen");
  await demo.mine();
  await shows(frame, "confirmed");
  await expect(page.getByText(/bitit:state · confirmed/)).toBeVisible();
});

test("the iframe is a child of the wrapper, has a title, and is as high as its page", async ({ page, demo }) => {
  await merchantPage(page, `${demo.shop}/own`, wrapper(demo.merchant) + script(demo.server));
  await page.getByRole("button").click();
  const frame = await checkoutFrame(page);
  await live(frame);
  const iframe = page.locator("div > iframe");
  await expect(iframe).toHaveAttribute("title", /bitcoin/i);
  await expect(iframe).toHaveAttribute("allow", "clipboard-write");
  await expect(iframe).toHaveAttribute("referrerpolicy", "origin");
  await expect
    .poll(() => frame.evaluate(() => document.documentElement.scrollHeight - window.innerHeight))
    .toBe(0);
});

test("a page on a foreign origin gets a notice that names it, and no charge", async ({ page, demo }) => {
  const said = consoleOf(page);
  const foreign = "http://127.0.0.2:9";
  await merchantPage(page, `${foreign}/`, wrapper(demo.merchant) + script(demo.server));
  await page.getByRole("button").click();
  const frame = await checkoutFrame(page);
  await expect(frame.getByText(foreign).first()).toBeVisible();
  expect(frame.url()).not.toMatch(/[0-9a-f-]{36}\/[0-9a-f-]{36}/);
  await expect(frame.locator("html[data-state]")).toHaveCount(0);
  await expect.poll(() => said.join("\n"), { timeout: 15_000 }).toContain(foreign);
});

test("a charge's own page cannot be framed from a foreign origin", async ({ page, demo }) => {
  await page.goto(demo.link());
  const charge = page.url();
  const { address } = await demo.view(charge);
  await merchantPage(page, "http://127.0.0.2:9/", `<iframe src="${charge}"></iframe>`);
  const frame = await checkoutFrame(page);
  await expect.poll(() => frame.content()).not.toContain(address);
});

for (const element of ["button", "a", "div", "img"]) {
  test(`a trigger may be <${element}>, by mouse and by keyboard`, async ({ page, demo }) => {
    const attributes = element === "img" ? 'alt="Pay with Bitcoin" src="data:,"' : "";
    const label = element === "img" ? "" : "Pay with Bitcoin";
    await merchantPage(page, `${demo.shop}/own`, destroy + wrapper(demo.merchant, element, attributes, label) + script(demo.server));
    const trigger = page.locator("#bitit-iframe-trigger");
    await trigger.click({ force: true });
    await shows(await checkoutFrame(page), "pending");
    await page.getByRole("button", { name: "Close" }).click();
    await expect(page.locator("iframe")).toHaveCount(0);
    await trigger.focus();
    await page.keyboard.press("Enter");
    await shows(await checkoutFrame(page), "pending");
    expect(page.url()).not.toContain("elsewhere");
  });
}

test("a modified click on a link follows the link", async ({ context, page, demo }) => {
  await merchantPage(page, `${demo.shop}/own`, wrapper(demo.merchant, "a") + script(demo.server));
  const opened = context.waitForEvent("page");
  await page.locator("#bitit-iframe-trigger").click({ modifiers: ["Control"] });
  await expect.poll(async () => (await opened).mainFrame().url()).toContain("elsewhere");
  await expect(page.locator("iframe")).toHaveCount(0);
});

test("several triggers have frames of their own, each with its own charge", async ({ page, demo }) => {
  const first = wrapper(demo.merchant, "button", 'data-external-order-id="several-1"', "Pay one");
  const second = wrapper(demo.merchant, "button", 'data-external-order-id="several-2"', "Pay two");
  await merchantPage(page, `${demo.shop}/own`, first + second + script(demo.server));
  await page.getByRole("button", { name: "Pay one" }).click();
  // By keyboard: for a moment after scrolling, Chromium hands a click beside a frame of another site to that frame.
  await page.getByRole("button", { name: "Pay two" }).press("Enter");
  await expect(page.locator("iframe")).toHaveCount(2);
  expect(await chargeUrl(page, 0)).not.toBe(await chargeUrl(page, 1));
});

test("a trigger that is added later works, too", async ({ page, demo }) => {
  await merchantPage(page, `${demo.shop}/own`, script(demo.server));
  await page.evaluate((html) => document.body.insertAdjacentHTML("beforeend", html), wrapper(demo.merchant, "div"));
  await page.locator("#bitit-iframe-trigger").focus();
  await page.keyboard.press("Space");
  await shows(await checkoutFrame(page), "pending");
});

test("closing and opening again shows the same charge", async ({ page, demo }) => {
  await merchantPage(page, `${demo.shop}/own`, destroy + wrapper(demo.merchant) + script(demo.server));
  await page.getByRole("button", { name: "Pay with Bitcoin" }).click();
  const before = await chargeUrl(page);
  await live(await checkoutFrame(page));
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.locator("iframe")).toHaveCount(0);
  await page.getByRole("button", { name: "Pay with Bitcoin" }).click();
  expect(new URL(await chargeUrl(page)).pathname).toBe(new URL(before).pathname);
});

test("a destroy button closes the frame of its own wrapper, else the one opened last", async ({ page, demo }) => {
  const inner = wrapper(demo.merchant, "button", 'data-external-order-id="own-1"', "Pay one").replace(
    "</div>",
    '<button id="bitit-iframe-destroy">Close one</button></div>',
  );
  const second = wrapper(demo.merchant, "button", 'data-external-order-id="own-2"', "Pay two");
  await merchantPage(page, `${demo.shop}/own`, `${destroy}${inner}${second}${script(demo.server)}`);
  await page.getByRole("button", { name: "Pay one" }).click();
  // By keyboard: for a moment after scrolling, Chromium hands a click beside a frame of another site to that frame.
  await page.getByRole("button", { name: "Pay two" }).press("Enter");
  await expect(page.locator("iframe")).toHaveCount(2);
  await page.getByRole("button", { name: "Close one" }).press("Enter");
  await expect(page.locator("div:has-text('Pay one') > iframe")).toHaveCount(0);
  await expect(page.locator("div:has-text('Pay two') > iframe")).toHaveCount(1);
  await page.getByRole("button", { name: "Close", exact: true }).press("Enter");
  await expect(page.locator("iframe")).toHaveCount(0);
});

test("a wallet link is opened by the top window, and only for bitcoin: and only from the loader's own frame", async ({ context, page, demo }) => {
  await merchantPage(page, `${demo.shop}/own`, wrapper(demo.merchant) + '<iframe srcdoc="" name="stranger"></iframe>' + script(demo.server));
  // A navigation of the top window to a scheme that nobody handles leaves the page alone; the protocol tells of it.
  const wanted: string[] = [];
  const devtools = await context.newCDPSession(page);
  await devtools.send("Page.enable");
  devtools.on("Page.frameRequestedNavigation", ({ url }: { url: string }) => wanted.push(url));

  await page.getByRole("button").click();
  const frame = await checkoutFrame(page, 0);
  await live(frame);
  await expect.poll(() => page.frames().length).toBe(3);
  const send = (where: typeof frame, uri: string) =>
    where.evaluate((uri) => parent.postMessage({ bitpro: 1, type: "wallet", uri }, "*"), uri);

  await send(page.frame({ name: "stranger" }) as typeof frame, "bitcoin:stranger");
  await send(frame, "https://evil.example/");
  await frame.getByRole("link", { name: /wallet/i }).click();
  await expect.poll(() => wanted.some((url) => url.startsWith("bitcoin:bcrt1"))).toBe(true);
  expect(wanted.filter((url) => /stranger|evil/.test(url))).toEqual([]);
});

test("a merchant with a strict policy needs one script-src and one frame-src", async ({ page, demo }) => {
  const said = consoleOf(page);
  const policy = `default-src 'none'; script-src ${demo.server}; frame-src ${demo.server}`;
  await merchantPage(page, `${demo.shop}/own`, wrapper(demo.merchant) + script(demo.server), {
    "content-security-policy": policy,
  });
  await page.getByRole("button").click();
  const frame = await checkoutFrame(page);
  await live(frame);
  await demo.pay(frame.url());
  await shows(frame, "seen");
  expect(said.filter((text) => /content security policy/i.test(text))).toEqual([]);
});

test("a missing merchant id is told in the console, and nothing opens", async ({ page, demo }) => {
  const said = consoleOf(page);
  await merchantPage(page, `${demo.shop}/own`, `<div><button id="bitit-iframe-trigger">Pay</button></div>${script(demo.server)}`);
  await page.getByRole("button").click();
  await expect.poll(() => said.join("\n")).toContain("data-merchant-id");
  await expect(page.locator("iframe")).toHaveCount(0);
});

test("an unknown merchant gets a page that says so inside the frame", async ({ page, demo }) => {
  await merchantPage(page, `${demo.shop}/own`, wrapper("00000000-0000-4000-8000-000000000000") + script(demo.server));
  await page.getByRole("button").click();
  const frame = await checkoutFrame(page);
  await expect(frame.getByText(/shop|merchant/i).first()).toBeVisible();
  await expect(frame.locator("html[data-state]")).toHaveCount(0);
});

test("old integrations that set attributes in a click handler work", async ({ page, demo }) => {
  await merchantPage(
    page,
    `${demo.shop}/own`,
    `<div><button id="bitit-iframe-trigger" data-merchant-id="${demo.merchant}">Pay</button></div>
     <script>document.querySelector("button").onclick = (event) => { event.target.dataset.fiatPriceCents = "777"; };</script>${script(demo.server)}`,
  );
  await page.getByRole("button").click();
  const frame = await checkoutFrame(page);
  await shows(frame, "pending");
  await expect(frame.getByText("€7.77").first()).toBeVisible();
});
