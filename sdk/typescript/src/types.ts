/**
 * What the API answers, by the names on the wire. More members may be added; the answer's document has them even before this file
 * does. Amounts are whole numbers: cents and satoshis. All bitcoins that there will ever be are 2.1e15 satoshis, which a number holds
 * exactly.
 */

export type ChargeState = "pending" | "seen" | "confirmed" | "timedout" | "failed";
export type EventType =
  | "charge:seen"
  | "charge:confirmed"
  | "charge:timedout"
  | "charge:failed"
  | "charge:reverted"
  | "charge:updated";

export interface Address {
  address: string;
}

export interface Payment {
  txid: string;
  /** Bitcoin, with 8 decimal places. */
  value: string;
  state: "seen" | "confirmed";
  vout: number;
  value_sat: number;
  confirmations: number;
  first_seen_at: string;
  /** The price of one bitcoin when the payment was first seen. */
  rate_cents_per_btc: number | null;
}

export interface GonePayment {
  txid: string;
  value: string;
  state: string;
  vout: number;
  value_sat: number;
}

export interface QuotedRate {
  cents_per_btc: number;
  source: string;
  at: string;
  spread_bps: number;
}

export interface Charge {
  id: string;
  state: ChargeState;
  /** Why it is in this state. */
  reason: string | null;
  /** Rises with each event. Send it when you cancel or accept. */
  sequence: number;
  /** Rises each time a charge falls back after it was seen or confirmed. */
  round: number;
  external_order_id: string | null;
  buyer_email: string | null;
  fiat_currency: "eur";
  /** @deprecated A fraction of the reference's own: calculate with fiat_price_cents. */
  fiat_price: number;
  fiat_price_cents: number;
  amount_sat: number;
  received_sat: number;
  remaining_sat: number;
  confirmations: number;
  confirmations_required: number;
  /** Whether the merchant vouches for the price: created by the API or a signed link. */
  price_verified: boolean;
  /** Whether the order id has charges with different prices, or more than one that received money. */
  order_conflict: boolean;
  origin: "link" | "signed_link" | "api";
  rate: QuotedRate;
  addresses: Address[];
  payments: Payment[];
  payments_total: number;
  gone_payments: GonePayment[];
  gone_payments_total: number;
  /** Money that was seen before the charge was created: it belongs to someone else. */
  earlier_payments: Payment[];
  metadata: Record<string, unknown> | null;
  created_at: string;
  expires_at: string;
  /** The charge's page: send the shopper there. */
  url: string;
}

export interface ChargeList {
  charges: Charge[];
  /** Nearly always empty: ids of charges that belong here, and that the server cannot read. Do not ship for them. */
  unreadable: string[];
  page: number;
  next_cursor: string | null;
}

export interface Event {
  id: string;
  type: EventType;
  /** The reference's own spelling. */
  occured_at: string;
  /** The charge as it was then. */
  data: Charge;
}

export interface EventList {
  events: Event[];
  /** Where to go on; it is there also at the end, for later. */
  next_cursor: string;
  has_more: boolean;
}

/** The body of a webhook delivery. */
export interface Delivery {
  delivery_attempt: number;
  event: Event;
  /** A test names no order: accept it and do nothing. */
  test?: true;
  /** The event that came to be delivered before this one. */
  superseded_by?: string;
}

export interface Rate {
  fiat_currency: "eur";
  cents_per_btc: number;
  source: string;
  at: string;
  /** How much more than the rate a charge asks for, in hundredths of a percent. */
  spread_bps: number;
}

export interface Webhook {
  id: string;
  merchant_id: string;
  state: EventType;
  url: string;
  created_at: string;
  /** When deliveries stopped because the receiver answered 410. */
  paused_at: string | null;
  former_secret_until: string | null;
  /** Pending deliveries. */
  pending: number;
  /** Only in the answer that created it. */
  secret?: string | null;
}

export interface WebhookList {
  webhooks: Webhook[];
}

export interface WebhookTest {
  event_id: string;
  delivered: boolean;
  status: number | null;
  failure: string | null;
  took_ms: number;
  excerpt: string | null;
}

export interface Redelivery {
  id: string;
  /** How many deliveries start now. */
  due: number;
}

export interface Attempt {
  attempt: number;
  at: string;
  took_ms: number;
  status: number | null;
  failure: string | null;
  excerpt: string | null;
}

export interface PastDelivery {
  number: number;
  event_id: string;
  type: string;
  occured_at: string;
  state: "pending" | "delivered" | "given_up" | "cancelled";
  next_attempt_at: string | null;
  superseded_by: string | null;
  attempts: Attempt[];
}

export interface DeliveryList {
  deliveries: PastDelivery[];
  next_before: number | null;
}

/** A charge to create. */
export interface NewCharge {
  /** The price in cents. */
  fiat_price_cents: number | bigint;
  fiat_currency?: "eur";
  /** Your order id, at most 200 characters. */
  external_order_id?: string;
  buyer_email?: string;
  /** The page's language. */
  lang?: string;
  /** Where the page sends the shopper once paid, on one of your allowed domains. Not proof of payment. */
  success_url?: string;
  /** Your own object, at most 4,096 bytes of JSON. */
  metadata?: Record<string, unknown>;
  window_secs?: number;
  confirmations?: number;
}

export interface ChargeQuery {
  state?: ChargeState;
  external_order_id?: string;
  created_from?: string;
  created_to?: string;
  /** 25 by default, at most 100. */
  per_page?: number;
  /** next_cursor of the previous page. */
  cursor?: string;
  page?: number;
}

export interface EventQuery {
  /** next_cursor of the last answer. Defaults to the beginning. */
  after?: string;
  per_page?: number;
}

export interface DeliveryQuery {
  /** next_before of the last answer. */
  before?: number;
  per_page?: number;
}
