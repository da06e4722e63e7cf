//! Strangers who hold what they have: each address has one connection, and comes again when it is ended.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;

use super::Door;
use super::plan::{Outcome, Plan, Tally};
use crate::stopwatch::{now, since};

const TICK: Duration = Duration::from_millis(10);
const TICKS_PER_SECOND: u32 = 100;
/// Before a stranger comes again.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two bytes of whoever is slow.
const DRIP: Duration = Duration::from_secs(4);
/// So little a reader who does not read has room for.
const SMALL_BUFFER: u32 = 4_096;
/// Requests that such a reader sends one behind the other.
const PIPELINED: usize = 20;

/// Carries out the plan.
pub(super) async fn carry_out(plan: Plan) -> Outcome {
    let (begun, end, tally, plan) = (now(), plan.end(), Tally::default(), Arc::new(plan));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut next = 0;
    while now() < end {
        ticks.tick().await;
        let end_of_tick = plan.sources.min(next + plan.pace / TICKS_PER_SECOND);
        for stranger in next..end_of_tick {
            tokio::spawn(stay(Arc::clone(&plan), tally.clone(), stranger));
        }
        next = end_of_tick;
    }
    tally.outcome(since(begun) / 1_000.0)
}

/// Comes again and again.
async fn stay(plan: Arc<Plan>, tally: Tally, stranger: u32) {
    loop {
        tally.begun();
        let buffer = (plan.door == Door::SlowReaders).then_some(SMALL_BUFFER);
        let how = match plan.connect(stranger, buffer).await {
            Ok(stream) => {
                tally.holds();
                let how = plan.hold(stream, stranger).await;
                tally.lets_go();
                how.unwrap_or_else(|_| "ended".to_owned())
            }
            Err(_) => "not connected".to_owned(),
        };
        tally.ended(&how);
        tokio::time::sleep(PAUSE).await;
    }
}

impl Plan {
    /// Holds a connection until the server ends it; how that was.
    async fn hold(&self, mut stream: TcpStream, stranger: u32) -> std::io::Result<String> {
        let port = self.port;
        let charge = &self.charges[usize::try_from(stranger).unwrap_or_default() % self.charges.len()];
        let beginning = match self.door {
            Door::Streams => format!("GET {charge}/events HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").into_bytes(),
            Door::HalfClosed => format!("GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\n").into_bytes(),
            Door::SlowHeads => format!("GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nX-Slow: ").into_bytes(),
            Door::SlowBodies => format!(
                "POST /app/checkout/{} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: \
                 application/x-www-form-urlencoded\r\nContent-Length: 9999\r\n\r\nfiat_price_cents=",
                self.merchant
            )
            .into_bytes(),
            Door::SlowReaders => format!("GET /docs HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n")
                .repeat(PIPELINED)
                .into_bytes(),
            Door::Http2 => shut_windows(port),
            _ => Vec::new(),
        };
        stream.write_all(&beginning).await?;
        match self.door {
            Door::SlowReaders => never_reads(&stream).await,
            Door::SlowHeads | Door::SlowBodies => drips(stream).await,
            Door::HalfClosed => {
                stream.shutdown().await?;
                takes_all(stream).await
            }
            _ => takes_all(stream).await,
        }
    }
}

/// Takes whatever comes until the end; the status of what came, if it was an answer.
async fn takes_all(mut stream: TcpStream) -> std::io::Result<String> {
    let (mut piece, mut status) = ([0; 2_048], "ended".to_owned());
    loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(status);
        }
        if let Some(told) = piece[..read].strip_prefix(b"HTTP/1.1 ") {
            status = String::from_utf8_lossy(&told[..told.len().min(3)]).into_owned();
        }
    }
}

/// Says a little now and then, for as long as it may.
async fn drips(stream: TcpStream) -> std::io::Result<String> {
    let (reading, mut writing) = stream.into_split();
    let dripping = async {
        loop {
            tokio::time::sleep(DRIP).await;
            writing.write_all(b"1").await?;
        }
    };
    let taking = async {
        let mut reading = reading;
        let mut answer = Vec::new();
        reading.read_to_end(&mut answer).await?;
        let head = String::from_utf8_lossy(&answer);
        Ok(head.split(' ').nth(1).unwrap_or("ended").to_owned())
    };
    tokio::select! {
        ended = taking => ended,
        ended = dripping => ended,
    }
}

/// Leaves everything where it is, and asks for more now and then, by which it notices that it was ended.
async fn never_reads(stream: &TcpStream) -> std::io::Result<String> {
    loop {
        tokio::time::sleep(DRIP).await;
        match stream.try_write(b"G") {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
    }
}

/// HTTP/2 with a window of nothing, and as many requests for a large page as one connection may have (RFC 9113, RFC 7541).
fn shut_windows(port: u16) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS_INITIAL_WINDOW_SIZE (4) is 0.
    bytes.extend(frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]));
    let host = format!("localhost:{port}");
    for stream in (1..=31).step_by(2) {
        // :method GET and :scheme http from the static table, :path and :authority as literals.
        let mut block = vec![0x82, 0x86, 0x04, 5];
        block.extend(b"/docs");
        block.extend([0x01, u8::try_from(host.len()).unwrap_or_default()]);
        block.extend(host.as_bytes());
        // END_STREAM and END_HEADERS.
        bytes.extend(frame(1, 5, stream, &block));
    }
    bytes
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_the_nine_bytes_of_its_head_before_what_it_carries() {
        assert_eq!(
            frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]),
            [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]
        );
        assert_eq!(frame(1, 5, 3, &[0x82]), [0, 0, 1, 1, 5, 0, 0, 0, 3, 0x82]);
    }
}
