import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";

/** Least that counts as done, and what was hoped for: brotli 11, bytes. */
const FLOOR = 1200;
const GOAL = 700;

const dist = (file) => readFileSync(new URL(`../dist/${file}`, import.meta.url));
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const manifest = JSON.parse(dist("manifest.json"));
const script = dist(manifest.file);

test(`the loader is under ${FLOOR} B with brotli 11`, (t) => {
  const size = brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  t.diagnostic(`loader: ${script.length} B, brotli 11: ${size} B (floor ${FLOOR}, goal ${GOAL})`);
  assert.ok(size <= FLOOR, `${size} B is over ${FLOOR} B`);
  assert.ok(manifest.brotli_bytes <= size);
});

test("the manifest tells what is there", () => {
  const integrity = (bytes) => "sha384-" + createHash("sha384").update(bytes).digest("base64");
  assert.equal(manifest.version, version);
  assert.equal(manifest.file, "iframeBuilderV1.min.js");
  assert.equal(manifest.bytes, script.length);
  assert.equal(manifest.integrity, integrity(script));
  for (const { version, file, integrity: told } of manifest.immutable) {
    assert.equal(file, `iframeBuilderV1-${version}.min.js`);
    assert.equal(told, integrity(dist(file)));
  }
});

test("the version's own file has the bytes of the fixed one", () => {
  const current = manifest.immutable.find((entry) => entry.version === version);
  assert.deepEqual(dist(current.file), script);
});

test("the guide names every version with its integrity hash", () => {
  const guide = readFileSync(new URL("../../docs/widget.md", import.meta.url), "utf8");
  for (const { version, integrity } of manifest.immutable) assert.ok(guide.includes(`| ${version} | \`${integrity}\` |`));
  const { file, integrity } = manifest.immutable.find((entry) => entry.version === version);
  assert.ok(guide.includes(`/libs/${file}"\n        integrity="${integrity}"`));
});

test("every version ever released is still there, byte for byte", () => {
  const released = new URL("../released/", import.meta.url);
  for (const file of readdirSync(released).filter((name) => name.endsWith(".js"))) {
    assert.deepEqual(dist(file), readFileSync(new URL(file, released)));
  }
});

test("nothing in it needs more than script-src and frame-src of the merchant's policy", () => {
  assert.doesNotMatch(
    script.toString(),
    /\beval\b|\bFunction\(|innerHTML|insertAdjacentHTML|cssText|setAttribute|document\.write|"\*"|fetch\(|https?:/,
  );
});
