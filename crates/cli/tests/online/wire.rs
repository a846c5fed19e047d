//! Between backend and site: a proxy that passes bytes on and keeps every one that the backend sent; and a client for
//! people's side.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// What the backend sent on each connection, in order of their begin.
type Kept = Arc<Mutex<Vec<Vec<u8>>>>;

pub struct Recorder {
    pub address: SocketAddr,
    kept: Kept,
}

impl Recorder {
    /// Passes connections on to `site`, which need not listen yet.
    pub fn before(site: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Kept::default();
        let all = kept.clone();
        std::thread::spawn(move || {
            for backend in listener.incoming().flatten() {
                let Ok(site) = TcpStream::connect(site) else { continue };
                let place = {
                    let mut all = all.lock().unwrap();
                    all.push(Vec::new());
                    all.len() - 1
                };
                let (from_site, to_backend) = (site.try_clone().unwrap(), backend.try_clone().unwrap());
                std::thread::spawn(move || pass(from_site, to_backend, |_| {}));
                let all = all.clone();
                std::thread::spawn(move || {
                    // Kept before it is passed on: nothing can arrive that is not kept.
                    pass(backend, site, |bytes| all.lock().unwrap()[place].extend_from_slice(bytes));
                });
            }
        });
        Self { address, kept }
    }

    pub fn connections(&self) -> Vec<Vec<u8>> {
        self.kept.lock().unwrap().clone()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&[u8])) {
    let mut piece = [0; 16 * 1024];
    while let Ok(count) = from.read(&mut piece) {
        keep(&piece[..count]);
        if count == 0 || to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// One request as it was sent.
#[derive(Debug)]
pub struct Sent {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The requests of a connection. The last one may be cut, as a connection can be at any byte: its head, if that is whole,
/// and what there is of its body are given in the second place.
pub fn requests(mut bytes: &[u8]) -> (Vec<Sent>, Option<Sent>) {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return (all, None) };
        let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
        let mut lines = head.split("\r\n");
        let first: Vec<&str> = lines.next().unwrap().split(' ').collect();
        let [method, path, "HTTP/1.0" | "HTTP/1.1"] = first[..] else { panic!("no request of HTTP/1.1: {first:?}") };
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a header has a value");
            (name.to_ascii_lowercase(), value.to_owned())
        };
        let headers: Vec<_> = lines.map(header).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        bytes = &bytes[end + 4..];
        let body = bytes[..length.min(bytes.len())].to_vec();
        let whole = body.len() == length;
        bytes = &bytes[body.len()..];
        let sent = Sent { method: method.to_owned(), path: path.to_owned(), headers, body };
        if !whole {
            return (all, Some(sent));
        }
        all.push(sent);
    }
    (all, None)
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends a request and gives the open connection. HTTP/1.0, so that an answer ends with its connection.
pub fn send(site: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&site, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {site}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(stream)
}

/// The whole answer. An error if there is none, as when the site was killed meanwhile.
pub fn ask(site: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    send(site, method, path, headers, body)?.read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(std::io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("no whole head"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("no status"))?;
    Ok(Answer { status, body: body.to_owned() })
}
