/**
 * Builds the loader: `node build.mjs` writes `dist/`, from which the server takes what it serves under `/libs/`.
 *
 * - `iframeBuilderV1.min.js`: the fixed URL, always the newest
 * - `iframeBuilderV1-<version>.min.js`: the same bytes under a URL that never changes its content, and every file of
 *   `released/` beside it, since shops pin those by their integrity hash
 * - `manifest.json`: `{version, file, integrity, bytes, brotli_bytes, immutable: [{version, file, integrity}]}`
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { minify } from "terser";

const here = (path) => new URL(path, import.meta.url);
const { version } = JSON.parse(readFileSync(here("package.json"), "utf8"));

const file = "iframeBuilderV1.min.js";
const built = await minify(readFileSync(here("src/loader.js"), "utf8").replace("__VERSION__", version), {
  ecma: 2020,
  toplevel: true,
  compress: { passes: 4, ecma: 2020, booleans_as_integers: true, unsafe_arrows: true },
  mangle: { properties: { regex: /^_/ } },
  format: { ecma: 2020, comments: false },
});
// Brotli does better when there is only one way to declare.
const script = Buffer.from(built.code.replace(/\bconst\b/g, "let"));

const versioned = new Map(
  readdirSync(here("released/"))
    .filter((name) => name.endsWith(".js"))
    .map((name) => [name.match(/^iframeBuilderV1-(.+)\.min\.js$/)[1], readFileSync(here(`released/${name}`))]),
);
if (versioned.has(version) && !versioned.get(version).equals(script)) {
  console.error(`The loader differs from what was released as ${version}: raise the version in package.json.`);
  process.exit(1);
}
versioned.set(version, script);

rmSync(here("dist/"), { recursive: true, force: true });
mkdirSync(here("dist/"));
writeFileSync(here(`dist/${file}`), script);

const immutable = [...versioned].map(([version, bytes]) => {
  const file = `iframeBuilderV1-${version}.min.js`;
  writeFileSync(here(`dist/${file}`), bytes);
  return { version, file, integrity: integrity(bytes) };
});
const manifest = {
  version,
  file,
  integrity: integrity(script),
  bytes: script.length,
  brotli_bytes: brotliBytes(script),
  immutable,
};
writeFileSync(here("dist/manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
console.log(`widget ${version}: ${manifest.bytes} B, ${manifest.brotli_bytes} B brotli, ${manifest.integrity}`);

function integrity(bytes) {
  return "sha384-" + createHash("sha384").update(bytes).digest("base64");
}

function brotliBytes(bytes) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  return brotliCompressSync(bytes, { params }).length;
}
