//! A page that somebody watches: drawn anew when something changed, and what differs is sent to all readers.
//! Spec site.md 14.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{Notify, OnceCell, broadcast};
use tokio::time::timeout;

use super::lock;
use super::pace::Pace;
use super::ring::{Event, Ring, Since};
use super::subject::Subject;
use crate::pages::{Drawn, changes};
use crate::store::StoreError;
use crate::{Opened, Site};

/// A page that nobody reads is remembered so long, for readers whose connection broke. One that is read is drawn anew after
/// as long without news: that there are none can be news too.
const LINGER: Duration = Duration::from_secs(60);
/// Changes that a slow reader may be behind; one that is further behind reads the page again.
const BEHIND: usize = 32;

/// One page.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) subject: Subject,
    pub(super) dirty: Notify,
    readers: AtomicUsize,
    first: OnceCell<()>,
    shown: Mutex<Shown>,
    news: broadcast::Sender<News>,
}

/// What readers are told.
#[derive(Debug, Clone)]
pub(super) enum News {
    Event(Event),
    /// Nothing will change any more.
    Done(Event),
    /// The site stops, or the page is gone.
    End,
}

#[derive(Debug, Default)]
struct Shown {
    drawn: Drawn,
    id: i64,
    ring: Ring,
}

/// Where a reader begins.
pub(super) struct Start {
    pub(super) events: Vec<Event>,
    pub(super) is_over: bool,
    pub(super) news: broadcast::Receiver<News>,
}

impl Watched {
    pub(super) fn new(subject: Subject) -> Self {
        Self {
            subject,
            dirty: Notify::new(),
            readers: AtomicUsize::new(0),
            first: OnceCell::new(),
            shown: Mutex::default(),
            news: broadcast::Sender::new(BEHIND),
        }
    }

    pub(super) fn joined(&self) {
        self.readers.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn left(&self) {
        self.readers.fetch_sub(1, Ordering::AcqRel);
    }

    pub(super) fn is_read(&self) -> bool {
        self.readers.load(Ordering::Acquire) > 0
    }

    pub(super) fn end(&self) {
        let _ = self.news.send(News::End);
    }

    /// What a reader gets first: all parts as they are now, or what it missed.
    pub(super) async fn start(&self, site: &Site, last: Option<i64>) -> Result<Start, StoreError> {
        self.first.get_or_try_init(async || self.draw(site).await.map(|_| ())).await?;
        let shown = lock(&self.shown);
        // Registered while the state is held: nothing falls between it and the first news.
        let news = self.news.subscribe();
        let mut events = match last.map(|id| shown.ring.since(id)) {
            None => vec![Event::new("patch", shown.id, &whole(&shown.drawn))],
            Some(Since::Missed(missed)) => missed,
            Some(Since::Unknown) => vec![Event::new("reset", shown.id, "{}")],
        };
        if shown.drawn.is_final {
            events.push(Event::new("done", shown.id, "{}"));
        }
        Ok(Start { events, is_over: shown.drawn.is_final, news })
    }

    /// Draws the page and tells what differs. False once there is nothing more to come.
    async fn draw(&self, site: &Site) -> Result<bool, StoreError> {
        // Before the tables are read: what is read later may only be newer.
        let id = site.hub.arrival();
        let Some(drawn) = self.subject.draw(site).await? else {
            self.end();
            return Ok(false);
        };
        let mut shown = lock(&self.shown);
        let changed = changes(&shown.drawn, &drawn);
        if !changed.is_empty() {
            let list: Vec<_> = changed.iter().map(|(id, html)| json!({"id": id, "html": html.as_str()})).collect();
            let event = Event::new("patch", id, &json!(list).to_string());
            shown.ring.push(event.clone());
            let _ = self.news.send(News::Event(event));
        }
        let is_over = drawn.is_final && !shown.drawn.is_final;
        if is_over {
            let _ = self.news.send(News::Done(Event::new("done", id, "{}")));
        }
        let goes_on = !drawn.is_final;
        shown.drawn = drawn;
        shown.id = id;
        Ok(goes_on)
    }
}

/// All parts of a page.
fn whole(drawn: &Drawn) -> String {
    let parts: Vec<_> = drawn.parts.iter().map(|(id, html)| json!({"id": id, "html": html.as_str()})).collect();
    json!(parts).to_string()
}

/// Draws a page whenever it changed, as often as may be, until nobody reads it.
pub(super) async fn follow(site: Weak<Site>, page: Arc<Watched>) {
    let mut pace = Pace::default();
    loop {
        let woken = timeout(LINGER, page.dirty.notified()).await.is_ok();
        let Some(opened): Option<Opened> = site.upgrade() else { return };
        if !woken && (opened.is_stopping() || opened.hub.forget(&page)) {
            return;
        }
        tokio::time::sleep_until(pace.next(Instant::now()).into()).await;
        pace.sent(Instant::now());
        if let Err(error) = page.draw(&opened).await {
            tracing::warn!(%error, page = ?page.subject, "a watched page cannot be drawn");
        }
    }
}
