// The wallet's page: presses become calls of the small JSON API, whose state is drawn again every second.
const byId = (id) => document.getElementById(id);
const bitcoin = (sats) => `${(BigInt(sats) / 100000000n).toString()}.${(BigInt(sats) % 100000000n).toString().padStart(8, "0")} BTC`;

const say = (text, outcome) => {
  byId("status").textContent = text;
  byId("status").dataset.outcome = outcome;
};

const act = async (button, path, body) => {
  button.disabled = true;
  try {
    const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const { said, error } = await answer.json();
    say(error ?? said, error ? "bad" : "good");
  } catch {
    say("The demo does not answer. Is it still running?", "bad");
  }
  button.disabled = false;
  await refresh();
};

const element = (name, text, className) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
};

const action = (text, path, body) => {
  const button = element("button", text);
  button.type = "button";
  button.addEventListener("click", () => act(button, path, body));
  return button;
};

const group = (label, ...buttons) => {
  const made = element("div", "", "pay");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  made.append(...buttons);
  return made;
};

// A list is only redrawn when it has changed: a button must not vanish under the finger, or lose the focus.
const draw = (list, items, row, empty) => {
  const drawn = JSON.stringify(items);
  if (list.dataset.drawn === drawn) return;
  list.dataset.drawn = drawn;
  list.replaceChildren(...(items.length ? items.map(row) : [element("li", empty, "muted")]));
};

const chargeRow = ({ order, price, state, address, remaining_sat: remaining }) => {
  const row = document.createElement("li");
  row.append(
    element("p", `${order ?? "No order id"} · ${price} · ${state}`),
    element("p", `${bitcoin(remaining)} to ${address}`, "mono"),
    group(
      `Pay ${order ?? address}`,
      ...[["Pay all", "all"], ["Pay half", "half"], ["Pay too much", "too-much"]].map(([text, share]) =>
        action(text, "/api/pay", { to: address, share })),
    ),
  );
  return row;
};

const paymentRow = ({ txid, sats, address, status, open }) => {
  const row = document.createElement("li");
  row.dataset.txid = txid;
  row.append(element("p", `${bitcoin(sats)} · ${status}`), element("p", `to ${address}`, "mono"), element("p", txid, "mono"));
  if (open) {
    row.append(group(`Change payment ${txid.slice(0, 8)}`,
      action("Replace by fee", "/api/replace", { txid }),
      action("Double-spend away", "/api/double-spend", { txid })));
  }
  return row;
};

const exampleRow = ({ what, wanted, state, is_there: isThere, url }) => {
  const row = document.createElement("li");
  const link = element("a", what);
  Object.assign(link, { href: url, target: "_blank", rel: "noopener" });
  const title = document.createElement("p");
  title.append(link);
  row.append(title, element("p", isThere ? state : `${state}, becomes ${wanted}`, "muted"));
  return row;
};

const refresh = async () => {
  try {
    const state = await (await fetch("/api/state")).json();
    byId("height").textContent = state.height;
    byId("mempool").textContent = state.mempool === 1 ? "1 transaction" : `${state.mempool} transactions`;
    byId("balance").textContent = bitcoin(state.balance_sat);
    draw(byId("charges"), state.charges, chargeRow, "None. Open the shop and press “Pay with Bitcoin”.");
    byId("examples-card").hidden = !state.examples.length;
    draw(byId("examples"), state.examples, exampleRow, "None.");
    draw(byId("payments"), state.payments, paymentRow, "Nothing yet.");
  } catch {
    byId("height").textContent = "–";
  }
};

for (const button of document.querySelectorAll("[data-share]")) {
  button.addEventListener("click", () => act(button, "/api/pay", { to: byId("to").value, share: button.dataset.share }));
}
for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => act(button, `/api/${button.dataset.do}`, {}));
}

// A wallet that is registered for `bitcoin:` links would be opened with one; here it comes in the fragment.
if (location.hash.length > 1) byId("to").value = decodeURIComponent(location.hash.slice(1));
refresh();
setInterval(refresh, 1000);
