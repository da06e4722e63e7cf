use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::config::NodeAuth;

#[test]
fn errors_say_what_the_operator_has_to_do_about_them() {
    let rpc = |code, message: &str| {
        understand(jsonrpc::Error::Rpc(jsonrpc::error::RpcError {
            code,
            message: message.to_owned(),
            data: None,
        }))
    };
    assert_eq!(rpc(-28, "Loading"), NodeError::WarmingUp("Loading".to_owned()));
    assert!(rpc(-5, "no such thing").is_not_found());
    assert!(!rpc(-8, "no such height").is_not_found());
}

#[test]
fn a_missing_cookie_is_named() {
    let path = std::path::PathBuf::from("/nowhere/.cookie");
    let url = "http://127.0.0.1:1".parse().unwrap();
    let config = NodeConfig::new(url, NodeAuth::Cookie(path.clone()), bitpro_charge::Network::Regtest);
    let answer: Result<Value, _> = Rpc::new(&config, Asking::alone()).call("uptime", &Value::Array(Vec::new()));
    assert!(matches!(answer, Err(NodeError::Cookie { path: named, .. }) if named == path));
}

/// Reads a request with its body; `None` when the other side has gone.
fn request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        if read == 0 {
            return None;
        }
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return Some(text);
            }
        }
    }
}

/// A node that answers each request with what `answer` says, with `ID` for the call's own number.
fn node(auth: NodeAuth, answer: impl Fn(&str) -> (u16, &'static str) + Send + 'static) -> Rpc {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some(text) = request(&mut stream) {
                let (status, body) = answer(&text);
                let id = text
                    .split("\"id\":")
                    .nth(1)
                    .and_then(|rest| rest.split([',', '}']).next());
                let body = body.replace("ID", id.unwrap());
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    let config = NodeConfig::new(url, auth, bitpro_charge::Network::Regtest);
    Rpc::new(&config, Asking::alone())
}

fn shop() -> NodeAuth {
    NodeAuth::Password {
        user: "shop".to_owned(),
        password: "hunter2".to_owned(),
    }
}

#[test]
fn a_status_says_what_a_body_does_not() {
    for (status, body, expected) in [
        (200, r#"{"result":7,"error":null,"id":ID}"#, Ok(7)),
        (401, "", Err(NodeError::Unauthorized(401))),
        (
            503,
            "Work queue depth exceeded",
            Err(NodeError::Unreachable("it answers with HTTP 503".to_owned())),
        ),
        (
            500,
            r#"{"result":null,"error":{"code":-28,"message":"Loading"},"id":ID}"#,
            Err(NodeError::WarmingUp("Loading".to_owned())),
        ),
    ] {
        let rpc = node(shop(), move |text| {
            // shop:hunter2
            assert!(text.contains("\r\nauthorization: Basic c2hvcDpodW50ZXIy\r\n"), "{text}");
            assert!(
                text.starts_with("POST / HTTP/1.1\r\n") && text.contains("\r\nhost: 127.0.0.1:"),
                "{text}"
            );
            (status, body)
        });
        assert_eq!(
            rpc.call("getblockcount", &Value::Array(Vec::new())),
            expected,
            "{status}"
        );
    }
    let nonsense = node(shop(), |_| (200, "ok ID"));
    let answer: Result<u32, _> = nonsense.call("getblockcount", &Value::Array(Vec::new()));
    assert!(matches!(answer, Err(NodeError::Malformed(_))), "{answer:?}");
}

#[test]
fn a_method_that_the_node_forbids_is_named_also_out_of_a_batch() {
    // Bitcoin Core refuses a whole batch for one method, and says no more than the status.
    let forbids = |text: &str| {
        let is_forbidden = text.contains("getmempoolinfo") || text.contains("sendrawtransaction");
        (
            if is_forbidden { 403 } else { 200 },
            r#"{"result":7,"error":null,"id":ID}"#,
        )
    };
    let rpc = node(shop(), forbids);
    let forbidden = |methods: &[&str]| NodeError::Forbidden {
        methods: methods.iter().map(|&method| method.to_owned()).collect(),
    };
    assert_eq!(rpc.send(&[0]), Err(forbidden(&["sendrawtransaction"])));
    assert_eq!(rpc.state().err(), Some(forbidden(&["getmempoolinfo"])));
    assert_eq!(rpc.forbidden(), Ok(vec!["getmempoolinfo", "sendrawtransaction"]));
    let told = forbidden(&["getmempoolinfo"]).to_string();
    assert!(
        told.contains("forbids getmempoolinfo") && told.contains("-rpcwhitelist"),
        "{told}"
    );
}

#[test]
fn a_cookie_that_was_refused_is_read_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let cookie = folder.path().join(".cookie");
    // The cookie that the node takes is the one that was written last; these are `a:1` and `a:2`.
    let seen = cookie.clone();
    std::fs::write(&cookie, "a:1\n").unwrap();
    let rpc = node(NodeAuth::Cookie(cookie.clone()), move |text| {
        let taken = match std::fs::read_to_string(&seen).unwrap().trim_end() {
            "a:1" => "Basic YTox\r\n",
            _ => "Basic YToy\r\n",
        };
        let is_taken = text.contains(taken);
        (if is_taken { 200 } else { 401 }, r#"{"result":7,"error":null,"id":ID}"#)
    });
    let ask = || rpc.call::<u32>("getblockcount", &Value::Array(Vec::new()));
    assert_eq!(ask(), Ok(7));
    std::fs::write(&cookie, "a:2\n").unwrap();
    assert_eq!(ask(), Ok(7));
    assert_eq!(ask(), Ok(7));
}
