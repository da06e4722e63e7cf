/** The demo, started for tests: two real nodes, the real server, a shop on another site, and the wallet's buttons as calls. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { Letters } from "./letters.ts";
import type { Key } from "./mapi.ts";

/** What the demo prints once it is ready. */
interface Addresses {
  server: string;
  shop: string;
  checkout: string;
  wallet: string;
  dashboard: string;
  letters: string;
  merchant_id: string;
  api_key: Key;
}

/** A charge as `…/status` tells it; only what the tests look at. */
export interface View {
  id: string;
  state: string;
  reason: string | null;
  address: string;
  uri: string | null;
  amount_sat: number;
  remaining_sat: number;
  received_sat: number;
}

export type Share = "all" | "half" | "too-much";

export class Demo {
  readonly server: string;
  readonly shop: string;
  readonly wallet: string;
  readonly merchant: string;
  /** Where the shop's owner chooses their password, once. */
  readonly dashboard: string;
  /** A key of the merchant API. */
  readonly key: Key;
  /** What was sent to people. */
  readonly letters: Letters;
  readonly #process: ChildProcess;

  private constructor(addresses: Addresses, process: ChildProcess) {
    this.server = addresses.server;
    this.shop = addresses.shop;
    this.wallet = addresses.wallet;
    this.dashboard = addresses.dashboard;
    this.merchant = addresses.merchant_id;
    this.key = addresses.api_key;
    this.letters = new Letters(addresses.letters);
    this.#process = process;
  }

  static async start(): Promise<Demo> {
    const program = process.env.BITPRO_DEMO;
    if (!program) throw new Error("BITPRO_DEMO must name the demo's binary; `cargo xtask test browser` does that");
    const child = spawn(program, ["--json", "--for-tests"], { stdio: ["ignore", "pipe", "pipe"] });
    let told = "";
    child.stderr.on("data", (chunk) => (told += chunk));
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).once("line", resolve);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the demo ended with ${code}:\n${told}`)));
    });
    return new Demo(JSON.parse(line) as Addresses, child);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    await ended;
  }

  /** The direct link of a charge; more parameters by their names. */
  link(parameters: Record<string, string | number> = { fiat_price_cents: 4200 }): string {
    const query = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
    return `${this.server}/app/checkout/${this.merchant}?${query}`;
  }

  /** The server's own time, in seconds, which `advance` moves. */
  async now(): Promise<number> {
    const answer = await fetch(`${this.server}/login`, { method: "HEAD" });
    return Math.floor(Date.parse(answer.headers.get("date") as string) / 1000);
  }

  /** The state of the charge whose page is at `url`. */
  async view(url: string): Promise<View> {
    const { origin, pathname } = new URL(url);
    const answer = await fetch(`${origin}${pathname}/status`);
    if (!answer.ok) throw new Error(`${url} has no status: ${answer.status}`);
    return (await answer.json()) as View;
  }

  /** Waits until the server itself has the charge at `url` in `state`, whatever a page shows. */
  async knows(url: string, state: string): Promise<View> {
    const deadline = AbortSignal.timeout(20_000);
    for (;;) {
      const view = await this.view(url);
      if (view.state === state) return view;
      if (deadline.aborted) throw new Error(`the server has it as ${view.state}, not as ${state}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Pays the charge whose page is at `url`, and gives the transaction's id. */
  async pay(url: string, share: Share = "all"): Promise<string> {
    const { uri } = await this.view(url);
    if (!uri) throw new Error(`nothing is asked for at ${url}`);
    return this.payTo(uri, share);
  }

  /** Pays to an address or a `bitcoin:` link. */
  async payTo(to: string, share: Share = "all"): Promise<string> {
    return (await this.#press<{ txid: string }>("pay", { to, share })).txid;
  }

  /** Pays so many satoshis to an address. */
  async paySats(to: string, sats: number): Promise<string> {
    return (await this.#press<{ txid: string }>("pay", { to, sats })).txid;
  }

  async replace(txid: string): Promise<string> {
    return (await this.#press<{ txid: string }>("replace", { txid })).txid;
  }

  async doubleSpend(txid: string): Promise<void> {
    await this.#press("double-spend", { txid });
  }

  async mine(blocks = 1): Promise<void> {
    await this.#press("mine", { blocks });
  }

  async undo(blocks = 1): Promise<void> {
    await this.#press("undo", { blocks });
  }

  /** Moves the time of the server and of both nodes. */
  async advance(secs: number): Promise<void> {
    await this.#press("advance", { secs });
  }

  /** Signs a link as the shop's server would, for the attributes of a trigger. */
  async sign(cents: number, order: string): Promise<{ sig: string; exp: string }> {
    return this.#press("sign", { merchant: this.merchant, cents, order });
  }

  /** Stops the server's node, or starts it again. */
  async node(running: boolean): Promise<void> {
    await this.#press("node", { running });
  }

  async #press<T>(button: string, body: object): Promise<T> {
    const answer = await fetch(`${this.wallet}/api/${button}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = (await answer.json()) as T & { error?: string };
    if (!answer.ok) throw new Error(`${button}: ${said.error}`);
    return said;
  }
}
