/** What the tests share: the vectors, and a server that is a function. */

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

import { type Options, Transport } from "../src/transport.ts";

export const SECRET = "W5PeGMxSItNerkNFqQMfYiJvH14WzVJMy54CPoTAYoI=";

/** A file of vectors; what is in it is said by the tests that read it. */
export function vectors(name: string): any {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));
}

export interface Seen {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
  nonce: string;
  timestamp: string;
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  signature?: "right" | "wrong" | "none";
}

/** Signs an answer as the server does. */
export function signed(seen: Seen, body: string, secret = Buffer.from(SECRET, "base64")): string {
  return createHmac("sha256", secret).update(`${seen.nonce}\n${seen.timestamp}\n${body}`).digest("base64");
}

/** Options of a client whose server is `answer`; what it saw and how long it paused. */
export function served(answer: (seen: Seen, count: number) => Reply | Error): {
  options: Options;
  seen: Seen[];
  pauses: number[];
} {
  const seen: Seen[] = [];
  const pauses: number[] = [];
  const options: Options = {
    url: "https://pay.example",
    keyId: "efdde334-fe7b-11e4-a322-1697f925ec7b",
    secret: SECRET,
    now: () => 1432075982_000,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
    },
    fetch: async (input, init) => {
      const headers = init?.headers as Record<string, string>;
      const nonce = /nonce="([^"]*)"/.exec(headers["Authorization"] ?? "")?.[1] ?? "";
      const one: Seen = {
        method: init?.method ?? "",
        url: String(input),
        headers,
        body: init?.body as string | undefined,
        nonce,
        timestamp: headers["X-Authorization-Timestamp"] ?? "",
      };
      seen.push(one);
      const reply = answer(one, seen.length);
      if (reply instanceof Error) throw reply;
      const body = reply.body ?? "{}";
      const answered = new Headers(reply.headers);
      const kind = reply.signature ?? "right";
      if (kind === "right") answered.set("x-server-authorization-hmac-sha256", signed(one, body));
      if (kind === "wrong") answered.set("x-server-authorization-hmac-sha256", signed(one, body, Buffer.alloc(32, 7)));
      return new Response(body, { status: reply.status ?? 200, headers: answered });
    },
  };
  return { options, seen, pauses };
}

export function transport(answer: (seen: Seen, count: number) => Reply | Error, more: Partial<Options> = {}) {
  const { options, seen, pauses } = served(answer);
  return { transport: new Transport({ ...options, ...more }), seen, pauses };
}
