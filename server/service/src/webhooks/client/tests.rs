//! Receivers of every bad kind.

use std::convert::Infallible;

use axum::Router;
use axum::response::Redirect;
use axum::routing::post;
use bitpro_rates::testing::serve;
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

fn lenient() -> Policy {
    Policy {
        allow_http: true,
        allow_private: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
    }
}

fn client(policy: Policy) -> Client {
    Client::new(Arc::new(policy), RootCertStore::empty())
}

async fn posted(router: Router) -> Answered {
    let address = serve(router).await;
    let body = Bytes::from_static(b"{}");
    client(lenient())
        .post(&format!("http://{address}/hook"), HeaderMap::new(), body)
        .await
}

/// The first connection, once the head of a request is there.
async fn asked(listener: &TcpListener) -> TcpStream {
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut head = [0; 1024];
    assert!(connection.read(&mut head).await.unwrap() > 0);
    connection
}

/// Answers the first connection with `bytes` and holds it open.
async fn posted_raw(client: Client, bytes: &'static [u8]) -> Answered {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut connection = asked(&listener).await;
        connection.write_all(bytes).await.unwrap();
        std::future::pending::<()>().await;
    });
    let answered = client
        .post(&format!("http://{address}/"), HeaderMap::new(), Bytes::new())
        .await;
    serving.abort();
    answered
}

#[tokio::test]
async fn status_and_the_beginning_of_the_answer_are_kept() {
    let answer = || async { (StatusCode::IM_A_TEAPOT, "no\u{0} tea\n".repeat(500)) };
    let answered = posted(Router::new().route("/hook", post(answer))).await;
    assert_eq!(answered.outcome, Ok(418));
    let excerpt = answered.excerpt.unwrap();
    assert!(excerpt.starts_with("no  tea\nno"), "{excerpt}");
    assert!(excerpt.len() <= EXCERPT);
}

#[tokio::test]
async fn an_answer_that_is_no_text_is_kept_no_longer_than_one_that_is() {
    let answered = posted(Router::new().route("/hook", post(|| async { vec![0xff; 5_000] }))).await;
    let excerpt = answered.excerpt.unwrap();
    assert!(
        (EXCERPT - 2..=EXCERPT).contains(&excerpt.len()),
        "{} bytes",
        excerpt.len()
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let router = Router::new()
        .route("/hook", post(|| async { Redirect::temporary("/secret") }))
        .route("/secret", post(|| async { "reached" }));
    assert_eq!(posted(router).await.outcome, Ok(307));
}

#[tokio::test]
async fn interim_answers_without_end_are_not_read() {
    for interim in [
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut connection = asked(&listener).await;
            // It ends when the client hangs up.
            while connection.write_all(interim.repeat(100).as_bytes()).await.is_ok() {}
        });
        let url = format!("http://{address}/");
        let answered = client(lenient()).post(&url, HeaderMap::new(), Bytes::new()).await;
        assert_eq!(answered.outcome.unwrap_err().kind, FailureKind::Unreadable);
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_gigabyte_is_not_read() {
    let endless = || async {
        let chunks = futures::stream::repeat(Bytes::from_static(&[b'x'; 4096])).map(Ok::<_, Infallible>);
        axum::body::Body::from_stream(chunks)
    };
    use futures::StreamExt as _;
    let answered = posted(Router::new().route("/hook", post(endless))).await;
    assert_eq!(answered.outcome, Ok(200));
    assert_eq!(answered.excerpt.unwrap().len(), EXCERPT);
}

#[tokio::test]
async fn a_silent_receiver_and_one_that_trickles_are_given_up() {
    let hasty = Client {
        timeout: Duration::from_millis(50),
        ..client(lenient())
    };
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\nx-more: "] {
        let answered = posted_raw(hasty.clone(), bytes).await;
        assert_eq!(answered.outcome.unwrap_err().kind, FailureKind::Slow);
    }
}

#[tokio::test]
async fn an_answer_counts_though_its_body_never_ends() {
    let answered = posted_raw(client(lenient()), b"HTTP/1.1 204 OK\r\n\r\n").await;
    assert_eq!(answered.outcome, Ok(204));
    let answered = posted_raw(client(lenient()), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhal").await;
    assert_eq!(answered.outcome, Ok(200));
    assert_eq!(answered.excerpt.as_deref(), Some("hal"));
}

async fn kind_at(client: Client, url: &str) -> FailureKind {
    kind(client.post(url, HeaderMap::new(), Bytes::new()).await)
}

#[track_caller]
fn kind(answered: Answered) -> FailureKind {
    let why = answered.outcome.unwrap_err();
    assert!(
        why.to_string().len() > why.kind.as_str().len() + 2,
        "{why} tells the operator no cause"
    );
    why.kind
}

#[tokio::test]
async fn each_failure_is_of_a_kind() {
    let answered = posted_raw(client(lenient()), b"220 mail.example ESMTP\r\n").await;
    assert_eq!(kind(answered), FailureKind::Unreadable);
    let unknown = kind_at(client(lenient()), "http://nowhere.invalid/").await;
    assert_eq!(unknown, FailureKind::UnknownName);

    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        let refused = acceptor.accept(connection).await;
        assert!(refused.is_err());
        let (mut plain, _) = listener.accept().await.unwrap();
        plain.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    assert_eq!(kind_at(client(lenient()), &url).await, FailureKind::Untrusted);
    assert_eq!(kind_at(client(lenient()), &url).await, FailureKind::NoTls);
}

#[tokio::test]
async fn a_reset_is_a_failure_that_tells_its_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        drop(connection);
    });
    let url = format!("http://{address}/");
    assert_eq!(kind_at(client(lenient()), &url).await, FailureKind::BrokenOff);
    assert_eq!(kind_at(client(lenient()), &url).await, FailureKind::Refused);
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let policy = Policy {
        allow_http: true,
        allow_private: Vec::new(),
    };
    let url = format!("http://localhost:{port}/");
    let answered = client(policy).post(&url, HeaderMap::new(), Bytes::new()).await;
    assert_eq!(kind(answered), FailureKind::NotPublic);
    assert!(
        tokio::time::timeout(Duration::from_millis(20), listener.accept())
            .await
            .is_err(),
        "nothing knocked"
    );
}

#[tokio::test]
async fn plain_http_is_not_spoken_unless_it_is_allowed() {
    let policy = Policy {
        allow_http: false,
        ..lenient()
    };
    let answered = client(policy)
        .post("http://127.0.0.1:9/", HeaderMap::new(), Bytes::new())
        .await;
    assert!(answered.outcome.is_err());
}
