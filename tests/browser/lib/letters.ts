/** The letters that the server sends: files in a folder, one each. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export class Letters {
  readonly #folder: string;
  readonly #read = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Waits for a letter to `to` that nobody has read yet and that holds a link to `page`, as `/password`; gives the newest one's. */
  async linkTo(to: string, page: string): Promise<string> {
    const deadline = AbortSignal.timeout(20_000);
    for (;;) {
      for (const name of (await this.#names()).reverse()) {
        if (this.#read.has(name)) continue;
        const text = await this.#text(name);
        const link = text.split(/[\s"<>]+/).find((word) => word.startsWith("http") && new URL(word).pathname === page);
        if (!isTo(text, to) || !link) continue;
        this.#read.add(name);
        return link;
      }
      if (deadline.aborted) throw new Error(`no letter to ${to} leads to ${page}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** All letters to `to`, whole and decoded, oldest first. */
  async all(to: string): Promise<string[]> {
    const texts = await Promise.all((await this.#names()).map((name) => this.#text(name)));
    return texts.filter((text) => isTo(text, to));
  }

  /** The names in the order of sending: a time, and a number that goes on counting. */
  async #names(): Promise<string[]> {
    const number = (name: string) => Number(/-(\d+)\.eml$/.exec(name)?.[1]);
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(".eml"));
    return names.sort((one, other) => number(one) - number(other));
  }

  async #text(name: string): Promise<string> {
    return decoded(await readFile(join(this.#folder, name), "latin1"));
  }
}

/** What a mail program shows of a letter that shows pages. */
export function pageOf(letter: string): string {
  const page = letter.split(/^--.*$/m).find((part) => part.includes("Content-Type: text/html"));
  if (!page) throw new Error(`there is no page in ${letter}`);
  return page.slice(page.indexOf("<"));
}

function isTo(letter: string, to: string): boolean {
  return letter.split(/\r?\n/).some((line) => line.startsWith("To: ") && line.includes(to));
}

/** Undoes quoted-printable (RFC 2045, section 6.7). */
function decoded(letter: string): string {
  const bytes = letter
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
  return Buffer.from(bytes, "latin1").toString();
}
