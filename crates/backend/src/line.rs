//! The one connection of a backend: opened from inside, to one address; orders come down, facts go up, nothing else.
//! Spec protocol.md 2, 3.2, 4.2, 6, 7. This room holds the only socket to the site and takes only messages of `protocol`.

mod backoff;
pub mod call;
mod errands;
mod gauge;
pub mod ground;
mod hello;
pub mod https;
mod people;
mod poll;
mod send;
mod session;
pub mod transport;

use std::sync::Arc;
use std::time::Duration;

use protocol::calls::RefusalCode;
use protocol::text::ids::Ulid;
use protocol::text::names::ProgramVersion;
use protocol::text::time::Moment;
use protocol::text::whole::{Epoch, Seq};
use tokio::sync::{Mutex, watch};

use crate::desk::{Contact, Readings, Starts};
use crate::identity::Identity;
use crate::log::{Log, LogError};
use backoff::Backoff;
use call::Failed;
use ground::Ground;
use hello::Greeting;
use session::End;
use transport::Transport;

/// What a line is made of.
#[derive(Debug)]
pub struct Parts {
    /// The backend's record.
    pub log: Arc<Log>,
    /// Its key and token.
    pub identity: Arc<Identity>,
    /// The way out.
    pub transport: Arc<dyn Transport>,
    /// Clock and chance.
    pub ground: Arc<dyn Ground>,
    /// The site: scheme, host and port.
    pub site: http::Uri,
    /// Of this program.
    pub program: ProgramVersion,
    /// This process start.
    pub boot: Ulid,
    /// Whether this process ends another one that is connected.
    pub take_over: bool,
    /// Whether gauges leave out pools, queue and disk.
    pub minimal_gauges: bool,
    /// For how long without contact jobs may start, in seconds.
    pub offline_start: i64,
}

/// The connection half of a backend.
#[derive(Debug)]
pub struct Line {
    parts: Parts,
    readings: watch::Receiver<Readings>,
    contact: watch::Sender<Contact>,
    /// The epoch whose facts the site found damaged: none of it is sent again by this process.
    halted: Mutex<Option<Epoch>>,
    /// How far the site is known to have the facts.
    through: watch::Sender<(Epoch, Seq)>,
}

/// Why the connection is at rest. Told to the operator; every one ends without a restart when its cause is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// 409 `superseded`.
    #[error("another process of this backend took over; this one starts no more jobs. End it")]
    Superseded,
    /// The site has facts of this backend that this backend has not.
    #[error(
        "the site knows facts that this backend does not: it was restored from an older copy. No job starts. Restore a newer \
         copy, or open a new epoch with `cloister backend new-epoch --reason restored`"
    )]
    Restored,
    /// The two histories differ.
    #[error(
        "site and backend hold different histories of this backend. No job starts. Find out with the site's staff which one \
         is right; only `cloister backend new-epoch` goes on"
    )]
    Conflict,
}

impl Line {
    /// A line that is not connected yet.
    ///
    /// # Errors
    /// The record cannot be read.
    pub async fn new(parts: Parts, readings: watch::Receiver<Readings>) -> Result<Self, LogError> {
        let last = parts.log.standing().await?.heard;
        parts.log.wait(true);
        let contact = Contact { last, connected: false, starts: Starts::Allowed };
        let through = watch::Sender::new((Epoch::LEAST, Seq::LEAST));
        Ok(Self { parts, readings, contact: watch::Sender::new(contact), halted: Mutex::new(None), through })
    }

    /// How the connection is.
    pub fn contact(&self) -> watch::Receiver<Contact> {
        self.contact.subscribe()
    }

    /// Returns when the site has every fact that was told, for as long as nothing new is told.
    pub async fn settled(&self) {
        let head = self.parts.log.told().borrow().clone();
        let mut through = self.through.subscribe();
        if through.wait_for(|place| *place >= (head.epoch, head.seq)).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Keeps up the connection until told to stop; returns only then, or when the record cannot be written.
    ///
    /// # Errors
    /// The record cannot be read or written: nothing may be received or sent then.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), LogError> {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => Ok(()),
            failed = self.connect_for_ever() => failed,
            never = self.watch_offline() => match never {},
        }
    }

    async fn connect_for_ever(&self) -> Result<(), LogError> {
        let mut backoff = Backoff::new(self.parts.ground.clone());
        let mut take_over = self.parts.take_over;
        loop {
            let begun = tokio::time::Instant::now();
            let end = match self.hello(take_over).await {
                Ok(Greeting::Connected(met)) => {
                    // Said once: a later process must be able to take over from this one.
                    take_over = false;
                    self.parts.log.wait(false);
                    self.contact.send_modify(|contact| contact.starts = Starts::Allowed);
                    self.session(met).await
                }
                Ok(Greeting::Halted(halt)) => End::Halt(halt),
                Err(failed) => End::of_hello(failed),
            };
            if begun.elapsed() > Duration::from_secs(10) {
                backoff.reset();
            }
            match end {
                End::Fatal(error) => return Err(error),
                End::Halt(halt) => self.rest(halt).await,
                End::Lost { worked, wait, why } => {
                    tracing::warn!(%why, "no connection to the site");
                    let elsewhere = matches!(&why, Failed::Refused { refused, .. }
                        if refused.code == RefusalCode::AlreadyConnected);
                    self.contact.send_modify(|contact| {
                        contact.connected = false;
                        if elsewhere {
                            contact.starts = Starts::Elsewhere;
                        }
                    });
                    if worked {
                        backoff.reset();
                    }
                    backoff.wait(wait).await;
                }
                End::Again => backoff.wait(None).await,
            }
        }
    }

    /// Waits until the operator or the site may have changed what stands against a connection.
    async fn rest(&self, halt: Halt) {
        tracing::error!(%halt, "the connection rests");
        self.parts.log.wait(true);
        self.contact.send_modify(|contact| {
            contact.starts = if halt == Halt::Superseded { Starts::Elsewhere } else { Starts::Stopped };
            contact.connected = false;
        });
        if halt == Halt::Superseded {
            // For good: only a new process start may come back.
            std::future::pending::<()>().await;
        }
        let epoch = self.parts.log.told().borrow().epoch;
        let mut told = self.parts.log.told();
        let renewed = async {
            if told.wait_for(|place| place.epoch != epoch).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        // The site may have been put right as well.
        let _ = tokio::time::timeout(Duration::from_secs(60), renewed).await;
    }

    /// Notes that the site answered, whatever it said.
    async fn heard(&self, at: Moment) -> Result<(), LogError> {
        self.contact.send_modify(|contact| {
            contact.last = Some(at);
            contact.connected = true;
            if contact.starts == Starts::Offline {
                contact.starts = Starts::Allowed;
            }
        });
        self.parts.log.heard(at).await
    }

    /// Starts end `offline_start` after the last contact, or after the first start of a backend that never had any.
    async fn watch_offline(&self) -> std::convert::Infallible {
        let limit = self.parts.offline_start.max(60).saturating_mul(1_000_000);
        let begun = self.parts.ground.now();
        let mut contact = self.contact.subscribe();
        loop {
            let last = contact.borrow_and_update().last.unwrap_or(begun);
            let gone = self.parts.ground.now().microseconds().saturating_sub(last.microseconds());
            if gone >= limit {
                self.contact.send_if_modified(|contact| {
                    let late = contact.starts == Starts::Allowed && contact.last.unwrap_or(begun) == last;
                    if late {
                        tracing::error!(
                            "no contact for longer than `offline_start`: no job starts until the site answers"
                        );
                        contact.starts = Starts::Offline;
                    }
                    late
                });
            }
            // Looked at again at least each hour: clocks can be set.
            let left = u64::try_from(limit.saturating_sub(gone)).unwrap_or(0).clamp(1_000_000, 3_600_000_000);
            let _ = tokio::time::timeout(Duration::from_micros(left), contact.changed()).await;
        }
    }
}

impl From<LogError> for Failed {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}
