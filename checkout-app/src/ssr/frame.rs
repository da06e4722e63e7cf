//! The small scripts that do not wait for WASM.

use crate::page::Framing;

const BOOT: &str = include_str!("boot.js");
const EARLY: &str = include_str!("early.js");

/// The charge that the script speaks of.
pub struct Spoken<'a> {
    /// Its id.
    pub charge: &'a str,
    /// Its order id.
    pub order_id: Option<&'a str>,
    /// Seconds after which a page that was not taken over is loaded again; `None` when nothing is expected any more.
    pub again_after: Option<u32>,
}

/// The script that opens the stream at `address`, for WASM to take over.
pub fn early(address: &str) -> String {
    called(EARLY, &[literal(address)])
}

/// The script of every page which may stand in a frame; `None` where it would have nothing to do.
pub fn script(framing: &Framing, spoken: Option<&Spoken<'_>>) -> Option<String> {
    let again = spoken.and_then(|spoken| spoken.again_after);
    if framing.origins.is_empty() && again.is_none() {
        return None;
    }
    let arguments = [
        literal(&framing.origins),
        spoken.map_or_else(undefined, |spoken| literal(spoken.charge)),
        spoken
            .and_then(|spoken| spoken.order_id)
            .map_or_else(undefined, literal),
        again.unwrap_or_default().to_string(),
    ];
    Some(called(BOOT, &arguments))
}

/// A call of `function`, without its comments and line breaks.
fn called(function: &str, arguments: &[String]) -> String {
    let mut script = String::from("(");
    for line in function.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        script.push_str(line);
    }
    script.push_str(")(");
    script.push_str(&arguments.join(","));
    script.push(')');
    script
}

fn undefined() -> String {
    "void 0".to_owned()
}

/// JSON is JavaScript; only `<` has to be kept from ending the script element.
fn literal<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value)
        .expect("texts always serialize")
        .replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_cannot_leave_the_script() {
        let framing = Framing {
            framed: true,
            origins: vec!["https://shop.example".to_owned()],
        };
        let spoken = Spoken {
            charge: "67c0e853",
            order_id: Some("\"</script><b>"),
            again_after: Some(20),
        };
        let script = script(&framing, Some(&spoken)).unwrap();
        assert!(
            script.ends_with(")([\"https://shop.example\"],\"67c0e853\",\"\\\"\\u003c/script>\\u003cb>\",20)"),
            "{script}"
        );
        let (code, _) = script.split_once(")([").unwrap();
        assert!(!code.contains("//"), "a comment would swallow the rest: {code}");
    }

    #[test]
    fn a_page_that_nobody_may_frame_and_that_waits_for_nothing_has_no_script() {
        assert_eq!(script(&Framing::default(), None), None);
        let done = Spoken {
            charge: "67c0e853",
            order_id: None,
            again_after: None,
        };
        assert_eq!(script(&Framing::default(), Some(&done)), None);
    }
}
