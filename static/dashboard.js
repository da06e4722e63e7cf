// The dashboard works without this. With it, the list of transactions follows what happens, and a receipt has a button to print.
"use strict";

const live = document.getElementById("live");
if (live && live.dataset.live && window.EventSource) {
  let asking = false;
  let again = false;

  // Fetches this page once more and exchanges the list; what comes meanwhile is fetched afterwards.
  const refresh = async () => {
    if (asking || document.hidden) {
      again = true;
      return;
    }
    asking = true;
    again = false;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      if (answer.ok) {
        // The policy of this page holds for what is parsed, too: the styles of another response are not its own.
        const text = (await answer.text()).replace(/<style[^]*?<\/style>/g, "");
        const page = new DOMParser().parseFromString(text, "text/html");
        const fresh = page.getElementById("live");
        const held = live.contains(document.activeElement) && document.activeElement.getAttribute("href");
        if (fresh && fresh.innerHTML !== live.innerHTML) {
          live.replaceChildren(...fresh.childNodes);
          // Whoever goes through the list by keyboard stays where they were.
          const same = held && [...live.querySelectorAll("a")].find((link) => link.getAttribute("href") === held);
          if (same) same.focus({ preventScroll: true });
        }
      }
    } catch {
      // The next news, or the person, asks again.
    }
    asking = false;
    if (again && !document.hidden) refresh();
  };

  new EventSource(live.dataset.live).onmessage = refresh;
  document.addEventListener("visibilitychange", () => {
    if (again && !document.hidden) refresh();
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
