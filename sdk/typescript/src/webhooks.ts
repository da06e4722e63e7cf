/** Webhook deliveries: genuine or not (Standard Webhooks). */

import { createHmac } from "node:crypto";

import { WebhookError } from "./errors.ts";
import { isSame } from "./signing.ts";
import type { Delivery } from "./types.ts";

/** Headers as `fetch`, Node.js, Express, Next.js and the like give them. */
export type HeadersLike = Headers | Record<string, string | string[] | undefined>;

export interface VerifyOptions {
  /** How far the delivery's time may be from ours, in seconds. Defaults to 300. */
  toleranceSecs?: number;
  /** The time in Unix seconds, for tests. */
  now?: number;
}

/**
 * Verifies a delivery and reads it. Give the raw body, before anything has parsed it, and the secret of each webhook that leads to
 * this URL; while you rotate one, both.
 *
 * @throws {WebhookError} when it is not to be believed.
 */
export function verifyWebhook(
  body: string | Uint8Array,
  headers: HeadersLike,
  secrets: string | readonly string[],
  options: VerifyOptions = {},
): Delivery {
  const id = header(headers, "webhook-id");
  const at = header(headers, "webhook-timestamp");
  const given = header(headers, "webhook-signature");
  if (!id || !at || !given) throw new WebhookError("missing-header", "a header of the signature is missing");
  const keys = (typeof secrets === "string" ? [secrets] : secrets).map(keyOf);
  if (!isSigned(keys, `${id}.${at}.`, body, given)) {
    throw new WebhookError("wrong-signature", "no secret of ours made this signature");
  }
  const now = options.now ?? Date.now() / 1000;
  if (!/^[0-9]{1,12}$/.test(at) || Math.abs(now - Number(at)) > (options.toleranceSecs ?? 300)) {
    throw new WebhookError("stale-timestamp", "the delivery is too old, or one of the clocks is wrong");
  }
  return read(body);
}

/** All signatures are compared with all keys, so that the time taken tells nothing. */
function isSigned(keys: Buffer[], head: string, body: string | Uint8Array, given: string): boolean {
  let found = false;
  for (const key of keys) {
    const right = `v1,${createHmac("sha256", key).update(head).update(body).digest("base64")}`;
    for (const signature of given.split(" ")) found = isSame(right, signature) || found;
  }
  return found;
}

function keyOf(secret: string): Buffer {
  const text = secret.trim().replace(/^whsec_/, "");
  const key = Buffer.from(text, "base64");
  if (key.length < 16 || key.toString("base64") !== text) throw new TypeError("a webhook's secret is whsec_ and base64");
  return key;
}

function read(body: string | Uint8Array): Delivery {
  const text = typeof body === "string" ? body : Buffer.from(body).toString("utf8");
  let delivery: Delivery | undefined;
  try {
    delivery = JSON.parse(text);
  } catch {
    // It is told below, like a document of another shape.
  }
  if (typeof delivery?.event?.data !== "object" || delivery.event.data === null) {
    throw new WebhookError("malformed-body", "the body is not a delivery");
  }
  return delivery;
}

function header(headers: HeadersLike, name: string): string | undefined {
  if (typeof (headers as Headers).get === "function") return (headers as Headers).get(name) ?? undefined;
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name) return Array.isArray(value) ? value[0] : value;
  }
  return undefined;
}
