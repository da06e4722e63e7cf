/** What no page of the dashboard may be, whatever stands on it. */

import type { Page, Response } from "@playwright/test";

import { excess, found } from "./dashboard.ts";

/** What the page holds, for the one who judges it. */
export async function seen(page: Page) {
  return page.evaluate(() => {
    const every = [...document.querySelectorAll("*")];
    const html = (elements: Iterable<Element>) => [...elements].map((element) => element.outerHTML.slice(0, 200));
    const handled = every.filter((element) => element.getAttributeNames().some((name) => name.startsWith("on")));
    const unguarded = [...document.querySelectorAll("form[method=post]")].filter((form) => !form.querySelector("[name=csrf]"));
    for (const more of document.querySelectorAll("details")) more.open = true;
    const typed = [...document.querySelectorAll<HTMLInputElement>("input, textarea")].map((field) => field.value);
    const copy = document.body.cloneNode(true) as HTMLElement;
    // Names of things, of languages, and what others wrote.
    for (const element of copy.querySelectorAll("script, style, code, pre, textarea, select, time, [lang]")) element.remove();
    const named = [...copy.querySelectorAll("*")].flatMap((element) =>
      ["aria-label", "title", "placeholder"].map((name) => element.getAttribute(name) ?? ""),
    );
    return {
      lang: document.documentElement.lang,
      headings: document.querySelectorAll("h1").length,
      // What a probe would have made, and what the policy would have to stop.
      strange: html([
        ...handled,
        ...document.querySelectorAll("img[src=x], [style], [autofocus]"),
        ...[...document.scripts].filter((script) => !script.nonce),
      ]),
      unguarded: document.querySelector("form[action='/logout']") ? html(unguarded) : [],
      text: [document.body.innerText, ...typed].join("\n"),
      words: [document.title, copy.textContent, ...named].join(" "),
    };
  });
}

/** No French text needs one of these. */
const ENGLISH = /\b(the|you|your|yours|and|with|this|from|are|was|have|not|settings|team|wallet|look|save|log|price|state|received|waiting)\b/gi;

/** What is wrong with the page, whatever stands on it; `shows` is to be read there. */
export async function faultsOf(page: Page, lang: string, shows: string[] = [], isForAxe = true): Promise<string[]> {
  const told = await seen(page);
  const english = lang === "fr" ? [...new Set(told.words.match(ENGLISH))] : [];
  const wide = await excess(page);
  return [
    ...(told.lang === lang ? [] : [`it is in ${told.lang}`]),
    ...(told.headings === 1 ? [] : [`it has ${told.headings} first headings`]),
    ...told.strange.map((html) => `not of our making: ${html}`),
    ...told.unguarded.map((html) => `would be refused: ${html}`),
    ...shows.filter((probe) => !told.text.includes(probe)).map((probe) => `not to be read: ${probe}`),
    ...english.map((word) => `not French: ${word}`),
    ...(wide > 0 ? [`too wide by ${wide} px`] : []),
    ...(isForAxe ? await found(page) : []),
  ];
}

/** What is wrong with the answer. */
export function refusals(answer: Response, status = 200): string[] {
  const policy = answer.headers()["content-security-policy"] ?? "none";
  const isStrict = policy.includes("default-src 'none'") && !/'unsafe-(inline|eval|hashes)'/.test(policy);
  return [
    ...(answer.status() === status ? [] : [`status ${answer.status()}`]),
    ...(isStrict ? [] : [`policy ${policy}`]),
  ];
}
