/** Client of the merchant API of Bitpro Checkout. */

export { Bitpro } from "./client.ts";
export { ApiError, BitproError, ConnectionError, type Problem, UnverifiedAnswerError, WebhookError, type WebhookFailure } from "./errors.ts";
export { type Link, linkMessage, signedLink } from "./links.ts";
export type { Options, RequestOptions } from "./transport.ts";
export type * from "./types.ts";
export { type HeadersLike, type VerifyOptions, verifyWebhook } from "./webhooks.ts";
