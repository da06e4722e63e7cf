//! How many bytes the page and the loader are, as they come over the wire.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

use crate::http::{Answer, Connection};
use crate::row::{Row, at_most};
use crate::stage::Stage;

/// The rows.
pub const ROWS: [&str; 3] = ["loader-weight", "page-weight", "script-weight"];

const BROTLI: &str = "Accept-Encoding: br\r\n";

/// Measures them.
pub async fn measure() -> Result<Vec<Row>> {
    let stage = Stage::start(10, 1).await?;
    let mut connection = stage.connect().await?;
    let loader = compressed(&mut connection, "/libs/iframeBuilderV1.min.js").await?;
    let loader = Row::new("loader-weight", "the loader, brotli", "B")
        .number("size", count(loader.body.len())?)
        .beside("BTCPay's btcpay.js", 1_727.0)
        .bars([at_most("size", 1_200.0)], [at_most("size", 700.0)]);

    let charge = stage.charge(4_200).await?;
    let page = compressed(&mut connection, &charge.path).await?;
    let plain = connection.get(&charge.path, "").await?.expect(200)?;
    let page = Row::new("page-weight", "first response with its headers, brotli", "B")
        .number("size", count(page.wire_bytes)?)
        .beside("the same without compression", count(plain.wire_bytes)?)
        .bars([at_most("size", 14_000.0)], [at_most("size", 8_000.0)])
        .note(format!("body {} B, of {} B plain", page.body.len(), plain.body.len()));

    let mut script = Row::new("script-weight", "WASM and JS, brotli", "B");
    let (mut sum, mut sum_plain) = (0, 0);
    for path in assets(plain.text()?) {
        let file = compressed(&mut connection, &path).await?;
        let plain = connection.get(&path, "").await?.expect(200)?;
        sum += file.body.len();
        sum_plain += plain.body.len();
        script = script.note(format!(
            "{path}: {} B, of {} B plain",
            file.body.len(),
            plain.body.len()
        ));
    }
    ensure!(sum > 0, "the page names no script");
    let script = script
        .number("size", count(sum)?)
        .beside("the same without compression", count(sum_plain)?)
        .bars([at_most("size", 85_000.0)], [at_most("size", 60_000.0)])
        .note("`live` shows that Chromium starts it");
    Ok(vec![loader, page, script])
}

async fn compressed(connection: &mut Connection, path: &str) -> Result<Answer> {
    let answer = connection.get(path, BROTLI).await?.expect(200)?;
    ensure!(
        answer.header("content-encoding") == Some("br"),
        "{path} comes without brotli"
    );
    Ok(answer)
}

/// The files that the page names, each once.
fn assets(html: &str) -> BTreeSet<String> {
    html.split(['"', '\''])
        .filter(|text| text.starts_with("/app/assets/"))
        .map(str::to_owned)
        .collect()
}

/// A size as a number of the table.
fn count(bytes: usize) -> Result<f64> {
    let bytes = u32::try_from(bytes).context("a file beyond 4 GiB")?;
    Ok(f64::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_preloaded_and_imported_counts_once() {
        let html = r#"<script>import init from '/app/assets/a.js'</script><link href="/app/assets/a.js"><link href="/app/assets/b.wasm">"#;
        assert_eq!(assets(html).len(), 2);
    }
}
