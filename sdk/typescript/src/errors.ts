/** What can go wrong. Every error of this package is a `BitproError`. */

/** The common class. */
export class BitproError extends Error {
  override name = "BitproError";
}

/** The problem document of an answer (RFC 9457). */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  code: string;
  request_id?: string;
  field?: string;
  [member: string]: unknown;
}

/** The server has refused. Branch on `code`, which is stable; the message may change. */
export class ApiError extends BitproError {
  override name = "ApiError";
  readonly status: number;
  /** What is wrong, in kebab-case, as in `out-of-bounds`. */
  readonly code: string;
  readonly title: string;
  /** Names the request: quote it to the operator. */
  readonly requestId: string | undefined;
  /** The field or parameter that is wrong. */
  readonly field: string | undefined;
  /** When to come back, in seconds. */
  readonly retryAfter: number | undefined;
  /** Whether the server vouches for the answer. It cannot where it does not know the key, as for `signature-invalid`. */
  readonly signed: boolean;
  /** The whole document, with members that only some problems have. */
  readonly problem: Problem;

  constructor(status: number, problem: Problem, retryAfter: number | undefined, signed: boolean) {
    const title = problem.title ?? "";
    super(`${status} ${problem.code}: ${title}${problem.request_id ? ` (request ${problem.request_id})` : ""}`);
    this.status = status;
    this.code = problem.code;
    this.title = title;
    this.requestId = problem.request_id;
    this.field = problem.field;
    this.retryAfter = retryAfter;
    this.signed = signed;
    this.problem = problem;
  }
}

/** No answer came. Whether the request was carried out is not known: ask again with the same idempotency key. */
export class ConnectionError extends BitproError {
  override name = "ConnectionError";
}

/** An answer came that the server has not signed: it may be of anyone, so it is not shown. */
export class UnverifiedAnswerError extends BitproError {
  override name = "UnverifiedAnswerError";
  readonly status: number;

  constructor(status: number) {
    super(`the answer (status ${status}) is not signed by the server`);
    this.status = status;
  }
}

/** Why a delivery is not to be believed. */
export type WebhookFailure = "missing-header" | "wrong-signature" | "stale-timestamp" | "malformed-body";

/** A webhook delivery that is not to be believed. Answer it with 401 and do nothing else. */
export class WebhookError extends BitproError {
  override name = "WebhookError";
  readonly code: WebhookFailure;

  constructor(code: WebhookFailure, message: string) {
    super(message);
    this.code = code;
  }
}
