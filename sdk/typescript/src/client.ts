/** The calls of the merchant API. */

import { type Options, type RequestOptions, Transport } from "./transport.ts";
import type {
  Charge,
  ChargeList,
  ChargeQuery,
  DeliveryList,
  DeliveryQuery,
  EventList,
  EventQuery,
  EventType,
  NewCharge,
  Rate,
  Redelivery,
  Webhook,
  WebhookList,
  WebhookTest,
} from "./types.ts";

/** A client of one server, with one API key. */
export class Bitpro {
  readonly charges: Charges;
  readonly events: Events;
  readonly webhooks: Webhooks;
  readonly #transport: Transport;

  constructor(options: Options) {
    this.#transport = new Transport(options);
    this.charges = new Charges(this.#transport);
    this.events = new Events(this.#transport);
    this.webhooks = new Webhooks(this.#transport);
  }

  /** The rate that a charge created now would use. */
  rate(options?: RequestOptions): Promise<Rate> {
    return this.#transport.call({ method: "GET", path: "/mapi/rate" }, options);
  }
}

class Charges {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Creates a charge with its own address. Send the shopper to its `url`. */
  create(charge: NewCharge, options?: RequestOptions): Promise<Charge> {
    return this.#transport.call({ method: "POST", path: "/mapi/charges", body: charge }, options);
  }

  /** One charge as it is now. */
  get(id: string, options?: RequestOptions): Promise<Charge> {
    return this.#transport.call({ method: "GET", path: chargePath(id) }, options);
  }

  /** Cancels a charge that nobody has paid. `sequence` is the charge's as you saw it. */
  cancel(id: string, sequence: number, options?: RequestOptions): Promise<Charge> {
    return this.#transport.call({ method: "POST", path: `${chargePath(id)}/cancel`, body: { sequence } }, options);
  }

  /** Accepts the named payments (`txid:vout`), whatever their amount and time. */
  accept(id: string, sequence: number, payments: readonly string[], options?: RequestOptions): Promise<Charge> {
    const body = { sequence, payments };
    return this.#transport.call({ method: "POST", path: `${chargePath(id)}/accept`, body }, options);
  }

  /** One page of the charges, newest first. */
  page(query: ChargeQuery = {}, options?: RequestOptions): Promise<ChargeList> {
    return this.#transport.call({ method: "GET", path: "/mapi/charges", query }, options);
  }

  /** Page after page, by their cursors. */
  async *pages(query: ChargeQuery = {}, options?: RequestOptions): AsyncGenerator<ChargeList, void, undefined> {
    let asked = query;
    for (;;) {
      const page = await this.page(asked, options);
      yield page;
      if (page.next_cursor === null) return;
      const { page: _, ...filter } = query;
      asked = { ...filter, cursor: page.next_cursor };
    }
  }

  /** Charge after charge, newest first. `pages` also names charges that the server cannot read. */
  async *list(query: ChargeQuery = {}, options?: RequestOptions): AsyncGenerator<Charge, void, undefined> {
    for await (const page of this.pages(query, options)) yield* page.charges;
  }
}

class Events {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** One page of the log of events, oldest first. Keep `next_cursor` and give it as `after` next time. */
  page(query: EventQuery = {}, options?: RequestOptions): Promise<EventList> {
    return this.#transport.call({ method: "GET", path: "/mapi/events", query }, options);
  }

  /** Page after page, up to now. Keep the `next_cursor` of each once its events are handled. */
  async *pages(query: EventQuery = {}, options?: RequestOptions): AsyncGenerator<EventList, void, undefined> {
    let asked = query;
    for (;;) {
      const page = await this.page(asked, options);
      yield page;
      if (!page.has_more) return;
      asked = { ...query, after: page.next_cursor };
    }
  }
}

class Webhooks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All webhooks, oldest first, without their secrets. */
  async list(options?: RequestOptions): Promise<Webhook[]> {
    const list: WebhookList = await this.#transport.call({ method: "GET", path: "/mapi/webhooks" }, options);
    return list.webhooks;
  }

  /** Adds a webhook. The answer contains the secret that signs deliveries; no other answer does. */
  create(state: EventType, url: string, options?: RequestOptions): Promise<Webhook> {
    return this.#transport.call({ method: "POST", path: "/mapi/webhooks", body: { state, url } }, options);
  }

  /** Removes a webhook and cancels its pending deliveries. */
  remove(id: string, options?: RequestOptions): Promise<Webhook> {
    return this.#transport.call({ method: "DELETE", path: webhookPath(id) }, options);
  }

  /** Creates a new secret and shows it. The previous one also signs for `overlapSecs`. */
  rotate(id: string, overlapSecs: number, options?: RequestOptions): Promise<Webhook> {
    const body = { overlap_secs: overlapSecs };
    return this.#transport.call({ method: "POST", path: `${webhookPath(id)}/rotate`, body }, options);
  }

  /** Sends one test delivery now, and says what happened. It is never repeated by itself. */
  test(id: string, options?: RequestOptions): Promise<WebhookTest> {
    return this.#transport.call({ method: "POST", path: `${webhookPath(id)}/test`, body: {}, onceOnly: true }, options);
  }

  /** Delivers failed events again, or one event whatever happened to it. */
  redeliver(id: string, eventId?: string, options?: RequestOptions): Promise<Redelivery> {
    const body = eventId === undefined ? {} : { event_id: eventId };
    return this.#transport.call({ method: "POST", path: `${webhookPath(id)}/redeliver`, body }, options);
  }

  /** The deliveries of the last 90 days, newest first, with their attempts. */
  deliveries(id: string, query: DeliveryQuery = {}, options?: RequestOptions): Promise<DeliveryList> {
    return this.#transport.call({ method: "GET", path: `${webhookPath(id)}/deliveries`, query }, options);
  }
}

function chargePath(id: string): string {
  return `/mapi/charges/${plain(id)}`;
}

function webhookPath(id: string): string {
  return `/mapi/webhooks/${plain(id)}`;
}

/** An id that could lead elsewhere must not get into a path that we sign. */
function plain(id: string): string {
  if (!/^[0-9A-Za-z-]{1,64}$/.test(id)) throw new TypeError(`${JSON.stringify(id)} is not an id`);
  return id;
}

export type { Charges, Events, Webhooks };
