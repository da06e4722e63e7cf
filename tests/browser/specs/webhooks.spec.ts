/** A shop's server in JavaScript is told of a payment, and believes it by the published verifier. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { Webhook } from "standardwebhooks";

import { Demo } from "../lib/demo.ts";
import { post } from "../lib/mapi.ts";
import { expect, shows, test } from "../lib/test.ts";

interface Told {
  body: string;
  headers: Record<string, string>;
}

test("a webhook made by the API is verified by the published package", async ({ page }) => {
  // A demo of its own: the verifier goes by the machine's clock, which other tests' demos have left behind.
  const demo = await Demo.start();
  const told: Told[] = [];
  const receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      told.push({ body, headers: request.headers as Record<string, string> });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, "127.0.0.1", listening));
  const { port } = receiver.address() as AddressInfo;
  try {
    const made = await post<{ secret: string }>(demo.server, demo.key, "/mapi/webhooks", {
      state: "charge:seen",
      url: `http://127.0.0.1:${port}/`,
    });
    const order = `js-${process.pid}`;
    await page.goto(demo.link({ fiat_price_cents: 4200, external_order_id: order }));
    await shows(page, "pending");
    await demo.pay(page.url());
    await shows(page, "seen");
    const ours = () => told.find(({ body }) => body.includes(`"${order}"`));
    await expect.poll(() => ours() !== undefined).toBe(true);
    const { body, headers } = ours() as Told;
    const verified = new Webhook(made.secret).verify(body, headers) as { event: { type: string } };
    expect(verified.event.type).toBe("charge:seen");
    expect(() => new Webhook(made.secret).verify(body.replace("4200", "4201"), headers)).toThrow();
  } finally {
    receiver.close();
    receiver.closeAllConnections();
    await demo.stop();
  }
});
