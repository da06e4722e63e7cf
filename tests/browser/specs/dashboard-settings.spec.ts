/** What a merchant sets: each thing does what it says to the next shopper, and a mistake is told next to its field. */

import { expect, picture, test } from "../lib/dashboard.ts";
import { checkoutOf, openForTrade, openShop } from "../lib/keeper.ts";
import { live, shows } from "../lib/test.ts";

test("name, logo and colour come to the payment page, and a colour can be tried first", async ({ page, demo, visitor }) => {
  const shop = await openForTrade(page, demo, "Lena’s tea");
  await page.goto(`${shop}/settings/look`);
  const preview = page.locator("figure.preview.light");
  const tint = () => preview.evaluate((figure) => getComputedStyle(figure).getPropertyValue("--p-brand").trim());
  const before = await tint();
  await page.getByLabel("Brand colour").fill("#ffee00");
  await expect.poll(tint).toBe("#ffee00");
  await expect(page.locator("#contrast")).toContainText("only 1.2:1; 4.5:1 is needed. Black is used");
  await page.reload();
  expect(await tint()).toBe(before);
  await page.getByLabel("Brand colour").fill("#7a1f5c");
  await expect(page.locator("#contrast")).toContainText("White is used");
  await page.getByRole("button", { name: "Save the colour" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "colour");

  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>window.__hit = 1</script></svg>';
  for (const name of ["logo.svg", "logo.png"]) {
    await page.getByLabel("Picture").setInputFiles({ name, mimeType: "image/png", buffer: Buffer.from(svg) });
    await page.getByRole("button", { name: "Upload" }).click();
    await expect(page.getByLabel("Picture")).toHaveAccessibleDescription(/Choose a PNG, JPEG or WebP/);
    await expect(page.getByLabel("Picture")).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByLabel("Brand colour")).toHaveValue("#7a1f5c");
  }
  const buffer = await picture(page, "#7a1f5c");
  await page.getByLabel("Picture").setInputFiles({ name: "logo.png", mimeType: "image/png", buffer });
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "logo");

  const shopper = await visitor();
  await shopper.goto(checkoutOf(shop));
  await shows(shopper, "pending");
  await expect(shopper.getByRole("heading", { level: 1 })).toContainText("Lena’s tea");
  const logo = shopper.locator(".logo img");
  await expect.poll(() => logo.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  const brand = await shopper.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--brand").trim());
  expect(brand).toBe("#7a1f5c");
  await page.getByRole("button", { name: "Remove the logo" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "no-logo");
  await shopper.goto(checkoutOf(shop));
  await shows(shopper, "pending");
  await expect(logo).toHaveCount(0);
});

test("languages, window, tolerance, confirmations and the late policy hold for the next payment", async ({ page, demo, visitor }) => {
  const shop = await openForTrade(page, demo, "Rita’s tea");
  const shopper = await visitor();
  await page.goto(`${shop}/settings`);
  await page.getByLabel("Payment window").fill("5");
  await page.getByLabel("For a medium amount").fill("1");
  await page.getByLabel("For a small amount").fill("2");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("Nothing was changed");
  await expect(page.getByLabel("For a small amount")).toHaveAccessibleDescription(/must not decrease/);
  await expect(page.getByLabel("Payment window")).toHaveValue("5");
  await page.getByLabel("For a medium amount").fill("3");
  await page.getByLabel(/^Tolerance \(/).fill("1");
  await page.getByLabel("When money arrives after the window").selectOption("accept");
  await page.getByLabel("English").uncheck();
  await page.getByLabel("Language when the link names none").selectOption("fr");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "saved");

  // A link cannot ask for a language that is no longer offered.
  await shopper.goto(checkoutOf(shop, { lang: "en" }));
  await shows(shopper, "pending");
  await expect(shopper.locator("html")).toHaveAttribute("lang", "fr");
  await live(shopper);
  await expect(shopper.getByText(/^expire dans [45]\b/)).toBeVisible();
  const asked = await demo.view(shopper.url());
  await demo.paySats(asked.address, asked.amount_sat - Math.floor(asked.amount_sat / 120));
  await shows(shopper, "seen");
  await expect(shopper.getByText("0 / 2", { exact: true })).toBeVisible();
  await demo.mine();
  await expect(shopper.getByText("1 / 2", { exact: true })).toBeVisible();
  expect((await demo.view(shopper.url())).state).toBe("seen");
  await demo.mine();
  await shows(shopper, "confirmed");

  await shopper.goto(checkoutOf(shop));
  await shows(shopper, "pending");
  const late = await demo.view(shopper.url());
  await demo.advance(10 * 60);
  await demo.knows(shopper.url(), "timedout");
  await demo.paySats(late.address, late.amount_sat);
  await demo.knows(shopper.url(), "seen");
  await demo.mine(2);
  await demo.knows(shopper.url(), "confirmed");
});

test("the list of domains says which page may show the checkout, and adds the one that may not", async ({ page, demo }) => {
  const shop = await openShop(page, demo, "Dora’s tea");
  await page.goto(`${shop}/settings/domains`);
  const list = page.getByLabel("Allowed domains");
  for (const [typed, why] of [
    ["dora.example\nhttp://dora.example", /Line 2, “http:\/\/dora\.example”: Only https/],
    ["dora.example/cart", /Line 1, .* Leave out the path/],
    ["dora.example\n\nshop.*.example", /Line 3, .* Put the star before/],
  ] as const) {
    await list.fill(typed);
    await page.getByRole("button", { name: "Save" }).click();
    await expect(list).toHaveAccessibleDescription(why);
    await expect(list).toHaveValue(typed);
  }
  await list.fill("dora.example\n*.shop.example\nbücher.example");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "saved");
  await expect(list).toHaveValue("https://dora.example\nhttps://*.shop.example\nhttps://xn--bcher-kva.example");

  const verdict = page.locator("#verdict");
  const test = async (address: string) => {
    await page.getByLabel("Address of the page").fill(address);
    await page.getByRole("button", { name: "Test" }).click();
    await expect(page.getByLabel("Address of the page")).toHaveValue(address);
    return verdict;
  };
  await expect(await test("dora.example/cart?x=1")).toContainText("Yes: pages on https://dora.example");
  await expect(await test("https://www.shop.example/")).toContainText("because of the entry https://*.shop.example");
  await expect(await test("https://shop.example/")).toContainText("No: https://shop.example is not on the list");
  await expect(await test("http://dora.example/cart")).toContainText("Pages like this");
  await expect(await test("https://pay.dora.example/cart")).toContainText("No: https://pay.dora.example");
  await verdict.getByRole("button", { name: "Add https://pay.dora.example" }).click();
  await expect(page.getByRole("status").first()).toHaveAttribute("data-done", "saved");
  await expect(await test("https://pay.dora.example/cart")).toContainText("Yes");
  // Shoppers come by both names of a site.
  await page.getByRole("button", { name: "Add https://www.dora.example" }).click();
  await expect(list).toHaveValue(/\nhttps:\/\/www\.dora\.example$/);
});

test("buyers get a receipt once their shop wants them to", async ({ page, demo, visitor }) => {
  const shop = await openForTrade(page, demo, "Mila’s tea");
  const shopper = await visitor();
  const box = page.getByLabel("E-mail shoppers a receipt");
  const bought = async (buyer_email: string) => {
    await shopper.goto(checkoutOf(shop, { buyer_email }));
    await shows(shopper, "pending");
    await demo.pay(shopper.url());
    await demo.knows(shopper.url(), "seen");
    await demo.mine();
    await demo.knows(shopper.url(), "confirmed");
  };
  const name = `${shop.split("/").at(-1)}@mail.example`;
  const receipts = (to: string) => demo.letters.all(to);
  await page.goto(`${shop}/settings`);
  const was = await box.isChecked();
  await box.setChecked(false);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveAttribute("data-done", "saved");
  await expect(box).not.toBeChecked();
  await bought(`none-${name}`);
  await box.setChecked(true);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(box).toBeChecked();
  expect(was, "nobody is written to before the shop says so").toBe(false);
  await bought(`one-${name}`);
  await expect.poll(() => receipts(`one-${name}`)).toHaveLength(1);
  expect(await receipts(`none-${name}`)).toEqual([]);
});
