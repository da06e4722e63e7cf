//! Puts what the browser gets into the binary: the payment page as Trunk built it, and the loader. Everything is compressed
//! here, once and as well as can be.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use sha2::{Digest as _, Sha256};

/// Where the outputs of `cargo xtask page` lie, from this package.
const PAGE: &str = "../../dist";
const LOADER: &str = "../../widget/dist";

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let page = package.join(PAGE);
    let loader = package.join(LOADER);
    println!("cargo::rerun-if-changed={}", page.display());
    println!("cargo::rerun-if-changed={}", loader.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut code = String::from("/// The document of the page, as Trunk built it; empty without one.\n");
    let index = page.join("index.html");
    // Each without the other is of use, and so is a server without either: its page is complete, and reloads instead of updating.
    if is_there(&index) {
        writeln!(code, "pub static INDEX_HTML: &str = include_str!({index:?});")
            .expect("writing to a String cannot fail");
        embed("PAGE", &page, &out, &mut code, |name| name != "index.html");
    } else {
        code.push_str("pub static INDEX_HTML: &str = \"\";\n/// None.\npub static PAGE: &[Embedded] = &[];\n");
    }
    if is_there(&loader.join("manifest.json")) {
        embed("LOADER", &loader, &out, &mut code, |name| name.ends_with(".js"));
    } else {
        code.push_str("/// None.\npub static LOADER: &[Embedded] = &[];\n");
    }
    fs::write(out.join("embedded.rs"), code).expect("OUT_DIR can be written");
}

fn is_there(needed: &Path) -> bool {
    let found = needed.is_file();
    if !found {
        println!(
            "cargo::warning={} is missing: `cargo xtask page` builds it",
            needed.display()
        );
    }
    found
}

/// Writes a table of the files in `folder` that are `wanted`, and a compressed sibling of each beside the code.
fn embed(table: &str, folder: &Path, out: &Path, code: &mut String, wanted: impl Fn(&str) -> bool) {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder was looked at before")
        .map(|entry| entry.expect("a folder that was just built can be read").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    writeln!(
        code,
        "/// Files as a browser gets them.\npub static {table}: &[Embedded] = &["
    )
    .expect("writing to a String cannot fail");
    for path in files {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("built names are plain");
        if !wanted(name) {
            continue;
        }
        let bytes = fs::read(&path).expect("a file that was just built can be read");
        let etag = hex(&Sha256::digest(&bytes)[..12]);
        let compressed = out.join(format!("{name}.br"));
        fs::write(&compressed, brotli(&bytes)).expect("OUT_DIR can be written");
        writeln!(
            code,
            "    Embedded {{ name: {name:?}, mime: {:?}, etag: \"\\\"{etag}\\\"\", plain: include_bytes!({path:?}), brotli: include_bytes!({compressed:?}) }},",
            mime(name),
        )
        .expect("writing to a String cannot fail");
    }
    code.push_str("];\n");
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &params).expect("compressing memory cannot fail");
    compressed
}

fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
