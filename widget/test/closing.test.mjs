import assert from "node:assert/strict";
import { test } from "node:test";
import { MERCHANT, SERVER, openShop, trigger } from "./shop.mjs";

const LINK = `${SERVER}/app/checkout/${MERCHANT}`;
const DESTROY = '<button id="bitit-iframe-destroy">Close</button>';

/** The class names of the wrappers whose frame is open. */
const open = (shop) => shop.frames().map(({ parentNode }) => parentNode.className);

test("destroy removes the frame of its own wrapper", async (t) => {
  const shop = await openShop(
    t,
    `<div class="a">${trigger()}${DESTROY}</div><div class="b">${trigger()}${DESTROY}</div>`,
  );
  shop.click(".a #bitit-iframe-trigger");
  shop.click(".b #bitit-iframe-trigger");
  shop.click(".a #bitit-iframe-destroy");
  assert.deepEqual(open(shop), ["b"]);
});

test("destroy counts as inside the innermost wrapper around it", async (t) => {
  const shop = await openShop(
    t,
    `<section class="out">${trigger()}<div class="in">${trigger()}<p>${DESTROY}</p></div></section>`,
  );
  shop.click(".in > #bitit-iframe-trigger");
  shop.click(".out > #bitit-iframe-trigger");
  shop.click("#bitit-iframe-destroy");
  assert.deepEqual(open(shop), ["out"]);
});

test("destroy outside of all wrappers removes the frame opened last, then the one before", async (t) => {
  const shop = await openShop(
    t,
    `<div class="a">${trigger()}</div><div class="b">${trigger()}</div><nav>${DESTROY}</nav>`,
  );
  shop.click(".b button");
  shop.click(".a button");
  shop.click("nav button");
  assert.deepEqual(open(shop), ["b"]);
  shop.click("nav button");
  assert.deepEqual(open(shop), []);
  shop.click("nav button");
  assert.deepEqual(open(shop), []);
});

test("a frame opened again is the one opened last", async (t) => {
  const shop = await openShop(
    t,
    `<div class="a">${trigger()}${DESTROY}</div><div class="b">${trigger()}</div><nav>${DESTROY}</nav>`,
  );
  shop.click(".a button");
  shop.click(".b button");
  shop.click(".a #bitit-iframe-destroy");
  shop.click(".a button");
  shop.click("nav button");
  assert.deepEqual(open(shop), ["b"]);
});

test("destroy may be any element, added later, and used by keyboard", async (t) => {
  const shop = await openShop(t, `<div>${trigger()}</div>`);
  shop.click("button");
  shop.one("div").insertAdjacentHTML("beforeend", '<span id="bitit-iframe-destroy">x</span>');
  await shop.settle();
  const destroy = shop.one("#bitit-iframe-destroy");
  assert.equal(destroy.getAttribute("role"), "button");
  destroy.focus();
  assert.equal(shop.document.activeElement, destroy);
  shop.press(destroy, " ");
  assert.deepEqual(shop.frames(), []);
});

test("focus inside the frame goes back to the trigger, focus elsewhere stays", async (t) => {
  const shop = await openShop(t, `<div>${trigger()}${DESTROY}</div>`);
  const [pay, destroy] = shop.document.querySelectorAll("button");
  shop.click(pay);
  assert.equal(shop.document.activeElement, shop.frames()[0]);
  shop.click(destroy);
  assert.equal(shop.document.activeElement, pay);
  shop.click(pay);
  destroy.focus();
  shop.click(destroy);
  assert.equal(shop.document.activeElement, destroy);
});

test("a frame that the merchant's own code removed is no longer there to destroy, and opens anew", async (t) => {
  const shop = await openShop(t, `<div class="a">${trigger()}</div><div class="b">${trigger()}</div>${DESTROY}`);
  shop.click(".a button");
  shop.click(".b button");
  shop.frames()[1].remove();
  shop.click("#bitit-iframe-destroy");
  assert.deepEqual(open(shop), []);
  shop.click(".b button");
  assert.deepEqual(open(shop), ["b"]);
});

test("opening again shows the charge that the page told", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ "data-lang": "fr" })}${DESTROY}</div>`);
  shop.click("button");
  const path = `/app/checkout/${MERCHANT}/67c0e853-bb77-46ce-ae20-09011299cb22?lang=fr`;
  shop.say(shop.frames()[0], { type: "ready", path });
  shop.click("#bitit-iframe-destroy");
  shop.click("button");
  assert.equal(shop.frames()[0].src, SERVER + path);
});

test("each trigger remembers its own charge", async (t) => {
  const shop = await openShop(t, `<div class="a">${trigger()}${DESTROY}</div><div class="b">${trigger()}</div>`);
  shop.click(".a button");
  shop.say(shop.frames()[0], { type: "state", path: `/app/checkout/${MERCHANT}/one` });
  shop.click(".b button");
  assert.equal(shop.frames()[1].src, LINK);
});

test("changed attributes ask for a new charge, and the old one is forgotten", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ "data-fiat-price-cents": "1" })}${DESTROY}</div>`);
  const show = (price) => {
    shop.one("button").dataset.fiatPriceCents = price;
    shop.click("button");
    return shop.frames()[0];
  };
  shop.say(show("1"), { type: "state", path: `/app/checkout/${MERCHANT}/one` });
  shop.click("#bitit-iframe-destroy");
  assert.equal(show("2").src, `${LINK}?fiat_price_cents=2`);
  assert.equal(show("1").src, `${LINK}?fiat_price_cents=1`);
});

for (const path of [
  "/app/checkout/another-merchant/one",
  `/app/checkout/${MERCHANT}`,
  `/app/checkout/${MERCHANT}-else/one`,
  `@evil.example/app/checkout/${MERCHANT}/one`,
  `https://evil.example/app/checkout/${MERCHANT}/one`,
  undefined,
  7,
]) {
  test(`a path that is no charge of the merchant is not remembered: ${path}`, async (t) => {
    const shop = await openShop(t, `<div>${trigger()}${DESTROY}</div>`);
    shop.click("button");
    shop.say(shop.frames()[0], { type: "ready", path });
    shop.click("#bitit-iframe-destroy");
    shop.click("button");
    assert.equal(shop.frames()[0].src, LINK);
  });
}

test("a trigger that left the document is let go when another opens", async (t) => {
  const shop = await openShop(t, `<div class="a">${trigger()}</div><div class="b">${trigger()}</div>`);
  const wrapper = shop.one(".a");
  shop.click(".a button");
  shop.say(shop.frames()[0], { type: "ready", path: `/app/checkout/${MERCHANT}/one` });
  wrapper.remove();
  shop.click(".b button");
  shop.document.body.prepend(wrapper);
  shop.frames()[0].remove();
  shop.click(".a button");
  assert.equal(shop.frames()[0].src, LINK);
});
