//! The conformance vectors of the SDKs (`sdk/vectors/`): made here, by the server's own code, so that what the SDKs are tested
//! with cannot drift from what the server does. `BITPRO_WRITE_VECTORS=1` writes them anew.

mod answers;
mod links;
mod requests;
mod shapes;
mod webhooks;

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A secret of a key, as a merchant gets it: the one of the specification's example.
const SECRET: &str = "W5PeGMxSItNerkNFqQMfYiJvH14WzVJMy54CPoTAYoI=";
const KEY_ID: &str = "efdde334-fe7b-11e4-a322-1697f925ec7b";
const NONCE: &str = "d1954337-5319-4821-8427-115542e08d10";
const TIMESTAMP: &str = "1432075982";

fn secret() -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(SECRET).unwrap()
}

/// Holds the file `name` against what it must be.
fn hold(name: &str, wanted: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../sdk/vectors")
        .join(name);
    let wanted = format!("{}\n", serde_json::to_string_pretty(wanted).unwrap());
    if std::env::var_os("BITPRO_WRITE_VECTORS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == wanted,
        "sdk/vectors/{name} is not what the server does: write it anew with BITPRO_WRITE_VECTORS=1, and look at the difference"
    );
}
