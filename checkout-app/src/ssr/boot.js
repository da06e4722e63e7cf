// What must not wait for WASM: the talk with the loader (widget/CONTRACT.md), and looking again where WASM does not come.
// The page itself only sets attributes on the root element; this follows them.
(origins, charge, order_id, wait) => {
  const root = document.documentElement, other = parent;
  if (wait) setInterval(() => "live" in root.dataset || location.reload(), wait * 1000);
  // A page whose WASM has failed listens no more.
  const fail = ({ error, reason }) => (error || reason) instanceof WebAssembly.RuntimeError && delete root.dataset.live;
  addEventListener("error", fail);
  addEventListener("unhandledrejection", fail);
  if (other === window) return;
  root.dataset.framed = "";
  let origin, height;
  const post = (type, more) => origin && other.postMessage({ bitpro: 1, type, ...more }, origin);
  const path = charge && location.pathname;
  const whole = () => path && path + location.search;
  const state = () => {
    const { state, reason } = root.dataset;
    if (charge) post("state", { state, reason: reason || undefined, charge, path: whole(), order_id });
  };
  const resize = (again) => {
    const needed = Math.ceil(document.querySelector("main").getBoundingClientRect().height);
    if (again || needed !== height) post("resize", { height: (height = needed) });
  };
  const allowed = (from) =>
    origins.some((item) => {
      const [start, end] = item.split("*");
      return end ? from.startsWith(start) && from.endsWith(end) && from.length >= item.length : item === from;
    });
  addEventListener("message", ({ source, origin: from, data }) => {
    if (source !== other || !data || data.bitpro !== 1 || data.type !== "hello" || !allowed(from)) return;
    if (!origin) {
      new ResizeObserver(() => resize()).observe(document.querySelector("main"));
      new MutationObserver(state).observe(root, { attributeFilter: ["data-state", "data-reason"] });
    }
    origin = from;
    post("ready", { charge, path: whole() });
    resize(true);
    state();
  });
  addEventListener("click", (event) => {
    const link = event.target.closest("[data-step]"), step = link && link.dataset.step;
    if (!origin || (step !== "wallet" && step !== "shop")) return;
    event.preventDefault();
    if (step === "wallet") post("wallet", { uri: link.getAttribute("href") });
    else post("close");
  });
}
