import assert from "node:assert/strict";
import { test } from "node:test";
import { LOADER, MERCHANT, SERVER, openShop, trigger } from "./shop.mjs";

const LINK = `${SERVER}/app/checkout/${MERCHANT}`;

for (const tag of ["button", "a", "div", "img"]) {
  test(`a <${tag}> opens the frame after itself, in its wrapper`, async (t) => {
    const shop = await openShop(t, `<div class="w">${trigger({ tag })}<p>after</p></div>`);
    shop.click("#bitit-iframe-trigger");
    const [frame] = shop.frames();
    assert.equal(frame.parentNode, shop.one(".w"));
    assert.equal(frame.previousElementSibling.id, "bitit-iframe-trigger");
    assert.equal(frame.src, LINK);
    });
}

test("every attribute goes into the link, encoded", async (t) => {
  const attributes = {
    "data-fiat-price-cents": "4200",
    "data-fiat-currency": "eur",
    "data-buyer-email": "a+b&c@shop.example",
    "data-lang": "fr",
    "data-external-order-id": "nº 7/?#é",
    "data-sig": "ab==",
    "data-exp": "1790000000",
  };
  const shop = await openShop(t, `<div>${trigger(attributes)}</div>`);
  shop.click("#bitit-iframe-trigger");
  const url = new URL(shop.frames()[0].src);
  assert.equal(url.origin + url.pathname, LINK);
  assert.deepEqual(
    [...url.searchParams],
    [
      ["fiat_price_cents", "4200"],
      ["fiat_currency", "eur"],
      ["buyer_email", "a+b&c@shop.example"],
      ["lang", "fr"],
      ["external_order_id", "nº 7/?#é"],
      ["sig", "ab=="],
      ["exp", "1790000000"],
    ],
  );
});

test("an attribute that is absent or empty, or not ours, stays out of the link", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ "data-buyer-email": "", "data-lang": "en", "data-cart": "x" })}</div>`);
  shop.click("#bitit-iframe-trigger");
  assert.equal(shop.frames()[0].src, `${LINK}?lang=en`);
});

test("a merchant id cannot leave its place in the path", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ "data-merchant-id": "../a?b#c" })}</div>`);
  shop.click("#bitit-iframe-trigger");
  assert.equal(shop.frames()[0].src, `${SERVER}/app/checkout/..%2Fa%3Fb%23c`);
});

for (const attribute of ["", ' data-merchant-id=""']) {
  test(`without a merchant id (${attribute || "absent"}) nothing opens and the console says why`, async (t) => {
    const shop = await openShop(t, `<div><button id="bitit-iframe-trigger"${attribute}>Pay</button></div>`);
    shop.click("button");
    assert.deepEqual(shop.frames(), []);
    assert.equal(shop.complaints[0].level, "error");
    assert.match(shop.complaints[0].words[0], /data-merchant-id is missing/);
    assert.equal(shop.complaints[0].words[1], shop.one("button"));
  });
}

test("the frame is titled in the shopper's language and set up by properties, not by a style attribute of markup", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ "data-lang": "fr" })}</div><div class="en">${trigger()}</div>`);
  shop.click("#bitit-iframe-trigger");
  shop.click(".en button");
  const [frame, english] = shop.frames();
  assert.equal(frame.title, "Paiement en bitcoin");
  assert.equal(english.title, "Bitcoin payment");
  assert.equal(frame.allow, "clipboard-write");
  assert.equal(frame.referrerPolicy, "origin");
  assert.equal(frame.style.width, "100%");
  assert.equal(frame.style.height, "640px");
  assert.match(frame.style.borderWidth, /^0/);
});

test("a second click mounts no second frame, and a click on the open one leads into it", async (t) => {
  const shop = await openShop(t, `<div>${trigger()}</div>`);
  shop.click("#bitit-iframe-trigger");
  const [frame] = shop.frames();
  shop.one("#bitit-iframe-trigger").focus();
  shop.click("#bitit-iframe-trigger");
  assert.deepEqual(shop.frames(), [frame]);
  assert.equal(shop.document.activeElement, frame);
});

test("two clicks before the loader acts mount one frame", async (t) => {
  const shop = await openShop(t, `<div>${trigger()}</div>`);
  shop.one("button").click();
  shop.one("button").click();
  shop.clock.advance(0);
  assert.equal(shop.frames().length, 1);
});

test("changed attributes replace the open frame", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ "data-fiat-price-cents": "100" })}</div>`);
  const closed = shop.events("bitit:close");
  shop.click("#bitit-iframe-trigger");
  shop.one("button").dataset.fiatPriceCents = "250";
  shop.click("#bitit-iframe-trigger");
  assert.deepEqual(shop.frames().map(({ src }) => src), [`${LINK}?fiat_price_cents=250`]);
  assert.equal(closed.length, 1);
});

test("several triggers open in their own wrappers; two in one wrapper share its place", async (t) => {
  const one = (price) => trigger({ "data-fiat-price-cents": price });
  const shop = await openShop(t, `<div>${one("1")}</div><div class="b">${one("2")}${one("3")}</div>`);
  const [first, second, third] = shop.document.querySelectorAll("button");
  for (const button of [first, second, third]) shop.click(button);
  assert.deepEqual(
    shop.frames().map(({ src, previousElementSibling }) => [src, previousElementSibling]),
    [
      [`${LINK}?fiat_price_cents=1`, first],
      [`${LINK}?fiat_price_cents=3`, third],
    ],
  );
});

test("a trigger that moved to another wrapper takes its frame along", async (t) => {
  const shop = await openShop(t, `<div class="a">${trigger()}</div><div class="b"></div>`);
  shop.click("#bitit-iframe-trigger");
  shop.one(".b").append(shop.one("#bitit-iframe-trigger"));
  shop.click("#bitit-iframe-trigger");
  assert.deepEqual(shop.frames().map(({ parentNode }) => parentNode.className), ["b"]);
});

test("a click on what is inside the trigger counts, one beside it does not", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ text: "<span><b>Pay</b></span>" })}<i>no</i></div>`);
  shop.click("i");
  shop.document.dispatchEvent(new shop.window.MouseEvent("click"));
  assert.deepEqual(shop.frames(), []);
  shop.click("b");
  assert.equal(shop.frames().length, 1);
});

test("a plain click on a link does not follow it, a modified one does and mounts nothing", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ tag: "a", href: "https://pay.example/app/checkout/x" })}</div>`);
  for (const modifier of ["ctrlKey", "metaKey", "shiftKey", "altKey"]) {
    assert.equal(shop.click("a", { [modifier]: true }), true, modifier);
  }
  assert.deepEqual(shop.frames(), []);
  assert.equal(shop.click("a"), false);
  assert.equal(shop.frames().length, 1);
});

test("a button inside a form does not submit it", async (t) => {
  const shop = await openShop(t, `<form>${trigger()}</form>`);
  assert.equal(shop.click("button"), false);
});

test("a merchant's handlers run first, and may stop the click from bubbling", async (t) => {
  const shop = await openShop(t, `<section><div>${trigger()}</div></section>`);
  shop.one("section").addEventListener("click", (event) => event.stopPropagation());
  shop.one("button").addEventListener("click", ({ currentTarget }) => (currentTarget.dataset.fiatPriceCents = "77"));
  shop.click("button");
  assert.equal(shop.frames()[0].src, `${LINK}?fiat_price_cents=77`);
});

test("a trigger that its own click removes opens nothing and disturbs no other", async (t) => {
  const shop = await openShop(t, `<div class="a">${trigger()}</div><div class="b">${trigger()}</div>`);
  shop.click(".a button");
  shop.say(shop.frames()[0], { type: "close" });
  const events = shop.events("bitit:open", "bitit:close");
  shop.one(".b button").addEventListener("click", ({ currentTarget }) => currentTarget.remove());
  shop.click(".b button");
  assert.deepEqual(shop.frames(), []);
  assert.deepEqual(events, []);
});

test("bitit:open comes before the attributes are read, and can stop the opening", async (t) => {
  const shop = await openShop(t, `<div>${trigger()}</div>`);
  let ready = false;
  shop.document.addEventListener("bitit:open", (event) => {
    event.target.dataset.fiatPriceCents = "5";
    if (!ready) event.preventDefault();
  });
  shop.click("button");
  assert.deepEqual(shop.frames(), []);
  ready = true;
  shop.click("button");
  assert.equal(shop.frames()[0].src, `${LINK}?fiat_price_cents=5`);
});

test("a trigger added after load works and is reachable by keyboard", async (t) => {
  const shop = await openShop(t, "<main></main>");
  shop.one("main").innerHTML = `<div>${trigger({ tag: "div" })}</div>`;
  await shop.settle();
  const added = shop.one("#bitit-iframe-trigger");
  assert.equal(added.getAttribute("role"), "button");
  assert.equal(added.tabIndex, 0);
  shop.click(added);
  assert.equal(shop.frames().length, 1);
});

test("roles and tab stops are given only where they are absent", async (t) => {
  const shop = await openShop(t,
    `<p>${trigger()}</p><p>${trigger({ tag: "a", href: "/pay" })}</p><p>${trigger({ tag: "a" })}</p>` +
      `<p>${trigger({ tag: "div", role: "link", tabindex: "-1" })}</p><img id="bitit-iframe-destroy" alt="Close">`,
  );
  const marks = [...shop.document.querySelectorAll("[id^=bitit]")].map((element) => [
    element.getAttribute("role"),
    element.getAttribute("tabindex"),
  ]);
  assert.deepEqual(marks, [
    [null, null],
    [null, null],
    ["button", "0"],
    ["link", "-1"],
    ["button", "0"],
  ]);
});

for (const [key, name] of [["Enter", "Enter"], [" ", "Space"]]) {
  test(`${name} opens, and neither scrolls nor follows; the merchant's click handlers run`, async (t) => {
    const shop = await openShop(t, `<div>${trigger({ tag: "div" })}</div>`);
    let clicks = 0;
    shop.one("#bitit-iframe-trigger").addEventListener("click", () => clicks++);
    assert.equal(shop.press("#bitit-iframe-trigger", key), false);
    assert.equal(shop.frames().length, 1);
    assert.equal(clicks, 1);
    });
}

test("other keys, and Enter with a modifier, are left alone", async (t) => {
  const shop = await openShop(t, `<div>${trigger({ tag: "a", href: "/pay" })}</div>`);
  assert.equal(shop.press("a", "Tab"), true);
  assert.equal(shop.press("a", "x"), true);
  assert.equal(shop.press("a", "Enter", { ctrlKey: true }), true);
  assert.deepEqual(shop.frames(), []);
});

for (const attribute of ["defer", "async"]) {
  test(`the script may stand in the head with ${attribute}`, async (t) => {
    const shop = await openShop(t, `<div>${trigger()}</div>`, {
      head: `<script ${attribute} src="${LOADER}"></script>`,
      script: "",
    });
    shop.click("button");
    assert.equal(shop.frames()[0].src, LINK);
    });
}

test("a second inclusion changes nothing", async (t) => {
  const twice = `<script src="${LOADER}"></script>`.repeat(2);
  const shop = await openShop(t, `<div>${trigger()}</div>`, { script: twice });
  const opened = shop.events("bitit:open");
  shop.click("button");
  assert.equal(shop.frames().length, 1);
  assert.equal(opened.length, 1);
});

test("the page gets one global, the version", async (t) => {
  const plain = await openShop(t, "", { script: "" });
  const shop = await openShop(t, "");
  const before = new Set(Object.getOwnPropertyNames(plain.window));
  const added = Object.getOwnPropertyNames(shop.window).filter((name) => !before.has(name));
  assert.deepEqual(added, ["bititIframe"]);
  assert.match(shop.window.bititIframe, /^\d+\.\d+\.\d+$/);
});
