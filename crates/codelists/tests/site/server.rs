//! A small server of a codelists site: each path answers as it was told to.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a path answers.
#[derive(Clone)]
pub enum Reply {
    /// With this status, media type and body.
    With(u16, &'static str, Vec<u8>),
    /// To go elsewhere.
    Redirect(String),
    /// Status 503 this many times, then the list.
    FailFirst(usize, Vec<u8>),
    /// Announces more bytes than it sends.
    Truncated(Vec<u8>),
    /// Announces this many bytes, and sends them for ever.
    Endless,
    /// Says nothing at all.
    Silent,
}

pub fn csv(body: &str) -> Reply {
    Reply::With(200, "text/csv", body.into())
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

#[derive(Default)]
struct State {
    replies: HashMap<String, Reply>,
    asked: Vec<Asked>,
    at_once: usize,
    most_at_once: usize,
    pause: Duration,
}

pub struct Server {
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || {
                    // A client that goes away is its own business.
                    let _ = answer(stream, &state);
                });
            }
        });
        Self { address, state }
    }

    pub fn set(&self, path: &str, reply: Reply) {
        self.state.lock().unwrap().replies.insert(path.to_owned(), reply);
    }

    /// What the download of this id answers.
    pub fn list(&self, id: &str, reply: Reply) {
        self.set(&format!("/codelist/{id}/download.csv"), reply);
    }

    /// Every answer takes this long.
    pub fn pause(&self, pause: Duration) {
        self.state.lock().unwrap().pause = pause;
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    pub fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_at_once
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        if let Some((name, value)) = header.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (reply, pause) = {
        let mut state = state.lock().unwrap();
        state.asked.push(Asked { line, headers, body: String::from_utf8_lossy(&body).into_owned() });
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        let reply = state.replies.get(&path).cloned();
        if let Some(Reply::FailFirst(left, body)) = state.replies.get_mut(&path) {
            if *left == 0 {
                let body = body.clone();
                state.replies.insert(path, Reply::With(200, "text/csv", body));
            } else {
                *left -= 1;
            }
        }
        (reply, state.pause)
    };
    std::thread::sleep(pause);
    // Before the answer: whoever has it may ask again before this thread goes on.
    state.lock().unwrap().at_once -= 1;
    send(&mut stream, reply)
}

fn send(stream: &mut TcpStream, reply: Option<Reply>) -> std::io::Result<()> {
    let whole = |stream: &mut TcpStream, status: u16, media: &str, body: &[u8]| {
        let media = if media.is_empty() { String::new() } else { format!("Content-Type: {media}\r\n") };
        write!(stream, "HTTP/1.1 {status} X\r\n{media}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
        stream.write_all(body)
    };
    match reply {
        None => whole(stream, 404, "text/html", b"not here"),
        Some(Reply::With(status, media, body)) => whole(stream, status, media, &body),
        Some(Reply::Redirect(to)) => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Some(Reply::FailFirst(0, body)) => whole(stream, 200, "text/csv", &body),
        Some(Reply::FailFirst(..)) => whole(stream, 503, "text/html", b"busy"),
        Some(Reply::Truncated(body)) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {}\r\n\r\n", body.len() + 10)?;
            stream.write_all(&body)
        }
        Some(Reply::Endless) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n\r\ncode\n")?;
            let rows = b"1\n".repeat(1 << 16);
            loop {
                stream.write_all(&rows)?;
            }
        }
        Some(Reply::Silent) => {
            std::thread::sleep(Duration::from_secs(20));
            Ok(())
        }
    }
}
