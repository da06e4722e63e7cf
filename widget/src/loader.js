// @ts-check
/**
 * The script behind `/libs/iframeBuilderV1.min.js`: it opens the checkout in an iframe beside the merchant's trigger.
 *
 * Its messages are fixed in `../CONTRACT.md`, its events in `docs/widget.md`. It is written to be small once compressed:
 * no dependency, one global, and nothing that a merchant's strict Content-Security-Policy would refuse (no eval, no style
 * attribute, no inline handler). Names that begin with `_` are shortened by the build.
 *
 * @typedef {import("../types/iframeBuilderV1").BititHello} Hello
 * @typedef {import("../types/iframeBuilderV1").BititAnyMessage} PageMessage
 *
 * @typedef {object} Mounted What the loader knows of a frame.
 * @property {HTMLElement} _trigger
 * @property {string} _link The direct link that the trigger's attributes stood for.
 * @property {string} _base What the address of each charge of this merchant starts with.
 * @property {string} _shown What to show when the trigger opens again: the link, or the charge that came of it.
 * @property {number} _greeting The timer of the next `hello`.
 *
 * @typedef {HTMLIFrameElement & Mounted} Frame
 */

// A second inclusion would open two frames for one click.
window.bititIframe ||= ((document) => {
  const { origin } = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
  const OURS = "#bitit-iframe-trigger,#bitit-iframe-destroy";

  /**
   * The frame of each trigger that has opened, the one opened last first. A closed one stays: its trigger may open again.
   *
   * @type {Frame[]}
   */
  let frames = [];

  /**
   * Tells the merchant's page. Returns false if a listener called `preventDefault`.
   *
   * @param {Element} trigger
   * @param {string} type
   * @param {PageMessage} [detail]
   */
  const emit = (trigger, type, detail) =>
    trigger.dispatchEvent(new CustomEvent("bitit:" + type, { bubbles: true, cancelable: true, detail }));

  /** @param {Frame | undefined} frame */
  const close = (frame) => {
    if (frame) {
      // Focus that went away with the frame would fall back to the top of the document.
      if (document.activeElement == frame) frame._trigger.focus();
      frame.remove();
      emit(frame._trigger, "close");
    }
  };

  /**
   * Says `hello` until the page speaks, in pauses that double, since the page's listener may start late.
   *
   * @param {Frame} frame
   * @param {number} pause Milliseconds until the next one.
   */
  const greet = (frame, pause) => {
    clearTimeout(frame._greeting);
    // The sixth, 4,650 ms after the load.
    if (pause == 4800) console.warn("bitit: no answer. Add to the allowed domains?", location.origin);
    frame.contentWindow?.postMessage(/** @type {Hello} */ ({ bitpro: 1, type: "hello" }), origin);
    frame._greeting = setTimeout(greet, pause, frame, pause * 2);
  };

  /** @param {HTMLElement} trigger */
  const open = (trigger) => {
    if (!trigger.isConnected || !emit(trigger, "open")) return;
    const { merchantId, lang } = trigger.dataset;
    if (!merchantId) return console.error("bitit: data-merchant-id is missing", trigger);

    let link = origin + "/app/checkout/" + encodeURIComponent(merchantId);
    const base = link + "/";
    "fiat_price_cents,fiat_currency,buyer_email,lang,external_order_id,sig,exp".split(",").forEach((name) => {
      const value = trigger.getAttribute("data-" + name.replace(/_/g, "-"));
      if (value) link += (link.includes("?") ? "&" : "?") + name + "=" + encodeURIComponent(value);
    });

    const frame =
      frames.find((frame) => frame._trigger == trigger) ||
      /** @type {Frame} */ (document.createElement("iframe"));
    // One frame for a wrapper, whoever opened it.
    const current = frames.find((frame) => frame.parentNode == trigger.parentNode);
    if (frame != current || frame._link != link) {
      close(current);
      if (frame._link != link) frame._link = frame._shown = link;
      Object.assign(frame, {
        _trigger: trigger,
        _base: base,
        title: lang == "fr" ? "Paiement en bitcoin" : "Bitcoin payment",
        allow: "clipboard-write",
        referrerPolicy: "origin",
        src: frame._shown,
        onload: () => greet(frame, 150),
      });
      Object.assign(frame.style, { width: "100%", height: "640px", border: 0 });
      // Triggers that have left the document are forgotten, or they would pile up in a page that lives long.
      frames = [frame, ...frames.filter((other) => other != frame && other._trigger.isConnected)];
      trigger.after(frame);
    }
    // A phone shows little below the trigger, and a screen reader nothing of what is new elsewhere.
    frame.scrollIntoView({ block: "nearest" });
    frame.focus();
  };

  /** @param {HTMLElement} element */
  const destroy = (element) => {
    /**
     * The frame of the innermost wrapper around a node: the outermost may be the whole body.
     *
     * @type {(node: Node | null) => Frame | null | undefined}
     */
    const around = (node) => node && (frames.find((frame) => frame.parentNode == node) || around(node.parentNode));
    close(around(element) || frames.find((frame) => frame.isConnected));
  };

  addEventListener("message", ({ data, source, origin: sender }) => {
    // A closed frame has no window, and neither have some messages.
    const frame = frames.find((frame) => frame.isConnected && frame.contentWindow == source);
    if (sender == origin && frame && data?.bitpro == 1) {
      clearTimeout(frame._greeting);
      const { type, height, uri = "", path } = /** @type {PageMessage} */ (data);
      if (height) frame.style.height = Math.min(2000, Math.max(200, height)) + "px";
      // In the frame this link would be subject to the merchant's `frame-src`.
      if (/^bitcoin:/i.test(uri)) /** @type {Window} */ (top).location = uri;
      const shown = origin + path;
      if (shown.startsWith(frame._base)) frame._shown = shown;
      if (type == "close") close(frame);
      else emit(frame._trigger, type, data);
    }
  });

  /** @param {MouseEvent | KeyboardEvent} event */
  const activate = (event) => {
    const { key } = /** @type {KeyboardEvent} */ (event);
    const target = /** @type {HTMLElement} */ (event.target);
    // A click may be dispatched on the document itself, which has no `closest`.
    const element = /** @type {HTMLElement | null} */ (target.closest?.(OURS));
    if (
      element &&
      (!key || key == "Enter" || key == " ") &&
      // "Open in a new tab" and the like.
      !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    ) {
      event.preventDefault();
      if (key) target.click();
      // Once the event is through: handlers of the merchant's own may set the attributes.
      else setTimeout(/r$/.test(element.id) ? open : destroy, 0, element);
    }
  };
  // In the capture phase: dialogs and menus like to stop the events of what is inside them.
  addEventListener("click", activate, true);
  addEventListener("keydown", activate, true);

  /**
   * Makes what is no button or link a button for keyboards and screen readers. It runs at every change of the document: a look-up by
   * one id costs a browser next to nothing, one by two ids at once walks through all elements.
   */
  const dress = () =>
    OURS.split(",").forEach((id) =>
      /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(id)).forEach((element) => {
        if (!element.matches("button,input,[href]")) {
          element.role ||= "button";
          // A string is as good as a number here.
          element.tabIndex = /** @type {any} */ (element.getAttribute("tabindex")) || 0;
        }
      }),
    );
  dress();
  new MutationObserver(dress).observe(document, { childList: true, subtree: true });

  return "__VERSION__";
})(document);
