/**
 * A merchant's page in jsdom with the built loader in it, as a browser would run it: by a script element, so that
 * `document.currentScript` is real. Time is the test's own.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { JSDOM, ResourceLoader, VirtualConsole } from "jsdom";

export const SERVER = "https://pay.example";
export const SHOP = "https://shop.example";
export const MERCHANT = "0f3a7c1e-5b7d-4f43-9d52-0a3c2f6e8b11";
export const LOADER = `${SERVER}/libs/iframeBuilderV1.min.js`;

const built = readFileSync(new URL("../dist/iframeBuilderV1.min.js", import.meta.url));

class Network extends ResourceLoader {
  constructor(framesLoad) {
    super();
    this.framesLoad = framesLoad;
  }

  fetch(url) {
    const script = url.startsWith(`${SERVER}/libs/`);
    const answers = script || this.framesLoad;
    const body = script ? built : Buffer.from("<!doctype html><title>checkout");
    return Object.assign(answers ? Promise.resolve(body) : new Promise(() => {}), { abort() {} });
  }
}

/**
 * Opens a shop with `body` in it, until the test ends.
 *
 * @param {import("node:test").TestContext} t
 * @param {string} body HTML.
 * @param {{head?: string, script?: string, framesLoad?: boolean}} [parts] HTML of the head and of the script tag at the end
 *   of the body; whether what is in a frame ever arrives (jsdom dislikes frames that go away before).
 */
export async function openShop(t, body, { head = "", script = `<script src="${LOADER}"></script>`, framesLoad = false } = {}) {
  const complaints = [];
  const navigations = [];
  const uncaught = [];
  const virtualConsole = new VirtualConsole();
  for (const level of ["error", "warn"]) {
    virtualConsole.on(level, (...words) => complaints.push({ level, words }));
  }
  virtualConsole.on("jsdomError", (error) => {
    if (error.type == "not implemented") navigations.push(error.message);
    if (error.type == "unhandled exception") uncaught.push(error);
  });

  const clock = new Clock();
  const dom = new JSDOM(`<!doctype html><html><head>${head}</head><body>${body}${script}</body></html>`, {
    url: `${SHOP}/cart`,
    runScripts: "dangerously",
    resources: new Network(framesLoad),
    pretendToBeVisual: true,
    virtualConsole,
    beforeParse(window) {
      window.setTimeout = (run, delay = 0, ...parameters) => clock.set(run, delay, parameters);
      window.clearTimeout = (timer) => clock.clear(timer);
      // jsdom has no layout, so nothing to scroll.
      window.Element.prototype.scrollIntoView = () => {};
    },
  });
  const { window } = dom;
  t.after(() => {
    window.close();
    assert.deepEqual(uncaught, []);
  });
  const { document } = window;
  await new Promise((loaded) => window.addEventListener("load", loaded));

  const shop = {
    window,
    document,
    clock,
    complaints,
    navigations,
    one: (selector) => document.querySelector(selector),
    frames: () => [...document.querySelectorAll("iframe")],
    /** Clicks, and lets the loader act upon it. Returns false if the click's own effect was prevented. */
    click(target, modifiers = {}) {
      const event = new window.MouseEvent("click", { bubbles: true, cancelable: true, composed: true, ...modifiers });
      const goesOn = element(target).dispatchEvent(event);
      clock.advance(0);
      return goesOn;
    },
    press(target, key, modifiers = {}) {
      const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...modifiers });
      const goesOn = element(target).dispatchEvent(event);
      clock.advance(0);
      return goesOn;
    },
    /** Speaks as the page in a frame would; `envelope` overrides what the browser vouches for. */
    say(frame, message, envelope = {}) {
      const source = frame.contentWindow;
      const event = { data: { bitpro: 1, ...message }, origin: SERVER, source, ...envelope };
      window.dispatchEvent(new window.MessageEvent("message", event));
    },
    /** What the loader tells the page in the frame, from now on. */
    hear(frame) {
      const heard = [];
      frame.contentWindow.addEventListener("message", ({ data }) => heard.push(data));
      return heard;
    },
    /** The events that reach the document. */
    events(...types) {
      const seen = [];
      for (const type of types) document.addEventListener(type, (event) => seen.push(event));
      return seen;
    },
    loaded: (frame) => new Promise((done) => frame.addEventListener("load", done)),
    /** Lets mutation observers run, and messages arrive. */
    settle: () => new Promise((done) => setTimeout(done)),
  };
  const element = (target) => (typeof target == "string" ? shop.one(target) : target);
  return shop;
}

/** A trigger of the usual form. */
export function trigger({ tag = "button", text = "Pay with Bitcoin", ...attributes } = {}) {
  const all = { id: "bitit-iframe-trigger", "data-merchant-id": MERCHANT, ...attributes };
  const written = Object.entries(all).map(([name, value]) => ` ${name}="${value.replace(/&/g, "&amp;").replace(/"/g, "&quot;")}"`);
  return `<${tag}${written.join("")}>${tag == "img" ? "" : `${text}</${tag}>`}`;
}

class Clock {
  #now = 0;
  #next = 1;
  #timers = new Map();

  set(run, delay, parameters) {
    const timer = this.#next++;
    this.#timers.set(timer, { at: this.#now + delay, run: () => run(...parameters) });
    return timer;
  }

  clear(timer) {
    this.#timers.delete(timer);
  }

  advance(milliseconds) {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [timer, { at, run }] = due;
      this.#timers.delete(timer);
      this.#now = at;
      run();
    }
    this.#now = end;
  }
}
