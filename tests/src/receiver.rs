//! A shop's server that webhooks are delivered to: it records what comes, and behaves as it is told, path by path.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::App;
use crate::wait::eventually;

/// How a path of the receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// It answers with this status.
    Status(u16),
    /// It answers with this status so many times, and takes what comes then.
    StatusFirst(u16, usize),
    /// It never answers.
    Hang,
    /// It sends the caller elsewhere.
    Redirect,
    /// Its answer has no end.
    Endless,
    /// Its answer comes by a byte a second, and has no end.
    Trickle,
    /// It breaks the connection off in the middle of its answer.
    Reset,
}

/// A delivery that came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path that it came to.
    pub path: String,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    pub headers: [String; 3],
    /// The body's bytes.
    pub body: Bytes,
    /// The body.
    pub json: Value,
    /// The status that it was answered with; `None` when it was not answered.
    pub answered: Option<u16>,
}

impl Received {
    /// The event's id.
    #[must_use]
    pub fn event(&self) -> &str {
        self.json["event"]["id"].as_str().unwrap_or_default()
    }

    /// The event's type.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.json["event"]["type"].as_str().unwrap_or_default()
    }

    /// The charge's id.
    #[must_use]
    pub fn charge(&self) -> &str {
        self.json["event"]["data"]["id"].as_str().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Book {
    conduct: Mutex<HashMap<String, Conduct>>,
    received: Mutex<Vec<Received>>,
}

/// A receiver on this machine.
#[derive(Debug)]
pub struct Receiver {
    port: u16,
    book: Arc<Book>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// A receiver that takes everything.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let book = Arc::new(Book::default());
        let router = Router::new().fallback(take).with_state(Arc::clone(&book));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { port, book, serving })
    }

    /// The address of `path` here.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Makes `path` behave so from now on.
    pub fn set(&self, path: &str, conduct: Conduct) {
        lock(&self.book.conduct).insert(path.to_owned(), conduct);
    }

    /// Everything that came in, in its order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.book.received).clone()
    }

    /// Waits until `enough` holds of what came in, and gives that.
    ///
    /// # Errors
    /// When it does not come to it.
    pub async fn gets(&self, what: &str, enough: impl Fn(&[Received]) -> bool) -> Result<Vec<Received>> {
        eventually(what, async || {
            let received = self.received();
            let told: Vec<String> = received
                .iter()
                .map(|one| format!("{} {} {:?}", one.path, one.kind(), one.answered))
                .collect();
            ensure!(enough(&received), "the receiver has {told:?}");
            Ok(received)
        })
        .await
    }

    /// Adds a webhook that leads to `path` here; its id and secret.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn add(&self, app: &App, merchant: &str, state: &str, path: &str) -> Result<(String, String)> {
        let said = app
            .run(&["webhook", "add", merchant, state, &self.url(path), "--json"])
            .await?;
        let made: Value = serde_json::from_str(&said)?;
        let text = |name: &str| {
            let value = made[name].as_str();
            value.map(str::to_owned).with_context(|| format!("no {name} in {said}"))
        };
        Ok((text("id")?, text("secret")?))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(book): State<Arc<Book>>, uri: axum::http::Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let (conduct, status) = {
        let mut known = lock(&book.conduct);
        let conduct = known.get(&path).copied().unwrap_or(Conduct::Status(200));
        let status = match conduct {
            Conduct::Status(status) => Some(status),
            Conduct::StatusFirst(_, 0) | Conduct::Endless | Conduct::Trickle | Conduct::Reset => Some(200),
            Conduct::StatusFirst(status, left) => {
                known.insert(path.clone(), Conduct::StatusFirst(status, left - 1));
                Some(status)
            }
            Conduct::Redirect => Some(307),
            Conduct::Hang => None,
        };
        (conduct, status)
    };
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    lock(&book.received).push(Received {
        path,
        headers: ["webhook-id", "webhook-timestamp", "webhook-signature"].map(text),
        json: serde_json::from_slice(&body).unwrap_or_default(),
        body,
        answered: status,
    });
    match (conduct, status.and_then(|status| StatusCode::from_u16(status).ok())) {
        (Conduct::Redirect, _) => Redirect::temporary("/elsewhere").into_response(),
        (Conduct::Endless, _) => {
            let chunk = Bytes::from_static(&[b'x'; 16 * 1024]);
            let chunks = futures::stream::repeat_with(move || Ok::<_, std::convert::Infallible>(chunk.clone()));
            Body::from_stream(chunks).into_response()
        }
        (Conduct::Trickle, _) => {
            let bytes = futures::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"x")), ()))
            });
            Body::from_stream(bytes).into_response()
        }
        (Conduct::Reset, _) => {
            let broken = [Ok(Bytes::from_static(b"x")), Err(std::io::Error::other("broken off"))];
            Body::from_stream(futures::stream::iter(broken)).into_response()
        }
        (_, Some(status)) => status.into_response(),
        (_, None) => std::future::pending().await,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
