/** Calls of the node, with nothing between the time that is taken and the call itself. */

import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

export interface Access {
  url: string;
  cookie: string;
}

export class Bitcoin {
  readonly #url: string;
  readonly #auth: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor({ url, cookie }: Access) {
    this.#url = url;
    this.#auth = readFileSync(cookie, "utf8").trim();
  }

  /** Gives the time just before the call, on the machine's clock in milliseconds. */
  call(method: string, params: unknown[]): Promise<number> {
    const body = JSON.stringify({ jsonrpc: "1.0", id: 0, method, params });
    return new Promise((resolve, reject) => {
      const call = request(this.#url, {
        method: "POST",
        auth: this.#auth,
        agent: this.#agent,
        headers: { "content-length": Buffer.byteLength(body) },
      });
      call.once("error", reject);
      call.once("response", (answer) => {
        let said = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => (said += part));
        answer.once("end", () => {
          const { error } = JSON.parse(said) as { error: { message: string } | null };
          if (error) reject(new Error(`${method}: ${error.message}`));
          else resolve(called);
        });
      });
      const called = performance.timeOrigin + performance.now();
      call.end(body);
    });
  }

  /** Puts a transaction into the mempool. */
  send(transaction: string): Promise<number> {
    return this.call("sendrawtransaction", [transaction]);
  }

  /** Mines what the mempool holds. */
  async mine(): Promise<void> {
    await this.call("generatetodescriptor", [1, "raw(51)"]);
  }

  close(): void {
    this.#agent.destroy();
  }
}
