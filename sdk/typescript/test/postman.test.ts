/** The collection for Postman, whose scripts run in Postman's own sandbox. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { test } from "node:test";

import { authorization, secretBytes } from "../src/signing.ts";
import { vectors } from "./lib.ts";

// Neither the sandbox nor the generator has types.
const require = createRequire(import.meta.url);
const sandbox: any = require("postman-sandbox");
const { collection }: any = await import(new URL("../../postman/generate.mjs", import.meta.url).href);

const { id, secret, vectors: cases } = vectors("requests");
const source = (name: string) => readFileSync(new URL(`../../postman/${name}`, import.meta.url), "utf8");

/** Runs a script with a request and perhaps a response; what came of it, and of its tests. */
async function run(listen: string, script: string, request: object, response?: object) {
  const context = await promisify(sandbox.createContext.bind(sandbox))({});
  const tests: { name: string; passed: boolean }[] = [];
  context.on("execution.assertion", (_: unknown, assertions: typeof tests) => tests.push(...assertions));
  context.on("execution.error", (_: unknown, error: { message: string }) => assert.fail(error.message));
  const execution = await new Promise<any>((resolve, reject) => {
    const variables = [
      { key: "key_id", value: id },
      { key: "secret", value: secret },
    ];
    const given = { context: { request, response, collectionVariables: { values: variables } } };
    context.execute({ listen, script: { exec: script } }, given, (error: unknown, result: any) =>
      error ? reject(error) : resolve(result),
    );
  });
  context.dispose();
  return { request: execution.request, tests };
}

test("Postman signs as the vectors say", async () => {
  let tried = 0;
  for (const one of cases) {
    // Postman itself escapes less of a query than the SDKs do.
    if (one.realm !== "Bitpro" || one.query.includes("%")) continue;
    const body = one.body === null ? {} : { body: { mode: "raw", raw: one.body } };
    const query = one.query && `?${one.query}`;
    const sent = await run("prerequest", source("sign.js"), {
      method: one.method,
      url: `${one.url.replace(/\/$/, "")}${one.path}${query}`,
      ...body,
    });
    const header = (name: string) => sent.request.header.find((entry: { key: string }) => entry.key === name)?.value;
    const nonce = /nonce="([^"]*)"/.exec(header("Authorization"))?.[1] ?? "";
    assert.match(nonce, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const timestamp = header("X-Authorization-Timestamp");
    const { method, host, path } = one;
    const parts = { method, host, path, query: one.query, id, nonce, timestamp, body: one.body ?? undefined };
    assert.equal(header("Authorization"), authorization(secretBytes(secret), parts), one.says);
    assert.equal(header("X-Authorization-Content-SHA256") ?? null, one.content_sha256, one.says);
    tried += 1;
  }
  assert.ok(tried >= 7, `only ${tried} vectors`);
});

test("Postman tells a signed answer from another one", async () => {
  for (const [key, passed] of [
    [secretBytes(secret), true],
    [Buffer.alloc(32, 7), false],
  ] as const) {
    const nonce = "d1954337-5319-4821-8427-115542e08d10";
    const body = '{"external_order_id":"Café №7"}';
    const signature = createHmac("sha256", key).update(`${nonce}\n1432075982\n${body}`).digest("base64");
    const request = {
      method: "GET",
      url: "https://pay.example/mapi/charges",
      header: [
        { key: "Authorization", value: `acquia-http-hmac nonce="${nonce}"` },
        { key: "X-Authorization-Timestamp", value: "1432075982" },
      ],
    };
    const response = {
      code: 200,
      header: [{ key: "X-Server-Authorization-HMAC-SHA256", value: signature }],
      stream: { type: "Buffer", data: [...Buffer.from(body)] },
    };
    const { tests } = await run("test", source("verify.js"), request, response);
    assert.deepEqual(
      tests.map((one) => one.passed),
      [passed],
    );
  }
});

test("a collection has a request for each call", () => {
  const operation = {
    summary: "Cancel a charge",
    description: "Cancels it.",
    parameters: [
      { name: "id", in: "path" },
      { name: "page", in: "query", description: "The page." },
      { name: "Idempotency-Key", in: "header" },
    ],
    requestBody: { content: { "application/json": { example: { sequence: 0 } } } },
  };
  const document = { info: { title: "API" }, paths: { "/mapi/charges/{id}/cancel": { post: operation } } };
  const made = collection(document, "https://pay.example");
  assert.equal(made.item.length, 1);
  const [{ name, request }] = made.item;
  assert.equal(name, "Cancel a charge");
  assert.equal(request.url.raw, "{{url}}/mapi/charges/{{charge_id}}/cancel");
  assert.deepEqual(request.url.query, [{ key: "page", value: "", description: "The page.", disabled: true }]);
  assert.equal(JSON.parse(request.body.raw).sequence, 0);
  assert.ok(request.header.some((header: { key: string }) => header.key === "Idempotency-Key"));
  assert.deepEqual(
    made.event.map((event: { listen: string }) => event.listen),
    ["prerequest", "test"],
  );
});
