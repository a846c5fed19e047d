//! The open stream of a page, read as a browser would: every line with the instant at which it was there.
//! Spec site.md 14.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// One event: its rows as HTML, and when its bytes were there.
struct Patch {
    at: Instant,
    html: String,
}

pub(super) struct Stream {
    coming: mpsc::UnboundedReceiver<Patch>,
    come: Vec<Patch>,
}

impl Stream {
    /// Opens the stream; its first event, the page as it is, is not kept.
    pub(super) async fn open(site: SocketAddr, path: &str) -> Result<Self, Box<dyn Error>> {
        let mut connection = TcpStream::connect(site).await?;
        let head = format!("GET {path} HTTP/1.0\r\nHost: {site}\r\nAccept: text/event-stream\r\n\r\n");
        connection.write_all(head.as_bytes()).await?;
        let (send, mut coming) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut lines = BufReader::new(connection).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let at = Instant::now();
                let Some(data) = line.strip_prefix("data: ") else { continue };
                let pieces: Vec<Value> = serde_json::from_str(data).unwrap_or_default();
                let html = pieces.iter().filter_map(|piece| piece["html"].as_str()).collect();
                if send.send(Patch { at, html }).is_err() {
                    return;
                }
            }
        });
        tokio::time::timeout(Duration::from_secs(30), coming.recv()).await?.ok_or("the stream has no first event")?;
        Ok(Self { coming, come: Vec::new() })
    }

    /// When the row of a job first had this word.
    pub(super) async fn shown(&mut self, job: &str, word: &str) -> Result<Instant, Box<dyn Error>> {
        let mut next = 0;
        loop {
            while let Some(patch) = self.come.get(next) {
                if row(&patch.html, job).is_some_and(|row| row.contains(word)) {
                    return Ok(patch.at);
                }
                next += 1;
            }
            let patch = tokio::time::timeout(Duration::from_secs(30), self.coming.recv()).await;
            self.come.push(patch?.ok_or_else(|| format!("the stream ended before {job} was shown as {word}"))?);
        }
    }
}

fn row<'a>(html: &'a str, job: &str) -> Option<&'a str> {
    let (_, rest) = html.split_once(&format!("id=\"j-{job}\""))?;
    Some(rest.split("id=\"j-").next().unwrap_or(rest))
}
