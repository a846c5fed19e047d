//! Who watches which page, and what is told to them when facts change it.
//! Spec site.md 14. One render for each change, shared by all readers of the page.

mod pace;
mod readers;
mod ring;
mod stream;
mod subject;
mod watched;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::access::Access;
use crate::facts::Changed;
use crate::web::Routes;
use crate::{Opened, Site};

use readers::Readers;
use subject::Subject;
use watched::Watched;

pub use pace::Pace;
pub use ring::{Event, Ring, Since};

/// Logs and other pages of many things that are watched at most: each filter makes a page of its own.
const OVERVIEWS: usize = 1_000;

/// The streams of changes.
pub fn routes() -> Routes {
    use Access::Public;
    Routes::new()
        .get("/events", Public, stream::of_home)
        .get("/status/events", Public, stream::of_status)
        .get("/event-log/events", Public, stream::of_log)
        .get("/orgs/{slug}/logs/events", Public, stream::of_log)
        .get("/users/{name}/logs/events", Public, stream::of_log)
        .get("/{project}/logs/events", Public, stream::of_log)
        .get("/{project}/{workspace}/logs/events", Public, stream::of_log)
        .get("/{project}/{workspace}/events", Public, stream::of_workspace)
        .get("/{project}/{workspace}/{number}/events", Public, stream::of_page)
        .get("/api/v1/job-requests/{request}/events", Public, stream::of_request)
}

/// The readers of open pages.
#[derive(Debug, Default)]
pub struct Hub {
    watched: Mutex<HashMap<Subject, Arc<Watched>>>,
    readers: Arc<Readers>,
    /// The arrival of the last fact that was told.
    arrival: AtomicI64,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// Something changed; called after the commit.
    pub fn tell(&self, changed: &Changed) {
        if let Some(arrival) = changed.arrival {
            self.arrival.fetch_max(arrival, Ordering::AcqRel);
        }
        let watched = lock(&self.watched);
        if watched.is_empty() {
            return;
        }
        for (subject, page) in watched.iter() {
            if subject.concerns(changed) {
                page.dirty.notify_one();
            }
        }
    }

    /// The arrival of the last fact that was told since this process began.
    pub fn arrival(&self) -> i64 {
        self.arrival.load(Ordering::Acquire)
    }

    /// How many streams are open.
    pub fn readers(&self) -> usize {
        self.readers.all()
    }

    /// Ends all streams: the site stops.
    pub(crate) fn stop(&self) {
        for page in lock(&self.watched).values() {
            page.end();
        }
    }

    /// A page, watched from now on; nothing if too many are. Its task ends when nobody reads it any more.
    fn watch(&self, site: &Opened, subject: Subject) -> Option<Arc<Watched>> {
        let mut watched = lock(&self.watched);
        let is_overview = |subject: &Subject| matches!(subject, Subject::Overview(_));
        if is_overview(&subject)
            && !watched.contains_key(&subject)
            && watched.keys().filter(|kept| is_overview(kept)).count() >= OVERVIEWS
        {
            return None;
        }
        let kept = watched.entry(subject.clone()).or_insert_with(|| {
            let page = Arc::new(Watched::new(subject));
            let weak: Weak<Site> = Arc::downgrade(site);
            tokio::spawn(watched::follow(weak, page.clone()));
            page
        });
        // Counted while the map is held, so that the task cannot end in between.
        kept.joined();
        Some(kept.clone())
    }

    /// Forgets a page that nobody reads. False if somebody does.
    fn forget(&self, page: &Watched) -> bool {
        let mut watched = lock(&self.watched);
        if page.is_read() {
            return false;
        }
        watched.remove(&page.subject);
        true
    }
}
