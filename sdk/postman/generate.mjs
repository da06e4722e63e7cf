// Makes a collection for Postman or Bruno of a server's OpenAPI document: node generate.mjs https://pay.example > bitpro.json
import { readFileSync } from "node:fs";

const SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/** The collection of `document`, for the server at `url`. */
export function collection(document, url) {
  const requests = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => request(path, method.toUpperCase(), operation)),
  );
  return {
    info: { name: document.info.title, description: document.info.description, schema: SCHEMA },
    item: requests,
    event: [script("prerequest", "sign.js"), script("test", "verify.js")],
    variable: Object.entries({ url, key_id: "", secret: "", charge_id: "", webhook_id: "" }).map(([key, value]) => ({ key, value })),
  };
}

function request(path, method, operation) {
  const parameters = operation.parameters ?? [];
  const plain = path.replace("{id}", path.startsWith("/mapi/webhooks") ? "{{webhook_id}}" : "{{charge_id}}");
  // All are off: each may be left out, and what is empty is not asked for.
  const query = parameters
    .filter((one) => one.in === "query")
    .map((one) => ({ key: one.name, value: "", description: one.description, disabled: true }));
  const header = [{ key: "Accept", value: "application/vnd.bitpro-mapi-20180503+json" }];
  if (parameters.some((one) => one.name === "Idempotency-Key")) header.push({ key: "Idempotency-Key", value: "{{$guid}}" });
  const content = operation.requestBody?.content["application/json"];
  const example = content && JSON.stringify(content.example ?? {}, null, 2);
  return {
    name: operation.summary,
    request: {
      method,
      description: operation.description,
      url: { raw: `{{url}}${plain}`, host: ["{{url}}"], path: plain.slice(1).split("/"), query },
      header,
      ...(example && { body: { mode: "raw", raw: example, options: { raw: { language: "json" } } } }),
    },
  };
}

function script(listen, name) {
  const source = readFileSync(new URL(name, import.meta.url), "utf8");
  return { listen, script: { type: "text/javascript", exec: source.trimEnd().split("\n") } };
}

if (process.argv[2]) {
  const url = process.argv[2].replace(/\/+$/, "");
  const answer = await fetch(`${url}/mapi/openapi.json`);
  if (!answer.ok) throw new Error(`${url}/mapi/openapi.json answers ${answer.status}`);
  console.log(JSON.stringify(collection(await answer.json(), url), null, 2));
}
