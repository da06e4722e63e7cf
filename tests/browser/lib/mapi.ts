/** A signed call of the merchant API (Acquia HTTP HMAC 2.0), in the JavaScript of a shop's server. */

import { createHash, createHmac, randomUUID } from "node:crypto";

export interface Key {
  id: string;
  secret: string;
}

/** Posts `body` to `path` of `server`, and gives the document of the answer; anything but a success is an error. `now` in seconds. */
export async function post<T>(server: string, key: Key, path: string, body: object, now = Date.now() / 1000): Promise<T> {
  const text = JSON.stringify(body);
  const hash = createHash("sha256").update(text).digest("base64");
  const timestamp = String(Math.floor(now));
  const nonce = randomUUID();
  const signed = ["POST", new URL(server).host, path, "", `id=${key.id}&nonce=${nonce}&realm=Bitpro&version=2.0`, timestamp, "application/json", hash];
  const signature = createHmac("sha256", Buffer.from(key.secret, "base64")).update(signed.join("\n")).digest("base64");
  const answer = await fetch(`${server}${path}`, {
    method: "POST",
    headers: {
      authorization: `acquia-http-hmac realm="Bitpro",id="${key.id}",nonce="${nonce}",version="2.0",headers="",signature="${encodeURIComponent(signature)}"`,
      "x-authorization-timestamp": timestamp,
      "x-authorization-content-sha256": hash,
      "content-type": "application/json",
    },
    body: text,
  });
  const said = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${said}`);
  return JSON.parse(said) as T;
}
