//! A reader of server-sent events, as the WHATWG HTML standard (section 9.2.6) says they are to be interpreted.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::wait::PATIENCE;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// The last id that the stream gave, with or before this event.
    pub id: Option<String>,
    /// Its type; empty means `message`.
    pub event: String,
    /// Its payload.
    pub data: String,
}

/// An open stream of events.
pub struct Events {
    chunks: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    parser: Parser,
}

impl Events {
    /// Opens the stream at `url`; `last_event_id` resumes an earlier one.
    ///
    /// # Errors
    /// When the answer is not a stream of events.
    pub async fn open(http: &reqwest::Client, url: &str, last_event_id: Option<&str>) -> Result<Self> {
        let mut request = http.get(url).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.with_context(|| format!("cannot open {url}"))?;
        let status = response.status();
        ensure!(status.is_success(), "{url} answered {status}");
        let kind = response
            .headers()
            .get("content-type")
            .map(|kind| kind.as_bytes().to_vec());
        ensure!(
            kind.as_deref()
                .is_some_and(|kind| kind.starts_with(b"text/event-stream")),
            "{url} is no stream of events"
        );
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        Ok(Self {
            chunks: chunks.boxed(),
            parser: Parser::default(),
        })
    }

    /// The next event.
    ///
    /// # Errors
    /// When none comes, or the stream ends.
    pub async fn next(&mut self) -> Result<Event> {
        self.next_within(PATIENCE).await
    }

    /// The next event, if it comes within `patience`.
    ///
    /// # Errors
    /// When none comes, or the stream ends.
    pub async fn next_within(&mut self, patience: Duration) -> Result<Event> {
        let reading = async {
            loop {
                if let Some(event) = self.parser.complete.pop_front() {
                    return Ok(event);
                }
                match self.chunks.next().await {
                    Some(chunk) => self.parser.feed(&chunk?),
                    None => bail!("the stream has ended"),
                }
            }
        };
        tokio::time::timeout(patience, reading)
            .await
            .with_context(|| format!("no event came within {patience:?}"))?
    }

    /// Waits for the end of the stream, as the server makes it when it stops.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn ended(&mut self) -> Result<()> {
        let reading = async { while let Some(Ok(_)) = self.chunks.next().await {} };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .context("the stream does not end")
    }
}

#[derive(Default)]
struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    last_id: Option<String>,
    building: Event,
    has_data: bool,
    complete: VecDeque<Event>,
}

impl Parser {
    fn feed(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            let second_half = std::mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    self.line(&String::from_utf8_lossy(&line));
                }
                _ => self.line.push(byte),
            }
        }
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.last_id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.building.event),
            "data" => {
                if self.has_data {
                    self.building.data.push('\n');
                }
                self.building.data.push_str(value);
                self.has_data = true;
            }
            // An empty field name is a comment: the heartbeat.
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let event = std::mem::take(&mut self.building);
        if std::mem::take(&mut self.has_data) {
            self.complete.push_back(Event {
                id: self.last_id.clone(),
                ..event
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chunks: &[&str]) -> Vec<Event> {
        let mut parser = Parser::default();
        for chunk in chunks {
            parser.feed(chunk.as_bytes());
        }
        parser.complete.into()
    }

    #[test]
    fn an_event_may_come_in_pieces_and_with_any_line_end() {
        let whole = Event {
            id: Some("7".to_owned()),
            event: "charge".to_owned(),
            data: "a\nb".to_owned(),
        };
        for chunks in [
            &["id: 7\nevent: charge\ndata: a\ndata:b\n\n"][..],
            &["id: 7\r\nevent: charge\r", "\ndata: a\r\ndata:b\r\n\r\n"],
            &["id", ": 7\revent: charge\rdata: a\rdata: b", "\r\r"],
        ] {
            assert_eq!(parse(chunks), std::slice::from_ref(&whole), "{chunks:?}");
        }
    }

    #[test]
    fn comments_are_no_events_and_an_id_stays() {
        let events = parse(&[": heartbeat\n\nid: 1\ndata: a\n\ndata: b\n\n"]);
        assert_eq!(events.len(), 2);
        assert_eq!(events[1].id.as_deref(), Some("1"));
    }
}
