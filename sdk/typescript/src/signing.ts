/** What is signed, and how: Acquia HTTP HMAC 2.0. */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** What every request to a Bitpro server is signed for. */
export const REALM = "Bitpro";

/** The parts of a request that its signature covers, as they are sent. */
export interface SignedParts {
  method: string;
  /** With its port, if the address has one that is not its scheme's own. */
  host: string;
  path: string;
  /** Without its question mark; empty without one. */
  query: string;
  id: string;
  nonce: string;
  /** Unix seconds. */
  timestamp: string;
  body?: string | undefined;
  realm?: string | undefined;
}

/** Percent-encodes every byte but the unreserved characters of RFC 3986: the query is signed as it is sent, so nobody may rewrite it. */
export function escape(text: string): string {
  let escaped = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}

/** A query string of these parameters, in their order. What is undefined or null is left out. */
export function queryOf(parameters: Iterable<readonly [string, unknown]>): string {
  const pairs: string[] = [];
  for (const [name, value] of parameters) {
    if (value !== undefined && value !== null) pairs.push(`${escape(name)}=${escape(String(value))}`);
  }
  return pairs.join("&");
}

/** The secret's bytes. */
export function secretBytes(secret: string): Buffer {
  const bytes = Buffer.from(secret, "base64");
  if (bytes.length < 16 || bytes.toString("base64") !== secret) {
    throw new TypeError("the secret is not the base64 that the dashboard shows for an API key");
  }
  return bytes;
}

/** The value of `X-Authorization-Content-SHA256`. */
export function contentHash(body: string): string {
  return createHash("sha256").update(body, "utf8").digest("base64");
}

/** The text under the signature. */
export function stringToSign(parts: SignedParts): string {
  const realm = parts.realm ?? REALM;
  const lines = [
    parts.method.toUpperCase(),
    parts.host.toLowerCase(),
    parts.path,
    parts.query,
    `id=${escape(parts.id)}&nonce=${escape(parts.nonce)}&realm=${escape(realm)}&version=2.0`,
    parts.timestamp,
  ];
  if (parts.body) lines.push("application/json", contentHash(parts.body));
  return lines.join("\n");
}

/** The value of `Authorization`. */
export function authorization(secret: Uint8Array, parts: SignedParts): string {
  const signature = sign(secret, stringToSign(parts));
  const values = { realm: parts.realm ?? REALM, id: parts.id, nonce: parts.nonce, version: "2.0", headers: "", signature };
  const attributes = Object.entries(values).map(([name, value]) => `${name}="${escape(value)}"`);
  return `acquia-http-hmac ${attributes.join(",")}`;
}

/** Whether `signature`, the value of `X-Server-Authorization-HMAC-SHA256`, is the server's of this answer to this request. */
export function isAnswerGenuine(
  secret: Uint8Array,
  nonce: string,
  timestamp: string,
  body: string | Uint8Array,
  signature: string,
): boolean {
  const mac = createHmac("sha256", secret).update(`${nonce}\n${timestamp}\n`).update(body);
  return isSame(mac.digest("base64"), signature);
}

/** Compares in a time that does not tell how much of `given` is right. */
export function isSame(right: string, given: string): boolean {
  const [a, b] = [Buffer.from(right), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function sign(secret: Uint8Array, text: string): string {
  return createHmac("sha256", secret).update(text, "utf8").digest("base64");
}
