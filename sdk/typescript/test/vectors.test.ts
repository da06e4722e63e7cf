/** The conformance vectors that all SDKs share. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ApiError, Bitpro, linkMessage, signedLink, UnverifiedAnswerError, verifyWebhook, WebhookError } from "../src/index.ts";
import { authorization, contentHash, isAnswerGenuine, queryOf, secretBytes, stringToSign } from "../src/signing.ts";
import { served, transport, vectors } from "./lib.ts";

test("requests are signed as the vectors say", () => {
  const { id, secret, nonce, timestamp, vectors: cases } = vectors("requests");
  assert.ok(cases.length >= 9);
  for (const one of cases) {
    const { method, host, path, realm } = one;
    const body = one.body ?? undefined;
    const query = queryOf(one.parameters);
    assert.equal(query, one.query, one.says);
    const parts = { method, host, path, query, id, nonce, timestamp, body, realm };
    assert.equal(stringToSign(parts), one.string_to_sign, one.says);
    assert.equal(authorization(secretBytes(secret), parts), one.authorization, one.says);
    if (body) assert.equal(contentHash(body), one.content_sha256, one.says);
  }
});

test("what is sent is what was signed", async () => {
  const { id, nonce, timestamp, vectors: cases } = vectors("requests");
  for (const one of cases) {
    if (one.realm !== "Bitpro") continue;
    const { transport: way, seen } = transport(() => ({}), { url: one.url, keyId: id });
    const body = one.body === null ? {} : { body: JSON.parse(one.body) };
    await way.call({ method: one.method, path: one.path, query: Object.fromEntries(one.parameters), ...body });
    const [sent] = seen;
    assert.ok(sent);
    const scheme = one.url.split("://")[0];
    assert.equal(sent.url, `${scheme}://${one.host}${one.path}${one.query && `?${one.query}`}`, one.says);
    assert.equal(new URL(sent.url).href, sent.url, "fetch would change the address");
    assert.equal(sent.body ?? null, one.body, one.says);
    assert.match(sent.nonce, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(sent.timestamp, timestamp);
    const parts = { ...one, id, nonce: sent.nonce, timestamp, body: one.body ?? undefined };
    assert.equal(sent.headers["Authorization"], authorization(secretBytes(vectors("requests").secret), parts), one.says);
    assert.notEqual(sent.nonce, nonce);
  }
});

test("answers are believed as the vectors say", () => {
  const { secret, vectors: cases } = vectors("answers");
  for (const { says, nonce, timestamp, body, signature, genuine } of cases) {
    assert.equal(isAnswerGenuine(secretBytes(secret), nonce, timestamp, body, signature), genuine, says);
  }
});

test("problems become errors as the vectors say", async () => {
  const { longest_wait_secs, vectors: cases } = vectors("errors");
  for (const one of cases) {
    const { transport: way, seen, pauses } = transport(() => one, { longestWaitMs: longest_wait_secs * 1000 });
    const asked = way.call({ method: "POST", path: "/mapi/charges", body: {} });
    const error: unknown = await asked.then(
      () => undefined,
      (error) => error,
    );
    const wanted = one.error;
    assert.ok(error instanceof ApiError || error instanceof UnverifiedAnswerError, one.says);
    assert.equal(error.status, wanted.status, one.says);
    assert.equal(error instanceof ApiError, wanted.kind === "api", one.says);
    if (error instanceof ApiError) {
      assert.equal(error.code, wanted.code, one.says);
      assert.equal(error.title, wanted.title, one.says);
      assert.equal(error.requestId, wanted.request_id, one.says);
      assert.equal(error.field ?? null, wanted.field, one.says);
      assert.equal(error.retryAfter ?? null, wanted.retry_after, one.says);
      assert.equal(error.signed, wanted.signed, one.says);
      assert.deepEqual(error.problem, JSON.parse(one.body), one.says);
    }
    assert.equal(seen.length, one.repeated ? 3 : 1, one.says);
    if (one.repeated && wanted.retry_after) assert.deepEqual(pauses, [wanted.retry_after * 1000, wanted.retry_after * 1000]);
  }
});

test("deliveries are verified as the vectors say", () => {
  const { tolerance_secs: toleranceSecs, vectors: cases } = vectors("webhooks");
  for (const { says, secrets, headers, body, now, outcome } of cases) {
    for (const shape of [headers, new Headers(headers)]) {
      for (const raw of [body, Buffer.from(body)]) {
        let found = "genuine";
        try {
          const delivery = verifyWebhook(raw, shape, secrets, { now, toleranceSecs });
          assert.deepEqual(delivery, JSON.parse(body), says);
        } catch (error) {
          if (!(error instanceof WebhookError)) throw error;
          found = error.code;
        }
        assert.equal(found, outcome, says);
      }
    }
  }
});

test("links are signed as the vectors say", () => {
  const { server, key, vectors: cases } = vectors("links");
  assert.ok(cases.length >= 11);
  for (const one of cases) {
    const link = {
      server,
      key,
      merchantId: one.merchant_id,
      fiatPriceCents: one.fiat_price_cents,
      fiatCurrency: one.fiat_currency ?? undefined,
      externalOrderId: one.external_order_id ?? undefined,
      buyerEmail: one.buyer_email ?? undefined,
      lang: one.lang ?? undefined,
      exp: one.exp,
    };
    assert.equal(linkMessage(link), one.message, one.says);
    assert.equal(signedLink(link), one.url, one.says);
    assert.equal(signedLink({ ...link, fiatPriceCents: BigInt(one.fiat_price_cents) }), one.url, one.says);
  }
});

test("every call of the API is there", async () => {
  const { options, seen } = served(() => ({ body: '{"webhooks":[],"charges":[],"events":[],"next_cursor":null}' }));
  const bitpro = new Bitpro(options);
  await bitpro.charges.page();
  await bitpro.charges.create({ fiat_price_cents: 4200 });
  await bitpro.charges.get("ID");
  await bitpro.charges.cancel("ID", 0);
  await bitpro.charges.accept("ID", 3, ["5e:0"]);
  await bitpro.events.page();
  await bitpro.rate();
  await bitpro.webhooks.list();
  await bitpro.webhooks.create("charge:confirmed", "https://shop.example/hooks");
  await bitpro.webhooks.remove("ID");
  await bitpro.webhooks.rotate("ID", 0);
  await bitpro.webhooks.test("ID");
  await bitpro.webhooks.redeliver("ID");
  await bitpro.webhooks.deliveries("ID");
  const called = seen.map(({ method, url }) => `${method} ${new URL(url).pathname.replace("ID", "{id}")}`);
  const calls: { method: string; path: string }[] = vectors("shapes").calls;
  assert.deepEqual(
    called,
    calls.map(({ method, path }) => `${method} ${path}`),
  );
});

test("every member of the API's documents has its type", () => {
  const source = readFileSync(new URL("../src/types.ts", import.meta.url), "utf8");
  const members = new Map<string, string[]>();
  for (const [, name, body] of source.matchAll(/export interface (\w+) \{\n(.*?)\n\}/gs)) {
    members.set(name ?? "", [...(body ?? "").matchAll(/^ {2}(\w+)\??:/gm)].map(([, member]) => member ?? "").sort());
  }
  const { shapes, calls } = vectors("shapes");
  for (const [name, shape] of Object.entries<{ members: string[] }>(shapes)) {
    if (name === "Problem") continue;
    assert.deepEqual(members.get(name === "Delivery" ? "PastDelivery" : name), shape.members.sort(), name);
  }
  const asked: Record<string, string> = { listCharges: "ChargeQuery", listEvents: "EventQuery", listDeliveries: "DeliveryQuery", createCharge: "NewCharge" };
  for (const call of calls) {
    const type = asked[call.name];
    if (type) assert.deepEqual(members.get(type), [...call.query, ...(call.body ?? [])].sort(), call.name);
  }
});
