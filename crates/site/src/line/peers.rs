//! What is known of each backend's connection now: who writes for it, its gauges, its last call. Kept in memory alone.
//! Spec protocol.md 2 (lease, tries), 6, 11 (calls per second).

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::gauges::Gauges;
use protocol::keys::{PublicKey, SigningKey};
use protocol::lease::{Lease, NotHolder};
use protocol::text::ids::Ulid;
use tokio::sync::Notify;

use super::alarm::Alarm;
use super::key::{self, KeyError};
use super::send::Sent;
use crate::access::Prefix;
use crate::clock::{self, moment};
use crate::store::ids::BackendId;

/// Wrong tokens or codes from one address.
const TRIES: usize = 20;
const TRIES_WINDOW: i64 = 15 * 60 * 1_000_000;
/// Addresses remembered at most: a flood from many is no flood of memory.
const ADDRESSES: usize = 10_000;
/// Calls of one backend: so many a second, so many at once.
const PER_SECOND: f64 = 50.0;
const BURST: f64 = 200.0;

/// The connections of backends, and the key that signs what goes down them.
#[derive(Debug)]
pub struct Lines {
    key: SigningKey,
    opened_at: i64,
    peers: Mutex<HashMap<BackendId, Arc<Peer>>>,
    tries: Mutex<HashMap<Prefix, VecDeque<i64>>>,
}

/// The connection of one backend.
#[derive(Debug, Default)]
pub struct Peer {
    pub(super) wake: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lease: Lease,
    seen: Seen,
    noted: i64,
    bucket: Option<(i64, f64)>,
    alarms: HashMap<Alarm, i64>,
    /// Tries at what is another backend's.
    foreign: u64,
}

/// What a backend told last, for pages.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// When it called last, by the site's clock, since this process began.
    pub contact: Option<i64>,
    /// Its last gauges.
    pub gauges: Option<Arc<Gauges>>,
    /// When these came.
    pub gauges_at: Option<i64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lines {
    /// Nobody is connected. The key is read from the data folder, or made there.
    ///
    /// # Errors
    /// The key cannot be read or made.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        Ok(Self { key: key::open(folder)?, opened_at: clock::now(), peers: Mutex::default(), tries: Mutex::default() })
    }

    /// The site's key by which backends know its orders.
    pub fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// When this process began. What was put into a line before may have been seen by a backend although nothing says so,
    /// for the site may have been restored from an older copy.
    pub(crate) fn opened_at(&self) -> i64 {
        self.opened_at
    }

    /// The connection of a backend.
    pub fn peer(&self, backend: BackendId) -> Arc<Peer> {
        lock(&self.peers).entry(backend).or_default().clone()
    }

    /// What a backend told last.
    pub fn seen(&self, backend: BackendId) -> Seen {
        lock(&self.peers).get(&backend).map(|peer| lock(&peer.state).seen.clone()).unwrap_or_default()
    }

    /// Tells the backend's open poll that there is a new directive. Called after the commit.
    pub fn wake(&self, sent: &Sent) {
        self.wake_backend(sent.backend);
    }

    /// The same, whoever put it there.
    pub(crate) fn wake_backend(&self, backend: BackendId) {
        self.peer(backend).wake.notify_waiters();
    }

    /// Ends every open poll: the site stops.
    pub(crate) fn wake_all(&self) {
        lock(&self.peers).values().for_each(|peer| peer.wake.notify_waiters());
    }

    /// Whether this address tried too often.
    pub(super) fn is_blocked(&self, address: &Prefix, now: i64) -> bool {
        let mut tries = lock(&self.tries);
        let Some(times) = tries.get_mut(address) else { return false };
        times.retain(|time| *time > now - TRIES_WINDOW);
        times.len() >= TRIES
    }

    /// A wrong token or code came from there.
    pub(super) fn bad_try(&self, address: Prefix, now: i64) {
        let mut tries = lock(&self.tries);
        if tries.len() >= ADDRESSES {
            tries.retain(|_, times| times.back().is_some_and(|time| *time > now - TRIES_WINDOW));
        }
        if tries.len() < ADDRESSES || tries.contains_key(&address) {
            let times = tries.entry(address).or_default();
            times.push_back(now);
            while times.len() > TRIES {
                times.pop_front();
            }
        }
    }
}

impl Peer {
    pub(super) fn hello(&self, boot: &Ulid, take_over: bool, now: i64) -> Result<(), NotHolder> {
        lock(&self.state).lease.hello(boot, take_over, moment(now))?;
        // A poll of the process that was taken over learns of it.
        self.wake.notify_waiters();
        Ok(())
    }

    pub(super) fn call(&self, boot: &Ulid, now: i64) -> Result<(), NotHolder> {
        lock(&self.state).lease.call(boot, moment(now))
    }

    /// Notes a call. Whether it is one too many, and whether the contact is to be written down: not at every call.
    pub(super) fn touch(&self, now: i64) -> (bool, bool) {
        let mut state = lock(&self.state);
        let (then, left) = state.bucket.unwrap_or((now, BURST));
        #[allow(clippy::cast_precision_loss, reason = "a few seconds in microseconds")]
        let passed = (now - then).max(0) as f64 / 1_000_000.0;
        let left = (left + passed * PER_SECOND).min(BURST);
        let too_many = left < 1.0;
        state.bucket = Some((now, if too_many { left } else { left - 1.0 }));
        state.seen.contact = Some(now);
        let note = now - state.noted >= 60_000_000;
        if note {
            state.noted = now;
        }
        (too_many, note)
    }

    /// Whether this alarm was not raised within the hour; then it is noted.
    pub(super) fn is_new(&self, alarm: Alarm, now: i64) -> bool {
        let mut state = lock(&self.state);
        let new = state.alarms.get(&alarm).is_none_or(|last| now - last >= 3_600_000_000);
        if new {
            state.alarms.insert(alarm, now);
        }
        new
    }

    /// One more try at what is another backend's; how many there were.
    pub(super) fn reached_out(&self) -> u64 {
        let mut state = lock(&self.state);
        state.foreign = state.foreign.saturating_add(1);
        state.foreign
    }

    /// Keeps gauges if they are newer than those shown.
    pub fn gauges(&self, gauges: Gauges, now: i64) -> bool {
        let mut state = lock(&self.state);
        let newer = state.seen.gauges.as_ref().is_none_or(|shown| gauges.replaces(shown));
        if newer {
            state.seen.gauges = Some(Arc::new(gauges));
            state.seen.gauges_at = Some(now);
        }
        newer
    }
}
