//! Where the log is kept: one step is stored whole or not at all. Two shelves: SQLite, and memory for tests of delivery.
//! Spec protocol.md 3.2 (1), 4.1, 7.3.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use protocol::directive::inbox::Inbox;
use protocol::fact::envelope::{Fact, Head};
use protocol::people::Roster;
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::{RequestId, Ulid};
use protocol::text::time::Moment;
use protocol::text::whole::{Cursor, Epoch, Seq};

use super::LogError;
use super::egress::Sent;

/// An answer of a shelf.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send + 'a>>;

/// Where line, chain and ledger stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The open epoch.
    pub epoch: Epoch,
    /// The last fact of it.
    pub head: Head,
    /// How far directives are stored.
    pub inbox: Inbox,
    /// How many messages were sent, and the hash of the last one.
    pub sent: (u64, Sha256Hex),
    /// When the site last answered, as far as it was stored: with the next step after it.
    pub heard: Option<Moment>,
}

/// What became of a stored directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not applied yet.
    Waiting,
    /// Applied.
    Applied,
    /// It must not be applied; the site was told.
    Rejected,
    /// Its id was there before.
    Repeated,
}

/// A stored directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub cursor: Cursor,
    /// Its id, if it could be read.
    pub id: Option<Ulid>,
    /// When it came, by the backend's clock.
    pub received_at: Moment,
    /// As the site signed it, in canonical form.
    pub raw: Option<String>,
    /// Of an order: its request.
    pub request: Option<RequestId>,
    /// What became of it.
    pub state: State,
}

/// One step. All of it is stored in one transaction.
#[derive(Debug, Clone)]
pub struct Change {
    /// Where all stands afterwards.
    pub standing: Standing,
    /// Whose facts they are: kept so that they are told once.
    pub source: Option<String>,
    /// New facts.
    pub facts: Vec<Fact>,
    /// New directives.
    pub arrived: Vec<Entry>,
    /// Directives that need nothing any more, and what became of them.
    pub done: Vec<(Cursor, State)>,
    /// A newer roster.
    pub roster: Option<Arc<Roster>>,
    /// A message that is about to be sent.
    pub sent: Option<Sent>,
}

impl Change {
    /// A step that changes nothing yet.
    pub(super) fn to(standing: Standing) -> Self {
        Self {
            standing,
            source: None,
            facts: Vec::new(),
            arrived: Vec::new(),
            done: Vec::new(),
            roster: None,
            sent: None,
        }
    }
}

/// Where the log is kept.
pub trait Shelf: Send + Sync + std::fmt::Debug {
    /// Where all stands.
    fn standing(&self) -> Soon<'_, Standing>;
    /// Stores a step. After an error, or if the answer is not waited for, either all of it is stored or nothing.
    fn commit(&self, change: Change) -> Soon<'_, ()>;
    /// Whether facts of this source were told.
    fn knows<'a>(&'a self, source: &'a str) -> Soon<'a, bool>;
    /// The texts of facts from a place on, at most so many.
    fn facts(&self, epoch: Epoch, from: Seq, most: usize) -> Soon<'_, Vec<String>>;
    /// The hash of a fact.
    fn hash_at(&self, epoch: Epoch, seq: Seq) -> Soon<'_, Option<Sha256Hex>>;
    /// Directives that wait, in the order of the line.
    fn waiting(&self) -> Soon<'_, Vec<Entry>>;
    /// The directive at a place.
    fn at(&self, cursor: Cursor) -> Soon<'_, Option<Entry>>;
    /// The first directive of an id.
    fn by_id<'a>(&'a self, id: &'a Ulid) -> Soon<'a, Option<Entry>>;
    /// The orders of a request that were not rejected, in the order of the line.
    fn orders<'a>(&'a self, request: &'a RequestId) -> Soon<'a, Vec<Entry>>;
    /// The roster.
    fn roster(&self) -> Soon<'_, Option<Roster>>;
    /// Messages sent, from a place on, at most so many.
    fn sent(&self, from: u64, most: usize) -> Soon<'_, Vec<Sent>>;
}
