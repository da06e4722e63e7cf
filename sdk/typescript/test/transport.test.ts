/** Calls: repeated where that is safe, and only believed where the server vouches for them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { ApiError, Bitpro, ConnectionError, UnverifiedAnswerError } from "../src/index.ts";
import { SECRET, served, signed, transport } from "./lib.ts";

const LOST = new TypeError("fetch failed");

test("a lost answer is asked for again with the same idempotency key, signed anew", async () => {
  const { options, seen, pauses } = served((_, count) => (count < 3 ? LOST : { body: '{"id":"one"}' }));
  const charge = await new Bitpro(options).charges.create({ fiat_price_cents: 4200 });
  assert.equal(charge.id, "one");
  assert.equal(new Set(seen.map(({ headers }) => headers["Idempotency-Key"])).size, 1);
  assert.equal(new Set(seen.map(({ nonce }) => nonce)).size, 3);
  assert.equal(pauses.length, 2);
  assert.ok(pauses[0]! >= 500 && pauses[0]! <= 750 && pauses[1]! >= 1000 && pauses[1]! <= 1500, String(pauses));
});

test("the caller's own idempotency key is sent, and reading has none", async () => {
  const { options, seen } = served(() => ({}));
  const bitpro = new Bitpro(options);
  await bitpro.charges.create({ fiat_price_cents: 4200 }, { idempotencyKey: "order-7" });
  await bitpro.charges.get("one");
  assert.deepEqual(
    seen.map(({ headers }) => headers["Idempotency-Key"]),
    ["order-7", undefined],
  );
});

test("a lost answer ends as one after the last repetition", async () => {
  const { options, seen } = served(() => LOST);
  await assert.rejects(new Bitpro({ ...options, retries: 1 }).rate(), (error) => error instanceof ConnectionError && error.cause === LOST);
  assert.equal(seen.length, 2);
});

test("a test delivery is never sent twice by itself", async () => {
  const { options, seen } = served((_, count) => (count === 1 ? LOST : {}));
  await assert.rejects(new Bitpro(options).webhooks.test("one"), ConnectionError);
  assert.equal(seen.length, 1);
});

test("lists go on at their cursor and end without one", async () => {
  const pages = [
    { charges: [{ id: "c" }, { id: "b" }], next_cursor: "n1" },
    { charges: [{ id: "a" }], next_cursor: null },
  ];
  const { options, seen } = served((_, count) => ({ body: JSON.stringify(pages[count - 1]) }));
  const ids: string[] = [];
  for await (const charge of new Bitpro(options).charges.list({ page: 1, per_page: 2, state: "seen" })) ids.push(charge.id);
  assert.deepEqual(ids, ["c", "b", "a"]);
  assert.deepEqual(
    seen.map(({ url }) => new URL(url).search),
    ["?page=1&per_page=2&state=seen", "?per_page=2&state=seen&cursor=n1"],
  );
});

test("the log of events goes on until there is no more", async () => {
  const pages = [
    { events: [{ id: "1" }], next_cursor: "n1", has_more: true },
    { events: [], next_cursor: "n1", has_more: false },
  ];
  const { options, seen } = served((_, count) => ({ body: JSON.stringify(pages[count - 1]) }));
  const cursors: string[] = [];
  for await (const page of new Bitpro(options).events.pages({ after: "n0" })) cursors.push(page.next_cursor);
  assert.deepEqual(cursors, ["n1", "n1"]);
  assert.deepEqual(
    seen.map(({ url }) => new URL(url).search),
    ["?after=n0", "?after=n1"],
  );
});

test("a number that would lose digits is not sent", async () => {
  const { transport: way, seen } = transport(() => ({}));
  await assert.rejects(way.call({ method: "POST", path: "/x", body: { fiat_price_cents: 2 ** 53 } }), RangeError);
  await assert.rejects(way.call({ method: "POST", path: "/x", body: { fiat_price_cents: 2n ** 60n } }), RangeError);
  await way.call({ method: "POST", path: "/x", body: { fiat_price_cents: 4200n } });
  assert.deepEqual(
    seen.map(({ body }) => body),
    ['{"fiat_price_cents":4200}'],
  );
});

test("addresses and ids that lead elsewhere are refused", async () => {
  const { options } = served(() => ({}));
  for (const url of ["http://pay.example", "ftp://pay.example", "https://pay.example/shop", "https://user@pay.example", "https://pay.example?x"]) {
    assert.throws(() => new Bitpro({ ...options, url }), TypeError, url);
  }
  for (const url of ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080", "https://pay.example/"]) {
    assert.ok(new Bitpro({ ...options, url }));
  }
  assert.ok(new Bitpro({ ...options, url: "http://bitpro:8080", allowHttp: true }));
  for (const secret of ["", "short", "not base64 at all, but quite long!"]) {
    assert.throws(() => new Bitpro({ ...options, secret }), TypeError, secret);
  }
  for (const id of ["", "../webhooks", "a/b", "a?b", "ä"]) {
    await assert.rejects(async () => new Bitpro(options).charges.get(id), TypeError, id);
  }
});

/** A server on this machine that answers by `handle`; the body is signed. */
async function onNetwork(handle: (request: IncomingMessage, response: ServerResponse, count: number) => string | undefined) {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    const nonce = /nonce="([^"]*)"/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const timestamp = String(request.headers["x-authorization-timestamp"]);
    const body = handle(request, response, count);
    if (body === undefined) return;
    const seen = { method: "", url: "", headers: {}, body: undefined, nonce, timestamp };
    response.setHeader("X-Server-Authorization-HMAC-SHA256", signed(seen, body));
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bitpro = new Bitpro({ url, keyId: "id", secret: SECRET, timeoutMs: 5_000, pause: async () => {} });
  return { bitpro, close: () => (server.closeAllConnections(), server.close()), count: () => count };
}

test("on a real connection, an answer that breaks off is asked for again", async () => {
  const { bitpro, close, count } = await onNetwork((request, response, count) => {
    if (count > 1) return '{"cents_per_btc":5000000}';
    response.writeHead(200, { "content-length": "100" });
    response.write("{");
    request.socket.destroy();
    return undefined;
  });
  assert.equal((await bitpro.rate()).cents_per_btc, 5_000_000);
  assert.equal(count(), 2);
  close();
});

test("on a real connection, redirects are not followed and hosts carry their port", async () => {
  let host: string | undefined;
  const { bitpro, close, count } = await onNetwork((request, response) => {
    host = request.headers.host;
    response.writeHead(302, { location: "/elsewhere" }).end();
    return undefined;
  });
  await assert.rejects(bitpro.rate(), UnverifiedAnswerError);
  assert.equal(count(), 1);
  assert.match(host ?? "", /^127\.0\.0\.1:\d+$/);
  close();
});

test("on a real connection, a caller's signal ends the wait", async () => {
  const stop = new AbortController();
  const { bitpro, close, count } = await onNetwork(() => {
    stop.abort();
    return undefined;
  });
  await assert.rejects(bitpro.rate({ signal: stop.signal }), ConnectionError);
  assert.equal(count(), 1);
  close();
});

test("an error says what, where and which request", () => {
  const error = new ApiError(400, { code: "malformed-price", title: "Too odd.", request_id: "7f" }, undefined, true);
  assert.equal(error.message, "400 malformed-price: Too odd. (request 7f)");
  assert.equal(error.name, "ApiError");
});

test("the README's programs are the examples that are run against the server", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  for (const name of ["quickstart", "receiver", "link"]) {
    const example = readFileSync(new URL(`../examples/${name}.mjs`, import.meta.url), "utf8");
    assert.ok(readme.includes(`\`\`\`js\n${example}\`\`\`\n`), name);
  }
});
