/**
 * Types of the loader at `/libs/iframeBuilderV1.min.js`: its DOM events, the messages between it and the checkout page, and
 * its one global. Stable: fields and members are only ever added.
 *
 * None of this is proof of payment. Verify the webhook or ask the API, and compare amount and order id.
 */

/** The charge's state, in the words of the API. */
export type BititState = "pending" | "seen" | "confirmed" | "timedout" | "failed";

/** Why the charge is in its state; more reasons may come. */
export type BititReason =
  | "exact"
  | "underpaid"
  | "overpaid"
  | "late"
  | "replaced"
  | "dropped"
  | "reorged"
  | "manual"
  | "cancelled"
  | "stuck"
  | (string & {});

/** Each message is an object of this form; `bitpro` is the version of the contract. */
interface BititMessage<Type extends string> {
  bitpro: 1;
  type: Type;
}

/** From the loader to the page: lets the page know the origin to which it may post. */
export type BititHello = BititMessage<"hello">;

/** The page is there and listens. */
export interface BititReady extends BititMessage<"ready"> {
  /** The charge's id, as in `/mapi/charges/:id`; absent while there is no charge (amount form, error page). */
  charge?: string;
  /** Path and query of the charge's own URL, for opening it again. */
  path?: string;
}

/** The charge's state as of now; the same state may be told again. */
export interface BititStateMessage extends BititMessage<"state"> {
  state: BititState;
  reason?: BititReason;
  /** The charge's id, as in `/mapi/charges/:id`. */
  charge: string;
  /** Path and query of the charge's own URL, for opening it again. */
  path: string;
  /** The merchant's `external_order_id`. */
  order_id?: string;
}

/** The height that the page needs to have no scroll bar, in CSS pixels; the loader clamps it to 200 … 2,000. */
export interface BititResize extends BititMessage<"resize"> {
  height: number;
}

/** The shopper pressed the wallet link; anything but a `bitcoin:` URI is ignored. */
export interface BititWallet extends BititMessage<"wallet"> {
  uri: string;
}

/** The shopper asks for the frame to go away. */
export type BititCloseMessage = BititMessage<"close">;

/** From the page to the loader; `CONTRACT.md` says when and why. */
export type BititPageMessage = BititReady | BititStateMessage | BititResize | BititWallet | BititCloseMessage;

/** A message of the page before its type is known; types and fields may be added. */
export interface BititAnyMessage extends BititMessage<string>, Partial<BititFields> {}

type BititFields = Omit<BititStateMessage, keyof BititHello> &
  Omit<BititResize, keyof BititHello> &
  Omit<BititWallet, keyof BititHello>;

/** The events that the loader dispatches on the trigger; all bubble. */
export interface BititEventMap {
  /** The shopper has activated the trigger. The attributes are read afterwards; `preventDefault()` stops the opening. */
  "bitit:open": CustomEvent<null>;
  /** The frame was removed. */
  "bitit:close": CustomEvent<null>;
  "bitit:ready": CustomEvent<BititReady>;
  "bitit:state": CustomEvent<BititStateMessage>;
  "bitit:resize": CustomEvent<BititResize>;
  "bitit:wallet": CustomEvent<BititWallet>;
}

declare global {
  interface HTMLElementEventMap extends BititEventMap {}
  interface DocumentEventMap extends BititEventMap {}
  interface WindowEventMap extends BititEventMap {}
  interface Window {
    /** Version of the loader that is at work; a second copy does nothing. */
    bititIframe?: string;
  }
}
