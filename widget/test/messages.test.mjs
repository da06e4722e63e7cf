import assert from "node:assert/strict";
import { test } from "node:test";
import { MERCHANT, SERVER, SHOP, openShop, trigger } from "./shop.mjs";

const CHARGE = "67c0e853-bb77-46ce-ae20-09011299cb22";
const PATH = `/app/checkout/${MERCHANT}/${CHARGE}`;
const SHOP_BODY = `<div>${trigger()}</div>`;

/** A shop whose frame is open and loaded. */
async function openFrame(t) {
  const shop = await openShop(t, SHOP_BODY, { framesLoad: true });
  shop.click("button");
  const [frame] = shop.frames();
  await shop.loaded(frame);
  return { shop, frame };
}

test("hello is said at load and repeated, ever more rarely, until the page speaks", async (t) => {
  const { shop, frame } = await openFrame(t);
  const heard = shop.hear(frame);
  await shop.settle();
  for (const pause of [150, 300, 600]) {
    shop.clock.advance(pause);
    await shop.settle();
  }
  assert.deepEqual(heard.map((message) => JSON.stringify(message)), Array(4).fill('{"bitpro":1,"type":"hello"}'));
  shop.say(frame, { type: "ready" });
  shop.clock.advance(60_000);
  await shop.settle();
  assert.equal(heard.length, 4);
  assert.deepEqual(shop.complaints, []);
});

test("a new document in the frame is greeted again", async (t) => {
  const { shop, frame } = await openFrame(t);
  shop.say(frame, { type: "ready" });
  await shop.settle();
  const heard = shop.hear(frame);
  frame.dispatchEvent(new shop.window.Event("load"));
  await shop.settle();
  assert.equal(heard.length, 1);
});

test("hello goes to the loader's own origin and nowhere else", async (t) => {
  const { shop, frame } = await openFrame(t);
  const targets = [];
  frame.contentWindow.postMessage = (_message, target) => targets.push(target);
  shop.clock.advance(1000);
  assert.ok(targets.length > 0);
  assert.deepEqual([...new Set(targets)], [SERVER]);
});

test("five seconds of silence are told in the console, once, with the origin to allow", async (t) => {
  const { shop } = await openFrame(t);
  shop.clock.advance(4_600);
  assert.deepEqual(shop.complaints, []);
  shop.clock.advance(100);
  assert.equal(shop.complaints.length, 1);
  const [{ level, words }] = shop.complaints;
  assert.equal(level, "warn");
  assert.match(words.join(" "), /allowed domains/);
  assert.match(words.join(" "), new RegExp(SHOP));
  shop.clock.advance(600_000);
  assert.equal(shop.complaints.length, 1);
});

test("ready and state reach the merchant's page as events on the trigger", async (t) => {
  const { shop, frame } = await openFrame(t);
  const events = shop.events("bitit:ready", "bitit:state");
  shop.say(frame, { type: "ready", charge: CHARGE, path: PATH });
  shop.say(frame, { type: "state", state: "seen", reason: "exact", charge: CHARGE, path: PATH, order_id: "A-1" });
  assert.deepEqual(
    events.map(({ type, target, bubbles, detail }) => [type, target.id, bubbles, detail]),
    [
      ["bitit:ready", "bitit-iframe-trigger", true, { bitpro: 1, type: "ready", charge: CHARGE, path: PATH }],
      [
        "bitit:state",
        "bitit-iframe-trigger",
        true,
        { bitpro: 1, type: "state", state: "seen", reason: "exact", charge: CHARGE, path: PATH, order_id: "A-1" },
      ],
    ],
  );
});

test("a type that this loader does not know yet is passed on", async (t) => {
  const { shop, frame } = await openFrame(t);
  const events = shop.events("bitit:later");
  shop.say(frame, { type: "later", news: 1 });
  assert.equal(events[0].detail.news, 1);
});

for (const [given, height] of [
  [712, "712px"],
  [199, "200px"],
  [-5, "200px"],
  [2001, "2000px"],
  [1e9, "2000px"],
  ["712; color: red", "640px"],
  [undefined, "640px"],
]) {
  test(`resize to ${given} makes the frame ${height} high`, async (t) => {
    const { shop, frame } = await openFrame(t);
    shop.say(frame, { type: "resize", height: given });
    assert.equal(frame.style.height, height);
  });
}

test("a wallet link is followed only if it is a bitcoin: URI", async (t) => {
  const { shop, frame } = await openFrame(t);
  for (const uri of ["https://evil.example/", "javascript:alert(1)", " bitcoin:x", "xbitcoin:x", undefined]) {
    shop.say(frame, { type: "wallet", uri });
  }
  assert.deepEqual(shop.navigations, []);
  shop.say(frame, { type: "wallet", uri: "bitcoin:bcrt1qxyz?amount=0.1" });
  shop.say(frame, { type: "wallet", uri: "BITCOIN:BCRT1QXYZ" });
  assert.equal(shop.navigations.length, 2);
});

test("close removes the frame, returns the focus and is told", async (t) => {
  const { shop, frame } = await openFrame(t);
  const events = shop.events("bitit:close");
  shop.say(frame, { type: "close" });
  assert.deepEqual(shop.frames(), []);
  assert.equal(shop.document.activeElement, shop.one("button"));
  assert.deepEqual(events.map(({ target }) => target.id), ["bitit-iframe-trigger"]);
});

test("open, ready, state, close come in this order", async (t) => {
  const shop = await openShop(t, SHOP_BODY);
  const events = shop.events("bitit:open", "bitit:ready", "bitit:state", "bitit:close");
  shop.click("button");
  const [frame] = shop.frames();
  shop.say(frame, { type: "ready" });
  shop.say(frame, { type: "state", state: "pending" });
  shop.say(frame, { type: "close" });
  assert.deepEqual(events.map(({ type }) => type), ["bitit:open", "bitit:ready", "bitit:state", "bitit:close"]);
});

for (const [what, message, envelope] of [
  ["another origin", {}, { origin: "https://evil.example" }],
  ["an origin that begins like ours", {}, { origin: `${SERVER}.evil.example` }],
  ["the shop's own origin", {}, { origin: SHOP }],
  ["no origin", {}, { origin: "null" }],
  ["the shop's own window", {}, { source: "self" }],
  ["no window", {}, { source: null }],
  ["another version", { bitpro: 2 }, {}],
  ["no version", { bitpro: undefined }, {}],
]) {
  test(`a message from ${what} is ignored`, async (t) => {
    const { shop, frame } = await openFrame(t);
    const events = shop.events("bitit:state", "bitit:close");
    if (envelope.source === "self") envelope.source = shop.window;
    for (const type of ["state", "resize", "wallet", "close"]) {
      shop.say(frame, { type, state: "confirmed", height: 900, uri: "bitcoin:x", ...message }, envelope);
    }
    assert.deepEqual(events, []);
    assert.deepEqual(shop.frames(), [frame]);
    assert.equal(frame.style.height, "640px");
    assert.deepEqual(shop.navigations, []);
  });
}

test("what is no object is ignored", async (t) => {
  const { shop, frame } = await openFrame(t);
  const source = frame.contentWindow;
  for (const data of [null, undefined, "bitpro", 1, []]) {
    shop.window.dispatchEvent(new shop.window.MessageEvent("message", { data, origin: SERVER, source }));
  }
  assert.deepEqual(shop.frames(), [frame]);
});

test("a frame that was closed has no say any more", async (t) => {
  const { shop, frame } = await openFrame(t);
  const source = frame.contentWindow;
  shop.say(frame, { type: "close" });
  const events = shop.events("bitit:state");
  shop.say(frame, { type: "state", state: "confirmed" }, { source });
  assert.deepEqual(events, []);
});

test("of several frames, the one that spoke is meant", async (t) => {
  const shop = await openShop(t, `<div class="a">${trigger()}</div><div class="b">${trigger()}</div>`);
  shop.click(".a button");
  shop.click(".b button");
  const [a, b] = shop.frames();
  const events = shop.events("bitit:state");
  shop.say(a, { type: "state", state: "seen", height: 300 });
  assert.deepEqual([a.style.height, b.style.height], ["300px", "640px"]);
  assert.equal(events[0].target.parentNode.className, "a");
});
