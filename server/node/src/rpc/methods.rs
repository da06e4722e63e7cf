//! Every method of the node's RPC that is called here, and which of them this user may not call.

use serde_json::{Value, json};

use super::Rpc;
use crate::error::NodeError;

/// Every method that is called, each with parameters by which it does nothing. What a node that restricts its users has to allow.
const HARMLESS: [(&str, &str); 16] = [
    ("getbestblockhash", "[]"),
    ("getblock", r#"[""]"#),
    ("getblockchaininfo", "[]"),
    ("getblockhash", "[0]"),
    ("getblockheader", r#"[""]"#),
    ("getmempoolancestors", r#"[""]"#),
    ("getmempoolentry", r#"[""]"#),
    ("getmempoolinfo", "[]"),
    ("getnettotals", "[]"),
    ("getnetworkinfo", "[]"),
    ("getpeerinfo", "[]"),
    // As it is called, its answer is long: with these, it is refused as wrong.
    ("getrawmempool", r#"["",""]"#),
    ("getrawtransaction", r#"[""]"#),
    ("gettxspendingprevout", "[[]]"),
    ("getzmqnotifications", "[]"),
    ("scantxoutset", r#"["status"]"#),
];
/// The one that changes something: it is asked to send what is no transaction.
const SENDING: (&str, &str) = ("sendrawtransaction", r#"[""]"#);

/// Every method that is called, in the order of the alphabet.
pub const METHODS: [&str; HARMLESS.len() + 1] = {
    let mut names = [""; HARMLESS.len() + 1];
    let mut at = 0;
    while at < HARMLESS.len() {
        names[at] = HARMLESS[at].0;
        at += 1;
    }
    names[at] = SENDING.0;
    names
};

impl Rpc {
    /// The methods that the node does not let this user call. A method that it does not know, as `getzmqnotifications` of a node without
    /// ZMQ, is not forbidden.
    ///
    /// # Errors
    /// [`NodeError`], when it gives no answer at all.
    pub(crate) fn forbidden(&self) -> Result<Vec<&'static str>, NodeError> {
        let mut forbidden = Vec::new();
        for (method, params) in HARMLESS.into_iter().chain([SENDING]) {
            let params = serde_json::from_str(params).unwrap_or_else(|_| json!([]));
            match self.call::<Value>(method, &params) {
                Err(NodeError::Forbidden { .. }) => forbidden.push(method),
                Ok(_) | Err(NodeError::Refused { .. } | NodeError::WarmingUp(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sources that call the node.
    const SOURCES: [&str; 3] = [
        include_str!("node.rs"),
        include_str!("blocks.rs"),
        include_str!("../survey.rs"),
    ];

    #[test]
    fn every_method_that_is_called_is_in_the_list_and_no_other() {
        let mut called: Vec<&str> = SOURCES
            .iter()
            .flat_map(|source| {
                source
                    .split("call(\"")
                    .skip(1)
                    .chain(source.split("Call::new(\"").skip(1))
            })
            .filter_map(|rest| rest.split('"').next())
            .collect();
        called.sort_unstable();
        called.dedup();
        let mut listed = METHODS.to_vec();
        listed.sort_unstable();
        assert_eq!(called, listed);
        for (_, params) in HARMLESS {
            assert!(serde_json::from_str::<Value>(params).is_ok(), "{params}");
        }
    }

    #[test]
    fn the_guide_has_the_list_that_a_node_must_allow() {
        let guide = include_str!("../../../../docs/install.md");
        let line = guide.lines().find_map(|line| line.strip_prefix("rpcwhitelist=bitpro:"));
        let mut allowed: Vec<&str> = line.unwrap_or_default().split(',').collect();
        allowed.sort_unstable();
        let mut listed = METHODS.to_vec();
        listed.sort_unstable();
        assert_eq!(allowed, listed, "the line rpcwhitelist=bitpro: of docs/install.md");
    }
}
