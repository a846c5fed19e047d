//! A backend from its first day: enrolled, opened, run, stopped; its private file; the way out over real sockets.
//! Spec protocol.md 1 (1), 2, 7.2, 9 (d).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::future::Future;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend::desk::{Desk, DeskFailed, Office};
use backend::identity::{BadIdentity, CannotEnrol, Identity, enrol};
use backend::line::ground::System;
use backend::line::https::Https;
use backend::line::transport::{Answer, Transport, Unreachable};
use backend::{Agent, Settings, Start};
use bytes::Bytes;
use common::*;
use http::{Request, Response};
use protocol::enrol::{Enrol, EnrolCode};
use protocol::fact::FactBody;
use protocol::fact::backend::Mode;
use protocol::keys::{PublicKey, fingerprint};
use serde_json::json;
use tokio::sync::watch;

/// A site that enrols, and takes facts without looking at them.
#[derive(Debug, Default)]
struct Simple {
    enrolled: Mutex<Vec<Enrol>>,
    facts: Mutex<Vec<serde_json::Value>>,
    lose_first_answer: Mutex<bool>,
    name: Option<&'static str>,
}

impl Simple {
    fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let path = request.uri().path().strip_prefix("/backend/v1/").unwrap();
        let body = match path {
            "enrol" => {
                assert!(!request.headers().contains_key("authorization"));
                let message: Enrol = protocol::message::from_bytes(request.body()).unwrap();
                self.enrolled.lock().unwrap().push(message);
                if std::mem::take(&mut *self.lose_first_answer.lock().unwrap()) {
                    return None;
                }
                json!({
                    "backend": self.name.unwrap_or("north"), "token": "t".repeat(40),
                    "token_ends_at": moment(0).to_string(), "key": "north-1", "site_key": "site-1",
                    "site_public_key": key(2, "site-1").public().text().as_str()
                })
            }
            "hello" => json!({
                "version": "1.0", "features": [], "head": {"epoch": 1, "seq": 0, "hash": "0".repeat(64)},
                "directive_cursor": 0, "now": moment(0).to_string(),
                "limits": {"facts": 500, "bytes": 1_048_576, "wait": 55}, "people_revision": 0
            }),
            "facts" => {
                let batch: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
                let facts = batch["facts"].as_array().unwrap().clone();
                let last = facts.last().unwrap().clone();
                let mut held = self.facts.lock().unwrap();
                let known = held.len();
                held.extend(facts.into_iter().filter(|fact| fact["seq"].as_u64().unwrap() > known as u64));
                json!({"epoch": 1, "through": last["seq"], "hash": last["hash"]})
            }
            _ => return Some(Response::builder().status(204).body(Bytes::new()).unwrap()),
        };
        Some(Response::new(body.to_string().into()))
    }
}

impl Transport for Simple {
    fn call(&self, request: Request<Bytes>) -> Answer<'_> {
        Box::pin(async move {
            if request.uri().path().ends_with("directives") {
                tokio::time::sleep(Duration::from_secs(55)).await;
            }
            self.answer(&request).ok_or(Unreachable("lost".to_owned()))
        })
    }
}

fn settings(folder: &Path) -> Settings {
    let text = include_str!("settings/least.toml").replace("south", "north").replace("\"other\"", "\"emis\"");
    Settings::parse(&text, &folder.join("backend.toml")).unwrap()
}

async fn enrolled(site: &Simple, settings: &Settings) -> Result<Identity, CannotEnrol> {
    let code: EnrolCode = "one-time-code-0001".parse().unwrap();
    enrol(site, &System, &settings.site.url, &settings.folders.state, &settings.slug, code).await
}

#[tokio::test]
async fn a_backend_enrols_once_with_a_key_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let site = Simple { lose_first_answer: Mutex::new(true), ..Simple::default() };
    assert!(matches!(Identity::read(&settings.folders.state, &settings.slug), Err(BadIdentity::NotEnrolled { .. })));
    // The answer is lost; the same code is sent again with the same key.
    assert!(matches!(enrolled(&site, &settings).await, Err(CannotEnrol::Site(_))));
    let identity = enrolled(&site, &settings).await.unwrap();
    let sent = site.enrolled.lock().unwrap().clone();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    let theirs = PublicKey::read(&sent[0].public_key).unwrap();
    assert_eq!(theirs, identity.signing_key().unwrap().public());
    // The six words that the site shows.
    let words = fingerprint(&settings.slug, &theirs, &key(2, "site-1").public()).join(" ");
    assert_eq!(identity.fingerprint(), words);
    assert!(matches!(enrolled(&site, &settings).await, Err(CannotEnrol::Already { .. })));

    let file = settings.folders.state.join("identity.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let read = Identity::read(&settings.folders.state, &settings.slug);
    assert!(matches!(read, Err(BadIdentity::NotPrivate { mode: 0o640, .. })));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let south = "south".parse().unwrap();
    assert!(matches!(Identity::read(&settings.folders.state, &south), Err(BadIdentity::OtherBackend { .. })));
    std::fs::write(&file, "{}").unwrap();
    let read = Identity::read(&settings.folders.state, &settings.slug);
    assert!(matches!(read, Err(BadIdentity::Damaged { .. })));
}

#[tokio::test]
async fn a_code_of_another_backend_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let site = Simple { name: Some("south"), ..Simple::default() };
    assert!(matches!(enrolled(&site, &settings).await, Err(CannotEnrol::OtherBackend { .. })));
    assert!(matches!(Identity::read(&settings.folders.state, &settings.slug), Err(BadIdentity::NotEnrolled { .. })));
}

/// A desk that says something while it ends.
struct LastWord;

impl Desk for LastWord {
    fn run(&self, mut office: Office) -> Pin<Box<dyn Future<Output = Result<(), DeskFailed>> + Send + '_>> {
        Box::pin(async move {
            let _ = office.stop.wait_for(|stop| *stop).await;
            let told = office.log.tell("outbox:1", vec![(moment(1), mode(Mode::Paused))]).await;
            told.map_err(|error| DeskFailed(Box::new(error)))
        })
    }
}

#[tokio::test]
async fn it_begins_with_an_epoch_and_ends_with_the_last_word() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let site = Arc::new(Simple::default());
    let started = Agent::with(&settings, site.clone(), Arc::new(LastWord), Start::default()).await;
    assert!(started.is_err(), "it is not enrolled");
    enrolled(&site, &settings).await.unwrap();
    let agent = Agent::with(&settings, site.clone(), Arc::new(LastWord), Start::default()).await.unwrap();
    let log = agent.log().clone();
    let stop = watch::Sender::new(false);
    let mut contact = agent.contact();
    let run = tokio::spawn(agent.run(stop.subscribe()));
    contact.wait_for(|contact| contact.connected).await.unwrap();
    stop.send_replace(true);
    run.await.unwrap().unwrap();

    let facts = site.facts.lock().unwrap().clone();
    let kinds: Vec<&str> = facts.iter().map(|fact| fact["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["backend.opened", "backend.mode"]);
    assert_eq!(facts[0]["body"]["flavour"], "emis");
    assert_eq!(facts[0]["body"]["data_kind"], "synthetic");
    let first = log.facts(1.try_into().unwrap(), 1.try_into().unwrap(), 1).await.unwrap();
    let FactBody::Opened(opened) = first[0].content().unwrap().body else { panic!() };
    assert_eq!(opened.public_key, log.who().key.public().text());

    // The ledger begins with the enrolment, and holds what the site got, byte for byte.
    let sent = log.sent(1, 1000).await.unwrap();
    assert_eq!((sent[0].call.as_str(), sent[1].call.as_str()), ("POST enrol", "POST hello"));
    let message: Enrol = protocol::message::from_bytes(&sent[0].bytes).unwrap();
    assert_eq!(message, site.enrolled.lock().unwrap()[0]);
    let batches: Vec<&[u8]> = sent.iter().filter(|one| one.call == "POST facts").map(|one| &one.bytes[..]).collect();
    for fact in &facts {
        let hash = fact["hash"].as_str().unwrap();
        assert!(batches.iter().any(|batch| String::from_utf8_lossy(batch).contains(hash)));
    }
    let whole = sent.iter().flat_map(|one| one.bytes.iter().copied()).collect::<Vec<u8>>();
    assert!(!String::from_utf8(whole).unwrap().contains(&"t".repeat(40)), "a token is in the ledger");
}

/// A server that answers each connection with these bytes and keeps what it was asked.
fn server(answer: Vec<u8>) -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap_or(0);
            keep.lock().unwrap().push(String::from_utf8_lossy(&buffer[..count]).into_owned());
            let _ = stream.write_all(&answer);
        }
    });
    (address, asked)
}

fn way(url: &str, more: &str) -> Https {
    let text = include_str!("settings/least.toml").replace("http://127.0.0.1:8000\"", &format!("{url}\"\n{more}"));
    Https::new(&Settings::parse(&text, Path::new("/etc/backend.toml")).unwrap().site).unwrap()
}

fn get(url: String) -> Request<Bytes> {
    Request::builder().uri(url).header("authorization", "Bearer secret").body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn no_redirect_is_followed_and_no_other_address_called() {
    let (elsewhere, asked_elsewhere) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec());
    let moved = format!("HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/x\r\ncontent-length: 0\r\n\r\n");
    let (address, asked) = server(moved.into_bytes());
    let way = way(&format!("http://{address}"), "");
    let answer = way.call(get(format!("http://{address}/backend/v1/people?after=0"))).await.unwrap();
    assert_eq!(answer.status(), 302);
    assert!(asked.lock().unwrap()[0].starts_with("GET /backend/v1/people?after=0 HTTP/1.1"));
    assert!(way.call(get(format!("http://{elsewhere}/backend/v1/hello"))).await.is_err());
    assert!(asked_elsewhere.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 20000000\r\n\r\n".to_vec();
    answer.resize(20_000_100, b' ');
    let (address, _) = server(answer);
    let failed = way(&format!("http://{address}"), "").call(get(format!("http://{address}/x"))).await.unwrap_err();
    assert!(failed.to_string().contains("longer than 16777216 bytes"), "{failed}");
}

#[tokio::test]
async fn a_proxy_is_asked_to_connect_and_told_nothing_else() {
    let (proxy, asked) = server(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_vec());
    let way = way("https://jobs.example.org", &format!("proxy = \"http://{proxy}\""));
    assert!(way.call(get("https://jobs.example.org/backend/v1/hello".to_owned())).await.is_err());
    let asked = asked.lock().unwrap().join("\n");
    assert!(asked.starts_with("CONNECT jobs.example.org:443 HTTP/1.1"), "{asked}");
    assert!(!asked.contains("secret"), "{asked}");
}

/// A certificate for the site's name by an authority of its own: the authority in PEM, and a server that has it.
fn tls_server() -> (String, u16) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut of_authority = rcgen::CertificateParams::new(vec![]).unwrap();
    of_authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = of_authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(of_authority, authority_key);
    let own_key = rcgen::KeyPair::generate().unwrap();
    let of_site = rcgen::CertificateParams::new(vec!["jobs.example.org".to_owned()]).unwrap();
    let own = of_site.signed_by(&own_key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], own_key.serialize_der().try_into().unwrap())
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut buffer = [0; 4096];
            if stream.read(&mut buffer).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
                let _ = stream.flush();
            }
        }
    });
    (authority.pem(), port)
}

#[tokio::test]
async fn only_the_pinned_authority_counts_and_no_name_is_looked_up() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, port) = tls_server();
    let (other, _) = tls_server();
    let file = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let (authority, other) = (file("ca.pem", &authority), file("other.pem", &other));
    let url = format!("https://jobs.example.org:{port}");
    // The name is in no resolver: it is found at the address alone.
    let way = |ca: &str| way(&url, &format!("address = \"127.0.0.1\"\nca_file = \"{ca}\""));
    let call = || get(format!("{url}/backend/v1/people?after=0"));
    assert_eq!(way(&authority).call(call()).await.unwrap().status(), 204);
    let failed = way(&other).call(call()).await.unwrap_err().to_string();
    assert!(failed.contains("certificate") && !failed.contains("secret"), "{failed}");
    let empty = file("empty.pem", "");
    let text = include_str!("settings/least.toml")
        .replace("http://127.0.0.1:8000\"", &format!("{url}\"\nca_file = \"{empty}\""));
    let site = Settings::parse(&text, Path::new("/etc/backend.toml")).unwrap().site;
    assert!(Https::new(&site).unwrap_err().to_string().contains("empty.pem"));
}
