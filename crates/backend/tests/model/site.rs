//! A site made of the protocol's own rules: the line, the intake, the lease, the book. Its disk can be copied and restored.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use protocol::apply::NotApplied;
use protocol::apply::book::{Book, Outcome};
use protocol::calls::{BASE, BOOT_HEADER, CallRefused, REQUEST_HEADER, RefusalCode, VERSION_HEADER};
use protocol::directive::DirectiveBody;
use protocol::directive::body::RightsChanged;
use protocol::directive::envelope::{Draft, sign_again};
use protocol::directive::inbox::write_answer;
use protocol::directive::line::{Line, LineFound, Poll, again};
use protocol::fact::envelope::{Fact, Head};
use protocol::fact::epoch::{Former, proposal};
use protocol::fact::intake::{self, FactsRefused, Sender, Stored};
use protocol::gauges::Gauges;
use protocol::hello::{self, BackendHello, EpochPlace, Found, OwnLog, Place, SendLimits, SiteHello};
use protocol::keys::Keys;
use protocol::lease::{Lease, NotHolder};
use protocol::message::{from_bytes, to_text};
use protocol::people::Roster;
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::Ulid;
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch, Seq};
use tokio::sync::Notify;

use crate::common::{id, key, keys, north};

/// A directive of the line: what can be signed again, and the text that is sent.
#[derive(Clone)]
pub struct Kept {
    id: Ulid,
    body: DirectiveBody,
    expires_at: Moment,
    text: String,
}

/// What survives a kill, and what a copy holds.
#[derive(Clone)]
pub struct Disk {
    pub line: Line,
    pub stored: BTreeMap<Cursor, Kept>,
    pub epoch: Epoch,
    pub chains: BTreeMap<Epoch, Vec<Fact>>,
    pub keys: Keys,
    pub book: Book,
    /// Facts kept apart, and why.
    pub apart: Vec<(String, NotApplied)>,
    pub revision: u64,
}

pub struct Site {
    pub disk: Disk,
    lease: Lease,
    /// Whether a backend said hello since the last start.
    pub met: bool,
    pub proposed: Option<Fact>,
    pub tokens: Vec<String>,
    next_id: u64,
    pub wake: Arc<Notify>,
    /// Rises with each kill: what was under way is cut.
    pub life: u64,
    pub up: bool,
    pub limits: (u64, u64),
    /// Calls are answered with 503 and this `Retry-After`.
    pub busy: Option<u64>,
    pub gauges: Option<Gauges>,
    pub conflicts: u32,
    /// What must never be.
    pub broken: Option<String>,
    pub superseded: u32,
    pub calls: BTreeMap<String, u32>,
}

pub type Shared = Arc<Mutex<Site>>;

struct Chain<'a>(&'a [Fact], Epoch);

impl Stored for Chain<'_> {
    fn head(&self) -> Head {
        self.0.last().map_or_else(Head::start, Fact::head)
    }
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
        self.0.get(usize::try_from(seq.get()).ok()?.checked_sub(1)?).map(|fact| fact.hash.clone())
    }
}

impl OwnLog for Chain<'_> {
    fn epoch(&self) -> Epoch {
        self.1
    }
    fn head(&self) -> Head {
        Stored::head(self)
    }
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
        Stored::hash_at(self, seq)
    }
}

impl Disk {
    fn new() -> Self {
        Self {
            line: Line::new(),
            stored: BTreeMap::new(),
            epoch: Epoch::LEAST,
            chains: BTreeMap::new(),
            keys: keys(&key(1, "north-1")),
            book: Book::default(),
            apart: Vec::new(),
            revision: 1,
        }
    }

    pub fn chain(&self) -> &[Fact] {
        self.chains.get(&self.epoch).map_or(&[], Vec::as_slice)
    }
}

pub enum Reply {
    Now(Response<Bytes>),
    /// Nothing yet: wait for so long.
    Hold(u64),
}

impl Site {
    pub fn new() -> Self {
        Self {
            disk: Disk::new(),
            lease: Lease::default(),
            met: false,
            proposed: None,
            tokens: vec!["t".repeat(40)],
            next_id: 1,
            wake: Arc::default(),
            life: 0,
            up: true,
            limits: (500, 1 << 20),
            busy: None,
            gauges: None,
            conflicts: 0,
            broken: None,
            superseded: 0,
            calls: BTreeMap::new(),
        }
    }

    /// The process dies; what is on the disk stays, or is that of an older copy.
    pub fn kill(&mut self, copy: Option<Disk>) {
        self.life += 1;
        self.lease = Lease::default();
        self.met = false;
        self.proposed = None;
        self.gauges = None;
        self.wake.notify_waiters();
        if let Some(copy) = copy {
            self.disk = copy;
        }
    }

    pub fn order(&mut self, body: DirectiveBody, now: Moment) {
        let cursor = self.disk.line.take();
        self.put(cursor, body, now);
        self.wake.notify_waiters();
    }

    fn put(&mut self, cursor: Cursor, body: DirectiveBody, now: Moment) {
        let id = id(self.next_id);
        self.next_id += 1;
        let expires_at = now.plus_seconds(14 * 24 * 3600);
        let draft = Draft { cursor, id: id.clone(), backend: north(), at: now, expires_at, critical: vec![], body };
        self.disk.book.sent(&id, &draft.body);
        let text = draft.sign(&key(2, "site-1")).unwrap();
        self.disk.stored.insert(draft.cursor, Kept { id, body: draft.body, expires_at, text });
    }

    fn is_answered(&self, kept: &Kept) -> bool {
        let book = &self.disk.book;
        match &kept.body {
            DirectiveBody::JobRequest(order) => {
                let request = &book.requests[&order.request];
                !matches!(request.outcome, Outcome::Sent | Outcome::Checking(_))
            }
            DirectiveBody::Cancel(_) => book.cancels.get(&kept.id).is_some_and(|cancel| cancel.done.is_some()),
            _ => false,
        }
    }

    /// The site was restored: what the backend may not have gets a place behind all that it has.
    fn place_again(&mut self, acknowledged: Cursor) {
        let goes =
            |cursor: Cursor, kept: &Kept| again(kept.body.kind(), cursor <= acknowledged, self.is_answered(kept));
        let places = self.disk.stored.iter().filter(|(cursor, kept)| goes(**cursor, kept));
        for place in places.map(|(cursor, _)| *cursor).collect::<Vec<_>>() {
            let mut kept = self.disk.stored.remove(&place).unwrap();
            let cursor = self.disk.line.take();
            kept.text = sign_again(&kept.text, &key(2, "site-1"), cursor, kept.expires_at).unwrap();
            self.disk.stored.insert(cursor, kept);
        }
    }

    /// Staff confirm the epoch that was proposed.
    pub fn confirm(&mut self) {
        let Some(fact) = self.proposed.take() else { return };
        let chain = Chain(self.disk.chain(), self.disk.epoch);
        let hash_at = |seq| Stored::hash_at(&chain, seq);
        let former = Former { epoch: self.disk.epoch, head: Stored::head(&chain), hash_at: &hash_at };
        let proposed = proposal(&north(), Some(&former), &self.disk.keys, &fact).unwrap();
        self.disk.epoch = proposed.opened.epoch;
        self.disk.keys = proposed.keys;
    }

    fn refuse(&self, refused: CallRefused) -> Response<Bytes> {
        let mut answer = Response::builder().status(refused.code.status());
        if let (RefusalCode::Unavailable, Some(seconds)) = (refused.code, self.busy) {
            answer = answer.header("Retry-After", seconds);
        }
        answer.body(to_text(&refused).unwrap().into()).unwrap()
    }

    fn code(&self, code: RefusalCode) -> Response<Bytes> {
        self.refuse(CallRefused::new(code))
    }

    fn not_holder(&mut self, why: NotHolder) -> Response<Bytes> {
        self.superseded += u32::from(why == NotHolder::Superseded);
        self.code(match why {
            NotHolder::AlreadyConnected => RefusalCode::AlreadyConnected,
            NotHolder::Superseded => RefusalCode::Superseded,
            NotHolder::HelloFirst => RefusalCode::HelloFirst,
        })
    }

    pub fn answer(&mut self, request: &Request<Bytes>, now: Moment) -> Reply {
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header(VERSION_HEADER).unwrap(), "1.0");
        header(REQUEST_HEADER).unwrap().parse::<Ulid>().unwrap();
        assert_eq!(request.uri().host(), Some("jobs.example.org"));
        let path = request.uri().path().strip_prefix(BASE).unwrap().to_owned();
        *self.calls.entry(path.clone()).or_default() += 1;
        let token = header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        if !self.tokens.contains(&token) {
            return Reply::Now(self.code(RefusalCode::Unauthorised));
        }
        if self.tokens.last() == Some(&token) {
            self.tokens = vec![token];
        }
        if self.busy.is_some() {
            return Reply::Now(self.code(RefusalCode::Unavailable));
        }
        let boot: Ulid = header(BOOT_HEADER).unwrap().parse().unwrap();
        if path == "hello" {
            return Reply::Now(self.hello(request.body(), &boot, now));
        }
        if let Err(why) = self.lease.call(&boot, now) {
            return Reply::Now(self.not_holder(why));
        }
        let ok = |text: String| Reply::Now(Response::new(text.into()));
        let none = || Reply::Now(Response::builder().status(StatusCode::NO_CONTENT).body(Bytes::new()).unwrap());
        let query: BTreeMap<&str, u64> = request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('=').map(|(name, value)| (name, value.parse().unwrap())))
            .collect();
        match (request.method(), path.as_str()) {
            (&Method::GET, "directives") => match self.disk.line.poll(query["after"].try_into().unwrap()) {
                Poll::Wait => Reply::Hold(query["wait"]),
                Poll::From(from) => {
                    let after = query["after"].try_into().unwrap();
                    let missing = self.disk.line.missing(after, 3, |cursor| self.disk.stored.contains_key(&cursor));
                    for cursor in missing {
                        let revision = self.disk.revision.try_into().unwrap();
                        self.put(cursor, RightsChanged { users: Default::default(), revision }.into(), now);
                    }
                    let waiting: Vec<&str> = self.disk.stored.range(from..).map(|(_, one)| one.text.as_str()).collect();
                    let count = Line::answer(waiting.iter().map(|text| text.len())).min(3);
                    ok(write_answer(waiting[..count].iter().copied()))
                }
            },
            (&Method::POST, "facts") => Reply::Now(self.facts(request.body())),
            (&Method::POST, "gauges") => {
                let gauges: Gauges = from_bytes(request.body()).unwrap();
                if self.gauges.as_ref().is_none_or(|shown| gauges.replaces(shown)) {
                    self.gauges = Some(gauges);
                }
                none()
            }
            (&Method::GET, "people") if query["after"] >= self.disk.revision => none(),
            (&Method::GET, "people") => {
                let revision = self.disk.revision.try_into().unwrap();
                let roster = Roster { users: Default::default(), workspaces: BTreeMap::new(), revision };
                ok(to_text(&roster).unwrap())
            }
            other => panic!("no such call: {other:?}"),
        }
    }

    fn hello(&mut self, body: &[u8], boot: &Ulid, now: Moment) -> Response<Bytes> {
        let hello: BackendHello = from_bytes(body).unwrap();
        assert_eq!(hello.boot, *boot);
        if let Err(why) = self.lease.hello(boot, hello.take_over.is_some(), now) {
            return self.not_holder(why);
        }
        let chain = Chain(self.disk.chain(), self.disk.epoch);
        let theirs = Place { seq: hello.head.seq, hash: hello.head.hash.clone() };
        if hello::at_site(&chain, hello.epoch, &theirs) == Found::ChainConflict {
            self.conflicts += 1;
            return self.code(RefusalCode::ChainConflict);
        }
        let head = Stored::head(&chain);
        let (stored, acknowledged) = (&self.disk.stored, self.disk.line.acknowledged());
        let at = |cursor| stored.get(&cursor).map(|one| one.id.clone());
        match self.disk.line.hello(hello.directive_cursor, hello.directive_id.as_ref(), at) {
            LineFound::SiteRestored => {
                self.disk.book.recovering = true;
                self.place_again(acknowledged);
            }
            LineFound::Agrees => {}
            LineFound::TooFar => {
                self.broken.get_or_insert(format!("no honest backend is so far: {hello:?}"));
            }
        }
        self.met = true;
        let answer = SiteHello {
            version: "1.0".parse().unwrap(),
            features: Default::default(),
            head: EpochPlace { epoch: self.disk.epoch, seq: head.seq, hash: head.hash },
            directive_cursor: self.disk.line.last(),
            now,
            limits: SendLimits {
                facts: self.limits.0.try_into().unwrap(),
                bytes: self.limits.1.try_into().unwrap(),
                wait: 55.try_into().unwrap(),
            },
            people_revision: self.disk.revision.try_into().unwrap(),
        };
        Response::new(to_text(&answer).unwrap().into())
    }

    fn facts(&mut self, body: &[u8]) -> Response<Bytes> {
        let facts = intake::read_batch(body).unwrap();
        let sender = Sender { backend: north(), epoch: self.disk.epoch, keys: self.disk.keys.clone() };
        let chain = Chain(self.disk.chain(), self.disk.epoch);
        let first = facts[0].clone();
        let taken = intake::take_in(&sender, &chain, facts);
        let intake = match taken {
            Ok(intake) => intake,
            Err(refused) => {
                if matches!(refused, FactsRefused::WrongEpoch { sent, open } if sent == open.next()) {
                    let hash_at = |seq| Stored::hash_at(&chain, seq);
                    let former = Former { epoch: self.disk.epoch, head: Stored::head(&chain), hash_at: &hash_at };
                    if proposal(&north(), Some(&former), &self.disk.keys, &first).is_ok() {
                        self.proposed = Some(first);
                    }
                }
                self.conflicts += u32::from(matches!(refused, FactsRefused::ChainConflict { .. }));
                return self.refuse(CallRefused::from(&refused));
            }
        };
        self.disk.keys = intake.keys;
        for taken in intake.new {
            let content = taken.content.unwrap();
            if let Err(why) = self.disk.book.apply(&content) {
                self.disk.apart.push((taken.fact.text().to_owned(), why));
            }
            self.disk.chains.entry(self.disk.epoch).or_default().push(taken.fact);
        }
        Response::new(to_text(&intake.answer).unwrap().into())
    }
}

pub fn held(site: &Shared) -> MutexGuard<'_, Site> {
    site.lock().unwrap()
}

/// One call at the site: answered at once, or held as a poll is. None if the process died meanwhile.
pub async fn serve(site: &Shared, request: Request<Bytes>, now: impl Fn() -> Moment) -> Option<Response<Bytes>> {
    let (life, wake) = {
        let site = held(site);
        (site.life, site.wake.clone())
    };
    let begun = tokio::time::Instant::now();
    loop {
        let woken = wake.notified();
        let hold = {
            let mut site = held(site);
            if site.life != life || !site.up {
                return None;
            }
            match site.answer(&request, now()) {
                Reply::Now(answer) => return Some(answer),
                Reply::Hold(seconds) => seconds,
            }
        };
        let until = begun + Duration::from_secs(hold);
        if tokio::time::timeout_at(until, woken).await.is_err() {
            let same = held(site).life == life;
            let none = Response::builder().status(StatusCode::NO_CONTENT).body(Bytes::new());
            return same.then(|| none.unwrap());
        }
    }
}
