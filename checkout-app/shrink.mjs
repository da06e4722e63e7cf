/**
 * Runs after Trunk, as its `post_build` hook, and makes what it built smaller: `node shrink.mjs` works on the folder in
 * TRUNK_STAGING_DIR.
 *
 * wasm-bindgen gives every import a name of some forty characters with a hash in it, which compresses badly and stands in both
 * files; and Leptos brings exports along (streams for server functions) that this page never calls but that nothing may
 * drop, because an export could be called. Here the unused exports go, then what only they needed, and the names become
 * short. That is a tenth of the weight of both files. Whatever does not look as expected stops the build.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.env.TRUNK_STAGING_DIR;
const fail = (why) => {
  console.error(`shrink: ${why}`);
  process.exit(1);
};
if (!folder) fail("TRUNK_STAGING_DIR is not set");
const only = (end) => {
  const found = readdirSync(folder).filter((name) => name.endsWith(end));
  return found.length === 1 ? found[0] : fail(`${found.length} files end with ${end}, not one`);
};
const files = { js: only(".js"), wasm: only(".wasm"), html: only(".html") };
const flags = readFileSync(join(here, "index.html"), "utf8").match(/data-wasm-opt-params="([^"]+)"/)[1].split(/\s+/);

// The glue without the classes of the exports that the page never calls, and without what only people read.
let glue = readFileSync(join(folder, files.js), "utf8");
const cut = (pattern, atLeast) => {
  const count = glue.match(pattern)?.length ?? 0;
  if (count < atLeast) fail(`${pattern} was found ${count} times in the glue`);
  glue = glue.replace(pattern, "");
};
cut(/^export class IntoUnderlying[^]*?^}\n/gm, 1);
cut(/^if \(Symbol\.dispose\) IntoUnderlying.*\n/gm, 1);
cut(/^const IntoUnderlying\w+ = [^]*?;\n/gm, 1);
cut(/^function initSync[^]*?^}\n/gm, 1);
cut(/(?<=^export \{ )initSync, /gm, 1);
cut(/ else \{\s*console\.warn\('using deprecated[^]*?\}/gm, 1);
cut(/^\s*\/\*\*[^]*?\*\/\n/gm, 0);

// The module without the exports that the glue does not name, and without what only they needed.
const path = join(folder, files.wasm);
const named = new Set(glue.match(/(?<=\bwasm\.)\w+/g));
writeFileSync(path, renamed(readFileSync(path), { exported: (name) => (named.has(name) ? name : null) }));
const passes = ["--flatten", "--rereloop", "-Oz", "-Oz", "--strip-producers", "--strip-target-features"];
execFileSync("wasm-opt", [...flags, path, ...passes, "-o", path], { stdio: "inherit" });

// Short names, counted in the order of their first use; imports that are gone leave the glue too.
const counted = (names) => (name) => names.get(name) ?? names.set(name, `_${names.size.toString(36)}`).get(name);
const [imports, exports] = [new Map(), new Map()];
writeFileSync(path, renamed(readFileSync(path), { module: () => "_", imported: counted(imports), exported: counted(exports) }));
glue = glue
  .replace(/^ {8}(\w+): function[^]*?^ {8}}(?:, arguments\); })?,\n/gm, (entry, name) =>
    imports.has(name) ? entry.replace(name, imports.get(name)) : "",
  )
  .replace(/"\.\/[\w-]+_bg\.js": import0/, '"_": import0')
  .replace(/(?<=\bwasm\.)\w+/g, (name) => exports.get(name) ?? fail(`the glue names ${name}, which is not exported`))
  .replace(/^\s+|\s+$/gm, "");
const missing = [...imports].filter(([, name]) => !glue.includes(`${name}: function`));
if (missing.length) fail(`the glue does not provide ${missing}`);
writeFileSync(join(folder, files.js), glue);

// A name says what is in the file, and that has changed.
let html = readFileSync(join(folder, files.html), "utf8");
for (const file of [files.js, files.wasm]) {
  const hash = createHash("sha256").update(readFileSync(join(folder, file))).digest("hex").slice(0, 16);
  const name = file.replace(/-[0-9a-f]{10,16}(?=[._])/, `-${hash}`);
  if (name === file || !html.includes(file)) fail(`${file} has no hash in its name, or is not used`);
  html = html.replaceAll(file, name);
  renameSync(join(folder, file), join(folder, name));
}
writeFileSync(join(folder, files.html), html);

/** The module with the names of its imports and exports changed; an export named `null` is dropped. */
function renamed(wasm, { module = (name) => name, imported = (name) => name, exported = (name) => name }) {
  let at = 8;
  const parts = [wasm.subarray(0, at)];
  const number = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const text = () => {
    const length = number();
    return wasm.toString("utf8", at, (at += length));
  };
  const since = (start) => wasm.subarray(start, at);
  /** What an import is: a function, table, memory, global or tag. */
  const description = () => {
    const start = at;
    const kind = wasm[at++];
    if (kind === 0) number();
    else if (kind === 3) at += 2;
    else fail(`an import of kind ${kind} is new here`);
    return since(start);
  };
  const sections = {
    2: () => Array.from({ length: number() }, () => [...string(module(text())), ...string(imported(text())), ...description()]),
    7: () =>
      Array.from({ length: number() }, () => {
        const name = exported(text());
        const start = at++;
        number();
        return name === null ? null : [...string(name), ...since(start)];
      }).filter(Boolean),
  };
  while (at < wasm.length) {
    const start = at;
    const id = wasm[at++];
    const end = number() + at;
    if (sections[id]) {
      const items = sections[id]();
      const body = [...leb(items.length), ...items.flat()];
      parts.push(Buffer.from([id, ...leb(body.length), ...body]));
    }
    at = end;
    if (!sections[id]) parts.push(since(start));
  }
  return Buffer.concat(parts);
}

function leb(value) {
  const bytes = [];
  do bytes.push((value & 127) | (value > 127 ? 128 : 0));
  while ((value >>= 7));
  return bytes;
}

function string(value) {
  const bytes = Buffer.from(value);
  return [...leb(bytes.length), ...bytes];
}
