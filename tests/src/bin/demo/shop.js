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
