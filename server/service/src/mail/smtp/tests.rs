//! What becomes of a letter, whatever the mail server says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use bitpro_config::{MailConfig, MailTransport};
use bitpro_merchant::letters;
use bitpro_store::StoreError;
use rcgen::generate_simple_self_signed;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::mail::Postman;
use crate::testing::TestShop;

const FROM: &str = "Shop <pay@shop.example>";

fn smtp(port: u16, protection: Protection) -> Smtp {
    Smtp {
        host: "127.0.0.1".to_owned(),
        port,
        protection,
        credentials: None,
    }
}

fn mail_server(port: u16) -> MailServer {
    MailServer::new(&smtp(port, Protection::Nothing), &FROM.parse().unwrap())
}

fn letter() -> Message {
    let from: Mailbox = FROM.parse().unwrap();
    Message::builder()
        .from(from.clone())
        .to(from)
        .body(String::new())
        .unwrap()
}

/// Sends a letter to a mail server that greets by `greeting` and answers `MAIL` by `answer`.
async fn sent_to(greeting: &'static [u8], answer: &'static [u8]) -> Failure {
    let port = raw(move |command| match command {
        "" => (greeting, false),
        "EHLO" => (b"250 mail.example\r\n", false),
        _ => (answer, false),
    });
    mail_server(port).send(&letter()).await.unwrap_err()
}

/// A mail server that says what it is told to, once or without end; the command is empty for the greeting, and "." after a letter. It has a thread of its own, so
/// that it goes on whatever the runtime does.
fn raw(answers: impl Fn(&str) -> (&'static [u8], bool) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut said = answers("");
            let mut is_letter = false;
            'connection: loop {
                loop {
                    if (&stream).write_all(said.0).is_err() {
                        break 'connection;
                    }
                    if !said.1 {
                        break;
                    }
                }
                let command = loop {
                    let Some(Ok(line)) = lines.next() else {
                        break 'connection;
                    };
                    let word = line.split([' ', '\r']).next().unwrap_or_default().to_owned();
                    if !is_letter || word == "." {
                        break word;
                    }
                };
                is_letter = command == "DATA";
                said = answers(&command);
            }
        }
    });
    port
}

/// What an honest mail server answers.
fn honest(command: &str) -> &'static [u8] {
    match command {
        "" => b"220 mail.example\r\n",
        "DATA" => b"354 go on\r\n",
        "QUIT" => b"221 bye\r\n",
        _ => b"250 mail.example\r\n",
    }
}

#[tokio::test]
async fn a_letter_is_given_up_only_for_what_the_mail_server_will_say_again() {
    for (answer, is_refused, why) in [
        (
            &b"550 ada@shop.example is unknown here\r\n"[..],
            true,
            "the mail server answers 550",
        ),
        (
            b"553-ada@shop.example\r\n553 no\r\n",
            true,
            "the mail server answers 553",
        ),
        (b"451 try later\r\n", false, "the mail server answers 451"),
        (b"530 log in first\r\n", false, "the mail server answers 530"),
        (
            b"HTTP/1.1 400 Bad Request\r\n",
            false,
            "the mail server's answer is not understood",
        ),
        (
            b"\xff\xff\xff\r\n",
            false,
            "network error: stream did not contain valid UTF-8",
        ),
    ] {
        let failure = sent_to(b"220 mail.example ESMTP\r\n", answer).await;
        assert_eq!((failure.is_refused, failure.why.as_str()), (is_refused, why));
    }
}

#[tokio::test]
async fn a_greeting_that_is_none_keeps_the_letter() {
    for greeting in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"554 not you\r\n", b"\0\0\0\0\r\n"] {
        let failure = sent_to(greeting, b"250 ok\r\n").await;
        assert!(!failure.is_refused || greeting.starts_with(b"554"), "{failure:?}");
        assert!(!failure.why.contains("not you"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_a_failure_wherever_it_comes() {
    for at in ["", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        for endless in [&b"250-XYZ\r\n"[..], b"250-", b"\r\n", b"x"] {
            let port = raw(move |command| (if command == at { endless } else { honest(command) }, command == at));
            let failure = mail_server(port).send(&letter()).await.unwrap_err();
            assert!(!failure.is_refused, "{at} {failure:?}");
            let too_long = "network error: the mail server's answer is longer than 64 KiB or 128 lines";
            // What is no answer is noticed at its first line, or at its end where a busy machine reads that much at once.
            let is_no_answer = endless == b"\r\n" && failure.why == "the mail server's answer is not understood";
            assert!(is_no_answer || failure.why == too_long, "{at} {endless:?} {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_mail_server_that_never_stops_costs_an_attempt_and_nobody_elses_turn() {
    let app = TestShop::with_merchant(&[]).await;
    let port = raw(|command| match command {
        "EHLO" => (b"250-XYZ\r\n", true),
        _ => (honest(command), false),
    });
    let config = MailConfig {
        from: FROM.parse().unwrap(),
        transport: MailTransport::Smtp(smtp(port, Protection::Nothing)),
    };
    let postman = Postman::new(&app.charges, &config).unwrap();
    let posted: Result<(), StoreError> = app
        .charges
        .store()
        .write(|tx| Box::pin(async move { tx.post(&letters::test("anna@buyer.example")).await }))
        .await;
    posted.unwrap();
    assert_eq!(postman.send_some().await.unwrap(), Some(false));
    let (waiting, next) = app.charges.store().mails_waiting().await.unwrap();
    assert_eq!(waiting, 1);
    assert!(
        next.unwrap() > app.charges.now(),
        "the attempt counts, and the next one comes later"
    );
}

#[tokio::test]
async fn whoever_says_a_little_now_and_then_has_one_deadline_for_a_letter() {
    for at in ["", "EHLO", "MAIL"] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        // What they have is a minute.
        let server = MailServer {
            patience: Duration::from_millis(200),
            ..mail_server(listener.local_addr().unwrap().port())
        };
        let dripping = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (read, mut write) = stream.into_split();
            let mut lines = tokio::io::BufReader::new(read).lines();
            let mut command = String::new();
            while command != at {
                write.write_all(honest(&command)).await.unwrap();
                let line = lines.next_line().await.unwrap().unwrap();
                command = line.split(' ').next().unwrap().to_owned();
            }
            while write.write_all(b"2").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let failure = server.send(&letter()).await.unwrap_err();
        assert_eq!(failure, too_slow(), "{at}");
        dripping.await.unwrap();
    }
}

#[tokio::test]
async fn a_letter_that_is_taken_is_not_sent_again_whatever_is_said_to_the_farewell() {
    for farewell in [&b"221-bye\r\n"[..], b"x"] {
        let port = raw(move |command| match command {
            "QUIT" => (farewell, true),
            _ => (honest(command), false),
        });
        assert_eq!(mail_server(port).send(&letter()).await, Ok(()));
        assert_eq!(mail_server(port).greet().await, Ok(()));
    }
}

#[tokio::test]
async fn what_is_said_before_tls_is_not_read_as_if_it_had_come_by_it() {
    for (greeting, able, why) in [
        (
            &b"220 hi\r\n250 injected\r\n"[..],
            &b"250-m\r\n250 STARTTLS\r\n"[..],
            "the mail server's answer is not understood",
        ),
        (b"220 hi\r\n", b"250 m\r\n", "the mail server knows no STARTTLS"),
        (b"220 hi\r\n", b"502 no\r\n", "the mail server answers 502"),
        (b"220 hi\r\n", b"no\r\n", "the mail server's answer is not understood"),
    ] {
        let port = raw(move |command| match command {
            "" => (greeting, false),
            "EHLO" => (able, false),
            _ => (b"220 go on\r\n250 injected\r\n", false),
        });
        let server = MailServer::new(&smtp(port, Protection::StartTls), &FROM.parse().unwrap());
        assert_eq!(server.send(&letter()).await.unwrap_err().why, why);
    }
    let port = raw(|command| match command {
        "" => (b"220 hi\r\n", false),
        "EHLO" => (b"250-m\r\n250 STARTTLS\r\n", false),
        _ => (b"220 go on\r\n250 injected\r\n", false),
    });
    let server = MailServer::new(&smtp(port, Protection::StartTls), &FROM.parse().unwrap());
    assert_eq!(server.send(&letter()).await.unwrap_err(), not_understood());
    for at in ["", "EHLO", "STARTTLS"] {
        for endless in [&b"250-XYZ\r\n"[..], b"250-"] {
            let port = raw(move |command| match command {
                _ if command == at => (endless, true),
                "EHLO" => (b"250-m\r\n250 STARTTLS\r\n", false),
                _ => (honest(command), false),
            });
            let server = MailServer::new(&smtp(port, Protection::StartTls), &FROM.parse().unwrap());
            let why = server.send(&letter()).await.unwrap_err().why;
            assert!(why.contains("longer than 64 KiB"), "{at}: {why}");
        }
    }
}

/// Speaks for a mail server until it has a letter, or without end at `MAIL`.
async fn speak(stream: impl AsyncRead + AsyncWrite, is_greeting: bool, is_endless: bool) {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = tokio::io::BufReader::new(read).lines();
    if is_greeting {
        write.write_all(honest("")).await.unwrap();
        write.flush().await.unwrap();
    }
    while let Ok(Some(line)) = lines.next_line().await {
        let command = line.split(' ').next().unwrap_or_default();
        if is_endless && command == "MAIL" {
            while write.write_all(b"250-XYZ\r\n").await.is_ok() {}
            return;
        }
        if write.write_all(honest(command)).await.is_err() || write.flush().await.is_err() {
            return;
        }
        while command == "DATA"
            && lines
                .next_line()
                .await
                .is_ok_and(|line| line.is_some_and(|line| line != "."))
        {}
        if command == "DATA" {
            write.write_all(honest(".")).await.unwrap();
            write.flush().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_bound_lies_above_tls_too() {
    let made = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let connector = TlsConnector::from(Arc::new(http_client::tls(roots)));
    for protection in [Protection::Tls, Protection::StartTls] {
        for is_endless in [false, true] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = MailServer {
                tls: Some(connector.clone()),
                ..MailServer::new(&smtp(port, protection), &FROM.parse().unwrap())
            };
            let acceptor = acceptor.clone();
            let speaking = tokio::spawn(async move {
                let (mut tcp, _) = listener.accept().await.unwrap();
                if protection == Protection::StartTls {
                    tcp.write_all(b"220 hi\r\n").await.unwrap();
                    let mut asked = [0; 512];
                    assert!(tcp.read(&mut asked).await.unwrap() > 0);
                    tcp.write_all(b"250-m\r\n250 STARTTLS\r\n").await.unwrap();
                    assert!(tcp.read(&mut asked).await.unwrap() > 0);
                    tcp.write_all(b"220 go on\r\n").await.unwrap();
                }
                let stream = acceptor.accept(tcp).await.unwrap();
                speak(stream, protection == Protection::Tls, is_endless).await;
            });
            let sent = server.send(&letter()).await;
            if is_endless {
                let why = sent.unwrap_err().why;
                assert!(why.contains("longer than 64 KiB or 128 lines"), "{why}");
            } else {
                assert_eq!(sent, Ok(()), "{protection:?}");
            }
            speaking.await.unwrap();
        }
    }
}
