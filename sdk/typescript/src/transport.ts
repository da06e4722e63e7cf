/** One call: signed, sent, verified, and repeated where that is safe. */

import { randomUUID } from "node:crypto";

import { ApiError, BitproError, ConnectionError, type Problem, UnverifiedAnswerError } from "./errors.ts";
import { authorization, contentHash, isAnswerGenuine, queryOf, secretBytes } from "./signing.ts";

const MEDIA_TYPE = "application/vnd.bitpro-mapi-20180503+json";
/** The first pause before a repetition, in milliseconds; each further one is twice as long. */
const FIRST_PAUSE_MS = 500;

export interface Options {
  /** The server, as in `https://pay.example`. */
  url: string;
  /** The id of an API key. That of the first key is the merchant's id. */
  keyId: string;
  /** The key's secret, as the dashboard shows it once. */
  secret: string;
  /** How long to wait for an answer. Defaults to 20 seconds. */
  timeoutMs?: number;
  /** How often a request is repeated at most. Defaults to 2. */
  retries?: number;
  /** The longest pause that is waited for; a server that asks for a longer one is not asked again. Defaults to 20 seconds. */
  longestWaitMs?: number;
  /** Allows `http://` to another machine. Answers are signed all the same, but anyone on the way can read them. */
  allowHttp?: boolean;
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
  /** The time in milliseconds, for tests. */
  now?: () => number;
  /** Waits, for tests. */
  pause?: (milliseconds: number) => Promise<void>;
}

export interface RequestOptions {
  /** Names what is to happen once. Defaults to a fresh one for each call; give your own to repeat a call yourself. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

export interface Call {
  method: "GET" | "POST" | "DELETE";
  path: string;
  query?: object;
  body?: object;
  /** Whether a repetition could do something twice. */
  onceOnly?: boolean;
}

/** What a request is made of, and how often it was sent. */
interface Outgoing {
  call: Call;
  query: string;
  body: string | undefined;
  idempotencyKey: string | undefined;
  signal: AbortSignal | undefined;
}

export class Transport {
  readonly #origin: URL;
  readonly #id: string;
  readonly #secret: Buffer;
  readonly #options: Options;

  constructor(options: Options) {
    const url = new URL(options.url);
    const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && (isLocal || options.allowHttp))) {
      throw new TypeError(`${options.url} is not https; for a server in your own network, set allowHttp`);
    }
    if (url.pathname !== "/" || url.search || url.hash || url.username) {
      throw new TypeError(`${options.url} is not an origin such as https://pay.example`);
    }
    this.#origin = url;
    this.#id = options.keyId;
    this.#secret = secretBytes(options.secret);
    this.#options = options;
  }

  async call<Answer>(call: Call, options: RequestOptions = {}): Promise<Answer> {
    const outgoing: Outgoing = {
      call,
      query: queryOf(Object.entries(call.query ?? {})),
      body: call.body === undefined ? undefined : write(call.body),
      idempotencyKey: call.method === "GET" ? undefined : (options.idempotencyKey ?? randomUUID()),
      signal: options.signal,
    };
    const retries = this.#options.retries ?? 2;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return (await this.#once(outgoing)) as Answer;
      } catch (error) {
        const wait = pauseBefore(error, attempt, call.onceOnly ?? false);
        const longest = this.#options.longestWaitMs ?? 20_000;
        if (wait === undefined || attempt >= retries || wait > longest || options.signal?.aborted) throw error;
        await (this.#options.pause ?? sleep)(wait);
      }
    }
  }

  /** Each attempt has a nonce and a time of its own. */
  async #once({ call, query, body, idempotencyKey, signal }: Outgoing): Promise<unknown> {
    const nonce = randomUUID();
    const timestamp = String(Math.floor((this.#options.now ?? Date.now)() / 1000));
    const { method, path } = call;
    const parts = { method, host: this.#origin.host, path, query, id: this.#id, nonce, timestamp, body };
    const headers: Record<string, string> = {
      Accept: MEDIA_TYPE,
      "Accept-Encoding": "identity",
      Authorization: authorization(this.#secret, parts),
      "X-Authorization-Timestamp": timestamp,
    };
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      headers["X-Authorization-Content-SHA256"] = contentHash(body);
    }
    if (idempotencyKey !== undefined) headers["Idempotency-Key"] = idempotencyKey;
    const timeout = AbortSignal.timeout(this.#options.timeoutMs ?? 20_000);
    let answer: Response;
    let bytes: Uint8Array;
    try {
      answer = await (this.#options.fetch ?? fetch)(`${this.#origin.origin}${path}${query && `?${query}`}`, {
        method,
        headers,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
        signal: signal ? either(signal, timeout) : timeout,
      });
      bytes = new Uint8Array(await answer.arrayBuffer());
    } catch (cause) {
      throw new ConnectionError(`${method} ${path}: no answer`, { cause });
    }
    const signature = answer.headers.get("x-server-authorization-hmac-sha256");
    const isSigned = signature !== null;
    if (isSigned && !isAnswerGenuine(this.#secret, nonce, timestamp, bytes, signature)) {
      throw new ForgedAnswerError(answer.status);
    }
    return read(answer, bytes, isSigned);
  }
}

/** Signed, but not by the server: it is told like an answer without a signature, and never repeated. */
class ForgedAnswerError extends UnverifiedAnswerError {}

/** How long to wait before the same is asked again; undefined when it must not be. */
function pauseBefore(error: unknown, attempt: number, onceOnly: boolean): number | undefined {
  const usual = FIRST_PAUSE_MS * 2 ** attempt * (1 + Math.random() / 2);
  if (error instanceof ApiError) {
    if (error.status === 429 && error.retryAfter !== undefined) return error.retryAfter * 1000;
    if (error.status === 503 && !onceOnly) return error.retryAfter === undefined ? usual : error.retryAfter * 1000;
    return undefined;
  }
  const isLost = error instanceof ConnectionError;
  const isProxys = error instanceof UnverifiedAnswerError && [502, 503, 504].includes(error.status);
  return !onceOnly && (isLost || (isProxys && !(error instanceof ForgedAnswerError))) ? usual : undefined;
}

function read(answer: Response, bytes: Uint8Array, isSigned: boolean): unknown {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    if (!isSigned) throw new UnverifiedAnswerError(status);
    return parse(bytes);
  }
  const type = answer.headers.get("content-type") ?? "";
  const problem = type.startsWith("application/problem+json") ? (parse(bytes) as Problem | undefined) : undefined;
  if (typeof problem?.code !== "string") {
    if (!isSigned) throw new UnverifiedAnswerError(status);
    throw new BitproError(`status ${status} without a problem's document`);
  }
  const seconds = answer.headers.get("retry-after");
  const retryAfter = seconds !== null && /^[0-9]{1,9}$/.test(seconds) ? Number(seconds) : undefined;
  throw new ApiError(status, problem, retryAfter, isSigned);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** JSON in which no number has lost a digit. */
function write(body: object): string {
  return JSON.stringify(body, (name, value: unknown) => {
    const number = typeof value === "bigint" ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && !Number.isSafeInteger(number)) {
      throw new RangeError(`${name} is too large to be exact`);
    }
    return number;
  });
}

/** The first of two signals. The oldest Node.js that we run on has no `AbortSignal.any`, which forgets the caller's signal by itself. */
function either(one: AbortSignal, other: AbortSignal): AbortSignal {
  if (typeof AbortSignal.any === "function") return AbortSignal.any([one, other]);
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort(signal.reason);
    signal.addEventListener("abort", () => both.abort(signal.reason), { once: true, signal: both.signal });
  }
  return both.signal;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
