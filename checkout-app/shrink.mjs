/**
 * Runs after Trunk, as its `post_build` hook, and makes what it built smaller: `node shrink.mjs` works on the folder in
 * TRUNK_STAGING_DIR.
 *
 * wasm-bindgen gives every import a name of some forty characters with a hash in it, which compresses badly and stands in both
 * files; Leptos brings exports along (streams for server functions) that this page never calls but that nothing may drop,
 * because an export could be called; and every panic composes a message that nobody hears. Here the unused exports go, then
 * what only they needed, the messages go, and the names become short. That is a quarter of the weight of both files. Whatever
 * does not look as expected stops the build.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { placeless, renaming, rewritten, trapping } from "./wasm.mjs";

// The loader's tool; there is no second set of npm packages for the page.
const { minify } = createRequire(new URL("../widget/package.json", import.meta.url))("terser");

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
// What the browsers that can show the page know (Trunk's own call of wasm-opt is off, for it drops the functions' names).
const features = [
  "bulk-memory",
  "bulk-memory-opt",
  "reference-types",
  "sign-ext",
  "mutable-globals",
  "nontrapping-float-to-int",
  "multivalue",
];

/**
 * Functions that end in a trap in any case, and what only they call. In a browser Rust's standard error leads nowhere, so that
 * nobody hears why; and composing it takes a tenth of the module. (`clippy::use_debug` keeps `{:?}` out of the page itself.)
 */
const MUTE = [
  /^core::panicking::/,
  /^core::(option|result)::\w+_failed$/,
  /^core::cell::panic_\w+$/,
  /^core::str::slice_error_fail/,
  /^core::slice::index::slice_\w+_fail$/,
  / as core::fmt::Debug>::fmt/,
  /^<core::fmt::builders::PadAdapter as /,
];
/**
 * What Leptos keeps for pages with server functions, resources and error boundaries. This page has none of them, but the table
 * of functions, which may be called by number, keeps theirs. They end in a trap, too: who adds such a thing sees it at once.
 */
const UNUSED = [
  /\bwasm_streams::/,
  /^js_sys::futures::future_to_promise/,
  /^hydration_context::hydrate::(serialized_errors|incomplete_chunks)$/,
  /^<hydration_context::hydrate::HydrateSharedContext as [\w:]+>::(errors|take_errors|read_data|get_incomplete_chunk)$/,
];

// The glue without the classes of the exports that the page never calls, and without its second way to start.
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

// The module without the exports that the glue does not name, without what only they needed, and without the words of panics.
const path = join(folder, files.wasm);
const exportedNames = new Set(glue.match(/(?<=\bwasm\.)\w+/g));
let wasm = readFileSync(path);
wasm = rewritten(wasm, renaming({ exported: (name) => (exportedNames.has(name) ? name : null) }));
wasm = rewritten(wasm, trapping(wasm, [...MUTE, ...UNUSED]));
wasm = rewritten(wasm, placeless());
writeFileSync(path, wasm);
const enabled = features.map((feature) => `--enable-${feature}`);
const passes = ["-Oz", "--flatten", "--rereloop", "-Oz", "-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"];
execFileSync("wasm-opt", [...enabled, path, ...passes, "-o", path], { stdio: "inherit" });

// Short names, counted in the order of their first use; imports that are gone leave the glue too.
const counted = (names) => (name) => names.get(name) ?? names.set(name, `_${names.size.toString(36)}`).get(name);
const [imports, exports] = [new Map(), new Map()];
const short = { module: () => "_", imported: counted(imports), exported: counted(exports) };
writeFileSync(path, rewritten(readFileSync(path), renaming(short)));
glue = glue
  .replace(/^ {8}(\w+): function[^]*?^ {8}}(?:, arguments\); })?,\n/gm, (entry, name) =>
    imports.has(name) ? entry.replace(name, imports.get(name)) : "",
  )
  .replace(/"\.\/[\w-]+_bg\.js": import0/, '"_": import0')
  .replace(/(?<=\bwasm\.)\w+/g, (name) => exports.get(name) ?? fail(`the glue names ${name}, which is not exported`));
const missing = [...imports].filter(([, name]) => !glue.includes(`${name}: function`));
if (missing.length) fail(`the glue does not provide ${missing}`);
const minified = await minify(glue, { module: true, ecma: 2020, compress: { passes: 2 } });
writeFileSync(join(folder, files.js), minified.code);

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
