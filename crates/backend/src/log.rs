//! The backend's own durable record: the line of directives, the chain of facts, the roster, the ledger of what left.
//! Spec protocol.md 3.2, 4.1, 7.3, 9 (d). One file, one writer; a step is stored whole or not at all.

mod begin;
mod directives;
pub mod egress;
mod error;
mod keys;
mod lock;
mod memory;
pub mod shelf;
mod sqlite;
mod tell;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use protocol::directive::envelope::Directive;
use protocol::fact::FactBody;
use protocol::fact::envelope::{Fact, Head};
use protocol::hello::EpochPlace;
use protocol::keys::{Keys, SigningKey};
use protocol::people::Roster;
use protocol::text::hashes::Sha256Hex;
use protocol::text::names::BackendSlug;
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch, Seq};
use tokio::sync::{Mutex, MutexGuard, watch};

pub use begin::{Beginning, ContinueAt};
pub use directives::Noted;
pub use error::LogError;
pub use memory::Memory;
pub use sqlite::Sqlite;
pub use verify::Verified;

use egress::Sent;
use shelf::{Change, Shelf, Standing};

/// What happened, and when.
pub type Told = (Moment, FactBody);

/// Whose log it is: what it signs with, and whose directives count.
#[derive(Debug)]
pub struct Who {
    /// This backend.
    pub backend: BackendSlug,
    /// Signs its facts.
    pub key: SigningKey,
    /// Signs them from the moment at which the chain says so; see [`Log::change_key`].
    pub next: Option<SigningKey>,
    /// The site's keys.
    pub site: Keys,
}

/// The record of one backend. Cheap to share; steps take turns.
#[derive(Debug)]
pub struct Log {
    shelf: Arc<dyn Shelf>,
    who: Who,
    /// Absent while a step is being stored: whoever comes after a step that was dropped reads again.
    held: Mutex<Option<Held>>,
    arrived: watch::Sender<Cursor>,
    told: watch::Sender<EpochPlace>,
    waits: watch::Sender<bool>,
    roster: watch::Sender<Option<Arc<Roster>>>,
    _lock: Option<lock::Lock>,
}

/// What is kept at hand of the shelf.
#[derive(Debug, Clone)]
struct Held {
    standing: Standing,
    waiting: Arc<BTreeMap<Cursor, Arc<Directive>>>,
    /// Which key signs.
    signs: Signs,
}

/// Which of the two keys signs the next fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signs {
    Key,
    Next,
}

/// One writer's turn: a step in the making.
struct Turn<'a> {
    guard: MutexGuard<'a, Option<Held>>,
    waiting: Arc<BTreeMap<Cursor, Arc<Directive>>>,
    signs: Signs,
    change: Change,
}

impl Log {
    /// Opens `backend.sqlite` of the folder of state, making it if it is not there. The folder belongs to this log until
    /// it is dropped.
    ///
    /// # Errors
    /// The folder cannot be used, another process holds it, the file is not ours or is damaged.
    pub async fn open(state: &Path, who: Who) -> Result<Self, LogError> {
        let lock = lock::Lock::take(state)?;
        let shelf = Sqlite::open(&state.join("backend.sqlite")).await?;
        Self::start(Arc::new(shelf), who, Some(lock)).await
    }

    /// A log on a shelf that is at hand, as one in memory.
    ///
    /// # Errors
    /// What it holds is damaged.
    pub async fn on(shelf: Arc<dyn Shelf>, who: Who) -> Result<Self, LogError> {
        Self::start(shelf, who, None).await
    }

    async fn start(shelf: Arc<dyn Shelf>, who: Who, lock: Option<lock::Lock>) -> Result<Self, LogError> {
        let roster = shelf.roster().await?.map(Arc::new);
        let none = EpochPlace { epoch: Epoch::LEAST, seq: Seq::LEAST, hash: Sha256Hex::zero() };
        let log = Self {
            shelf,
            who,
            held: Mutex::new(None),
            arrived: watch::Sender::new(Cursor::LEAST),
            told: watch::Sender::new(none),
            waits: watch::Sender::new(false),
            roster: watch::Sender::new(roster),
            _lock: lock,
        };
        log.check_head().await?;
        log.reject_damaged().await?;
        Ok(log)
    }

    /// Whose log it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Begins a step. Others wait until it is stored or dropped.
    async fn turn(&self) -> Result<Turn<'_>, LogError> {
        let mut guard = self.held.lock().await;
        let held = match guard.take() {
            Some(held) => held,
            None => self.read_again().await?,
        };
        *guard = Some(held.clone());
        Ok(Turn { guard, waiting: held.waiting, signs: held.signs, change: Change::to(held.standing) })
    }

    /// Stores a step, then wakes who waits for it.
    async fn store(&self, turn: Turn<'_>) -> Result<(), LogError> {
        let Turn { mut guard, waiting, signs, change } = turn;
        let after = Held { standing: change.standing.clone(), waiting, signs };
        let roster = change.roster.clone();
        // From here on the shelf alone knows what is the case, until it has answered.
        *guard = None;
        self.shelf.commit(change).await?;
        self.announce(&after.standing);
        *guard = Some(after);
        if let Some(roster) = roster {
            self.roster.send_replace(Some(roster));
        }
        Ok(())
    }

    async fn read_again(&self) -> Result<Held, LogError> {
        let standing = self.shelf.standing().await?;
        let (waiting, _) = self.verified().await?;
        self.announce(&standing);
        let signs = self.signs(&standing).await?;
        Ok(Held { standing, waiting: Arc::new(waiting), signs })
    }

    fn announce(&self, standing: &Standing) {
        let changed = |place: &mut Cursor| std::mem::replace(place, standing.inbox.cursor) != standing.inbox.cursor;
        self.arrived.send_if_modified(changed);
        let head = EpochPlace { epoch: standing.epoch, seq: standing.head.seq, hash: standing.head.hash.clone() };
        self.told.send_if_modified(|place| {
            let changed = *place != head;
            *place = head;
            changed
        });
    }

    /// Wakes when directives were stored; its value is the last cursor.
    pub fn arrived(&self) -> watch::Receiver<Cursor> {
        self.arrived.subscribe()
    }

    /// Wakes when facts were told; its value is the head of the chain.
    pub fn told(&self) -> watch::Receiver<EpochPlace> {
        self.told.subscribe()
    }

    /// Whether what the jobs tell is to wait in their outbox. A line lets it wait until the site has said where the chain
    /// stands: what a backend that was restored adds before that is another history than the site's.
    pub fn wait(&self, yes: bool) {
        self.waits.send_replace(yes);
    }

    /// Whether facts are to wait, as [`Log::wait`] says; it changes.
    pub fn waits(&self) -> watch::Receiver<bool> {
        self.waits.subscribe()
    }

    /// Everybody who has to do with this backend, as the site told it last.
    pub fn roster(&self) -> Option<Arc<Roster>> {
        self.roster.borrow().clone()
    }

    /// Wakes when the roster was replaced.
    pub fn people(&self) -> watch::Receiver<Option<Arc<Roster>>> {
        self.roster.subscribe()
    }

    /// Stores the roster in the place of the one before.
    ///
    /// # Errors
    /// It cannot be stored.
    pub async fn put_roster(&self, roster: Roster) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        turn.change.roster = Some(Arc::new(roster));
        self.store(turn).await
    }

    /// Where line, chain and ledger stand.
    ///
    /// # Errors
    /// The shelf cannot be read.
    pub async fn standing(&self) -> Result<Standing, LogError> {
        Ok(self.turn().await?.change.standing)
    }

    /// The hash of a fact; of place 0, the zeros before the first.
    ///
    /// # Errors
    /// The shelf cannot be read.
    pub async fn hash_at(&self, epoch: Epoch, seq: Seq) -> Result<Option<Sha256Hex>, LogError> {
        if seq == Seq::LEAST { Ok(Some(Sha256Hex::zero())) } else { self.shelf.hash_at(epoch, seq).await }
    }

    /// Facts of an epoch from a place on, at most so many, each as it was once written.
    ///
    /// # Errors
    /// The shelf cannot be read; or one of them is not as it was written, so that neither it nor any behind it may be sent.
    pub async fn facts(&self, epoch: Epoch, from: Seq, most: usize) -> Result<Vec<Fact>, LogError> {
        let mut expected = from;
        let mut facts = Vec::new();
        for text in self.shelf.facts(epoch, from, most).await? {
            let fact = verify::fact(&text, epoch, expected)?;
            expected = expected.next();
            facts.push(fact);
        }
        Ok(facts)
    }

    /// Writes a message into the ledger of what leaves. It is stored before it is sent.
    ///
    /// # Errors
    /// It cannot be stored: then it must not be sent.
    pub async fn leaves(&self, at: Moment, call: &str, bytes: &[u8]) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        let sent = Sent::after(&turn.change.standing.sent, at, call.to_owned(), bytes.to_vec())?;
        turn.change.standing.sent = (sent.seq, sent.hash.clone());
        turn.change.sent = Some(sent);
        self.store(turn).await
    }

    /// Messages that left, from a place of the ledger on (the first is 1), at most so many.
    ///
    /// # Errors
    /// The shelf cannot be read.
    pub async fn sent(&self, from: u64, most: usize) -> Result<Vec<Sent>, LogError> {
        self.shelf.sent(from, most).await
    }

    /// Remembers that the site answered. It is stored with the next step, so that a restart knows it within half a minute.
    pub(crate) async fn heard(&self, at: Moment) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        if let Some(held) = turn.guard.as_mut() {
            held.standing.heard = Some(at);
        }
        Ok(())
    }

    /// The last fact is what the head is taken from: it must be as it was written.
    async fn check_head(&self) -> Result<(), LogError> {
        let Standing { epoch, head, .. } = self.shelf.standing().await?;
        if head == Head::start() {
            return Ok(());
        }
        let last = self.facts(epoch, head.seq, 1).await?;
        match last.first().filter(|last| last.head() == head) {
            // The old key is forgotten once this is told; `verify` looks at its signature from the beginning of the chain.
            Some(last) if last.verify(&self.own_keys()) || self.tells_of_ours(last) => Ok(()),
            _ => Err(LogError::damaged(format!("fact {} of epoch {epoch} is not as it was signed", head.seq))),
        }
    }

    fn own_keys(&self) -> Keys {
        let next = self.who.next.iter();
        std::iter::once(&self.who.key).chain(next).map(|key| (key.id().clone(), key.public())).collect()
    }
}
