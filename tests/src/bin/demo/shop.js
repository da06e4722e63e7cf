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
