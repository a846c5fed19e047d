//! A log in memory: for tests of delivery that live through thousands of kills, and for backends whose end is the end of
//! the process. What it holds can be copied, and so restored to an older state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::directive::inbox::Inbox;
use protocol::fact::envelope::Head;
use protocol::people::Roster;
use protocol::text::hashes::Sha256Hex;
use protocol::text::ids::{RequestId, Ulid};
use protocol::text::whole::{Cursor, Epoch, Seq};

use super::LogError;
use super::egress::Sent;
use super::shelf::{Change, Entry, Shelf, Soon, Standing, State};

/// A shelf in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Held>);

#[derive(Debug, Clone, Default)]
struct Held {
    standing: Option<Standing>,
    sources: BTreeSet<String>,
    facts: BTreeMap<(Epoch, Seq), (Sha256Hex, String)>,
    directives: BTreeMap<Cursor, Entry>,
    roster: Option<Roster>,
    sent: Vec<Sent>,
}

impl Held {
    fn standing(&self) -> Standing {
        let sent = (0, Sha256Hex::zero());
        let new = || Standing { epoch: Epoch::LEAST, head: Head::start(), inbox: Inbox::new(), sent, heard: None };
        self.standing.clone().unwrap_or_else(new)
    }
}

impl Memory {
    /// What it holds now, apart.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Mutex::new(self.held().clone()))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<T: Send + 'static>(&self, answer: impl FnOnce(&mut Held) -> T) -> Soon<'_, T> {
        let answer = answer(&mut self.held());
        Box::pin(async move { Ok(answer) })
    }
}

impl Shelf for Memory {
    fn standing(&self) -> Soon<'_, Standing> {
        self.answer(|held| held.standing())
    }

    fn commit(&self, change: Change) -> Soon<'_, ()> {
        Box::pin(async move {
            // Whoever waits can be dropped before the step or after it, as with a disk.
            tokio::task::yield_now().await;
            self.held().take(change)?;
            tokio::task::yield_now().await;
            Ok(())
        })
    }

    fn knows<'a>(&'a self, source: &'a str) -> Soon<'a, bool> {
        self.answer(|held| held.sources.contains(source))
    }

    fn facts(&self, epoch: Epoch, from: Seq, most: usize) -> Soon<'_, Vec<String>> {
        let to = (epoch.next(), Seq::LEAST);
        self.answer(|held| held.facts.range((epoch, from)..to).take(most).map(|(_, fact)| fact.1.clone()).collect())
    }

    fn hash_at(&self, epoch: Epoch, seq: Seq) -> Soon<'_, Option<Sha256Hex>> {
        self.answer(|held| held.facts.get(&(epoch, seq)).map(|fact| fact.0.clone()))
    }

    fn waiting(&self) -> Soon<'_, Vec<Entry>> {
        self.answer(|held| held.directives.values().filter(|one| one.state == State::Waiting).cloned().collect())
    }

    fn at(&self, cursor: Cursor) -> Soon<'_, Option<Entry>> {
        self.answer(|held| held.directives.get(&cursor).cloned())
    }

    fn by_id<'a>(&'a self, id: &'a Ulid) -> Soon<'a, Option<Entry>> {
        self.answer(|held| {
            let taken = |one: &&Entry| one.id.as_ref() == Some(id) && one.state != State::Rejected;
            held.directives.values().find(taken).cloned()
        })
    }

    fn orders<'a>(&'a self, request: &'a RequestId) -> Soon<'a, Vec<Entry>> {
        self.answer(|held| {
            held.directives.values().filter(|one| one.request.as_ref() == Some(request)).cloned().collect()
        })
    }

    fn roster(&self) -> Soon<'_, Option<Roster>> {
        self.answer(|held| held.roster.clone())
    }

    fn sent(&self, from: u64, most: usize) -> Soon<'_, Vec<Sent>> {
        self.answer(|held| held.sent.iter().filter(|one| one.seq >= from).take(most).cloned().collect())
    }
}

impl Held {
    /// The same refusals as the keys of the tables.
    fn take(&mut self, change: Change) -> Result<(), LogError> {
        let facts: Vec<_> = change.facts.iter().map(|fact| (fact.epoch, fact.seq)).collect();
        if facts.iter().any(|place| self.facts.contains_key(place))
            || change.arrived.iter().any(|one| self.directives.contains_key(&one.cursor))
            || change.source.as_ref().is_some_and(|source| self.sources.contains(source))
        {
            return Err(LogError::damaged("a place is taken twice"));
        }
        self.sources.extend(change.source);
        for (place, fact) in facts.into_iter().zip(&change.facts) {
            self.facts.insert(place, (fact.hash.clone(), fact.text().to_owned()));
        }
        for one in change.arrived {
            self.directives.insert(one.cursor, one);
        }
        for (cursor, state) in change.done {
            if let Some(one) = self.directives.get_mut(&cursor) {
                one.state = state;
            }
        }
        if let Some(roster) = change.roster {
            self.roster = Some((*roster).clone());
        }
        self.sent.extend(change.sent);
        self.standing = Some(change.standing);
        Ok(())
    }
}
