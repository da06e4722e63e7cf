/**
 * What runs inside every page before anything of its own: it notes when the browser painted, shifted, answered to a finger, and
 * when the page took over, got its first event and changed its state. Nothing of the page knows of it.
 */

/** Times are milliseconds since the navigation began, but for `states`: those are on the machine's clock. */
export interface Noted {
  fcp: number | null;
  lcp: number | null;
  /** The sum of all shifts that no finger caused; the official figure takes the worst five seconds, which is at most this. */
  cls: number;
  /** What shifted. */
  shifted: string[];
  interactions: number;
  /** The longest interaction; Chromium tells none below 16 ms. */
  longest: number;
  hydrated: number | null;
  /** The first event of the stream, once it is on the screen. */
  event: number | null;
  states: Record<string, number>;
}

declare global {
  interface Window {
    noted: Noted;
  }
}

interface LayoutShift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[];
}

/** Serialised by Playwright into each page: it must not refer to anything outside of itself. */
export function observe(): void {
  const noted: Noted = {
    fcp: null,
    lcp: null,
    cls: 0,
    shifted: [],
    interactions: 0,
    longest: 0,
    hydrated: null,
    event: null,
    states: {},
  };
  window.noted = noted;

  const on = (type: string, each: (entry: PerformanceEntry) => void, more: object = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type, buffered: true, ...more });
  on("paint", (entry) => {
    if (entry.name === "first-contentful-paint") noted.fcp = entry.startTime;
  });
  on("largest-contentful-paint", (entry) => {
    noted.lcp = entry.startTime;
  });
  on("layout-shift", (entry) => {
    const shift = entry as LayoutShift;
    if (shift.hadRecentInput) return;
    noted.cls += shift.value;
    for (const { node, previousRect: from, currentRect: to } of shift.sources) {
      const name = node instanceof Element ? `${node.localName}.${node.className}` : (node?.textContent ?? "what is gone");
      noted.shifted.push(`${name}: ${from.x},${from.y} ${from.width}x${from.height} -> ${to.x},${to.y} ${to.width}x${to.height}`);
    }
  });
  const told = new Set<number>();
  on(
    "event",
    (entry) => {
      const id = (entry as PerformanceEventTiming & { interactionId?: number }).interactionId;
      if (!id) return;
      told.add(id);
      noted.interactions = told.size;
      noted.longest = Math.max(noted.longest, entry.duration);
    },
    { durationThreshold: 16 },
  );

  new MutationObserver((changes) => {
    const root = document.documentElement;
    for (const { attributeName, target } of changes) {
      if (target !== root) continue;
      if (attributeName === "data-live") noted.hydrated ??= performance.now();
      const state = root.dataset["state"];
      if (attributeName === "data-state" && state) noted.states[state] ??= performance.timeOrigin + performance.now();
    }
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-live", "data-state"] });

  // A listener of ours on each of the page's streams: it runs in the same turn as the page's own, and the frame after that shows
  // what the page made of it.
  const Original = EventSource;
  window.EventSource = class extends Original {
    constructor(...of: ConstructorParameters<typeof EventSource>) {
      super(...of);
      const shown = () => requestAnimationFrame(() => setTimeout(() => (noted.event ??= performance.now())));
      for (const type of ["message", "charge"]) this.addEventListener(type, shown);
    }
  };
}
