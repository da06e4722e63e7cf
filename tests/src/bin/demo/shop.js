// Shows what a merchant's page hears of a checkout that it has opened.
const log = document.getElementById("log");
for (const type of ["open", "ready", "state", "wallet", "close"]) {
  document.addEventListener(`bitit:${type}`, (event) => {
    const { state, reason, order_id: order, uri } = event.detail ?? {};
    const line = document.createElement("li");
    line.textContent = [`bitit:${type}`, state, reason, order, uri].filter(Boolean).join(" · ");
    log.append(line);
  });
}

// Shows what the shop's server was told by webhooks. A page would not need it; a demo does.
const inbox = document.getElementById("inbox");
async function read() {
  if (!document.hidden) {
    const told = await fetch("/hooks").then((answer) => answer.json()).catch(() => []);
    const lines = told.map(({ kind, order, price_cents: cents, says }) =>
      [kind, order, `€${(cents / 100).toFixed(2)}`, says].filter(Boolean).join(" · "),
    );
    const shown = [...inbox.children].map((line) => line.textContent);
    if (lines.join("\n") !== shown.join("\n")) {
      inbox.replaceChildren(
        ...lines.map((text) => {
          const line = document.createElement("li");
          line.textContent = text;
          return line;
        }),
      );
    }
  }
  setTimeout(read, 2_000);
}
read();

// Without the loader the buttons are links: while it is still being built behind the demo, and where the checkout may not be framed.
const loader = document.querySelector("script[data-loader]");
const { server } = document.querySelector("script[data-server]").dataset;
if (!loader || "missing" in loader.dataset) {
  const note = document.getElementById("links-only");
  note.hidden = false;
  note.textContent = loader
    ? "The loader is still being built behind this demo: until then the checkout opens in a tab of its own."
    : "A shop without TLS may show the checkout in its page on its own machine only: here it opens in a tab of its own.";
  for (const trigger of document.querySelectorAll("[data-merchant-id]")) {
    const { merchantId, fiatPriceCents, externalOrderId } = trigger.dataset;
    const query = new URLSearchParams({ fiat_price_cents: fiatPriceCents, external_order_id: externalOrderId });
    trigger.addEventListener("click", (event) => {
      event.preventDefault();
      open(`${server}/app/checkout/${merchantId}?${query}`, "_blank", "noopener");
    });
  }
}
if (loader && "missing" in loader.dataset) {
  setInterval(async () => {
    const answer = await fetch(loader.src, { cache: "no-store" }).catch(() => undefined);
    if (answer?.ok) location.reload();
  }, 3_000);
}
