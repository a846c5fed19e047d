//! The record on the disk in a time that is paused: the clock stands while the disk works. tokio moves a paused clock on
//! whenever nothing can run but a timer, and does not see the thread of SQLite; a blocking task of its own it sees.

use std::path::Path;

use backend::log::egress::Sent;
use backend::log::shelf::{Change, Entry, Shelf, Soon, Standing};
use backend::log::{LogError, Sqlite};
use protocol::people::Roster;
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::{RequestId, Ulid};
use protocol::text::whole::{Cursor, Epoch, Seq};

#[derive(Debug)]
pub struct Steady(Sqlite);

/// Runs a piece of work while the clock stands.
async fn still<T>(work: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
    let (done, wait) = std::sync::mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || wait.recv().is_ok());
    let answer = work.await;
    drop(done);
    answer
}

impl Steady {
    pub async fn open(path: &Path) -> Self {
        Self(still(Sqlite::open(path)).await.unwrap())
    }
}

impl Shelf for Steady {
    fn standing(&self) -> Soon<'_, Standing> {
        Box::pin(still(self.0.standing()))
    }
    fn commit(&self, change: Change) -> Soon<'_, ()> {
        Box::pin(still(self.0.commit(change)))
    }
    fn knows<'a>(&'a self, source: &'a str) -> Soon<'a, bool> {
        Box::pin(still(self.0.knows(source)))
    }
    fn facts(&self, epoch: Epoch, from: Seq, most: usize) -> Soon<'_, Vec<String>> {
        Box::pin(still(self.0.facts(epoch, from, most)))
    }
    fn hash_at(&self, epoch: Epoch, seq: Seq) -> Soon<'_, Option<Sha256Hex>> {
        Box::pin(still(self.0.hash_at(epoch, seq)))
    }
    fn waiting(&self) -> Soon<'_, Vec<Entry>> {
        Box::pin(still(self.0.waiting()))
    }
    fn at(&self, cursor: Cursor) -> Soon<'_, Option<Entry>> {
        Box::pin(still(self.0.at(cursor)))
    }
    fn by_id<'a>(&'a self, id: &'a Ulid) -> Soon<'a, Option<Entry>> {
        Box::pin(still(self.0.by_id(id)))
    }
    fn orders<'a>(&'a self, request: &'a RequestId) -> Soon<'a, Vec<Entry>> {
        Box::pin(still(self.0.orders(request)))
    }
    fn roster(&self) -> Soon<'_, Option<Roster>> {
        Box::pin(still(self.0.roster()))
    }
    fn sent(&self, from: u64, most: usize) -> Soon<'_, Vec<Sent>> {
        Box::pin(still(self.0.sent(from, most)))
    }
}
