//! `hello`: where both sides stand, and what is to be done when they differ.
//! Spec protocol.md 7.1; the table itself is `protocol::hello`.

use http::Method;
use protocol::fact::codes::Yes;
use protocol::fact::envelope::Head;
use protocol::fact::outbox::{BatchLimits, Outbox};
use protocol::hello::{BackendHello, EpochPlace, Found, OwnLog, Place, SiteHello, at_backend};
use protocol::limits::{BATCH_BYTES, FACTS};
use protocol::text::hashes::Sha256Hex;
use protocol::text::whole::{Epoch, Seq};
use protocol::version::{SPOKEN, Version};
use tokio::sync::{Mutex, Notify};

use super::call::{Failed, read};
use super::session::Met;
use super::{Halt, Line};
use crate::log::LogError;
use crate::log::shelf::Standing;

/// What `hello` came to.
#[derive(Debug)]
pub(super) enum Greeting {
    /// Go on.
    Connected(Met),
    /// The operator must act.
    Halted(Halt),
}

/// Which facts a session sends.
#[derive(Debug)]
struct Course {
    epoch: Epoch,
    /// What the site has of it.
    through: Seq,
    /// Where it ends; none of the open one.
    until: Option<Head>,
}

/// This backend's chain, with the one hash that the comparison asks for.
struct Own {
    epoch: Epoch,
    head: Head,
    at: Seq,
    hash: Option<Sha256Hex>,
}

impl OwnLog for Own {
    fn epoch(&self) -> Epoch {
        self.epoch
    }
    fn head(&self) -> Head {
        self.head.clone()
    }
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
        if seq == self.at { self.hash.clone() } else { None }
    }
}

impl Line {
    pub(super) async fn hello(&self, take_over: bool) -> Result<Greeting, Failed> {
        let parts = &self.parts;
        let standing = parts.log.standing().await?;
        let versions: Vec<_> = SPOKEN.iter().filter_map(|version| version.text().ok()).collect();
        let hello = BackendHello {
            versions: versions.try_into().map_err(|_| Failed::Unreadable { status: 426, wait: None })?,
            features: Default::default(),
            program: parts.program.clone(),
            boot: parts.boot.clone(),
            epoch: standing.epoch,
            head: Place { seq: standing.head.seq, hash: standing.head.hash.clone() },
            directive_cursor: standing.inbox.cursor,
            directive_id: standing.inbox.id.clone(),
            now: parts.ground.now(),
            take_over: take_over.then_some(Yes),
        };
        let answer = self.call(Method::POST, "hello", protocol::message::to_text(&hello)?).await?;
        let site: SiteHello = read(&answer)?;
        if Version::agreed(std::slice::from_ref(&site.version)).is_none() {
            return Err(Failed::Unreadable { status: 426, wait: None });
        }
        self.tell_skew(hello.now, &site);
        // Facts told since the message was made do not count: the comparison is of what the site was told.
        let course = match self.course(&standing, &site.head).await? {
            Ok(course) => course,
            Err(halt) => return Ok(Greeting::Halted(halt)),
        };
        self.through.send_replace((course.epoch, course.through));
        let at_most = |said: u64, ours: usize| usize::try_from(said).unwrap_or(ours).clamp(1, ours);
        Ok(Greeting::Connected(Met {
            outbox: Mutex::new(Outbox::new(course.epoch, course.through)),
            epoch: course.epoch,
            until: course.until,
            limits: BatchLimits {
                facts: at_most(site.limits.facts.get(), FACTS),
                bytes: at_most(site.limits.bytes.get(), BATCH_BYTES),
            },
            wait: site.limits.wait.get().clamp(1, 120),
            revision: site.people_revision.get(),
            resend: Notify::new(),
            rights: Notify::new(),
        }))
    }

    /// What facts are to be sent. A site that was restored to before the last epoch gets the rest of the one that it has
    /// open, up to where the next one continues, and then the next one.
    async fn course(&self, standing: &Standing, site: &EpochPlace) -> Result<Result<Course, Halt>, LogError> {
        let log = &self.parts.log;
        let epoch = site.epoch;
        let until = if epoch < standing.epoch { log.ending(epoch).await? } else { None };
        let offered = Course { epoch: epoch.next(), through: Seq::LEAST, until: log.ending(epoch.next()).await? };
        let head = match &until {
            Some(head) => head.clone(),
            None if epoch < standing.epoch => return Ok(Ok(offered)),
            None => standing.head.clone(),
        };
        let hash = log.hash_at(epoch, site.seq).await?;
        let own = Own { epoch: epoch.min(standing.epoch), head, at: site.seq, hash };
        Ok(match at_backend(&own, site) {
            Found::SiteBehind { send_from } => {
                let through = Seq::try_from(send_from.get() - 1).unwrap_or(Seq::LEAST);
                Ok(Course { epoch, through, until })
            }
            Found::Same | Found::BackendRestored if epoch < standing.epoch => Ok(offered),
            Found::Same => Ok(Course { epoch, through: own.head.seq, until }),
            Found::OtherEpoch | Found::BackendRestored => Err(Halt::Restored),
            Found::ChainConflict => Err(Halt::Conflict),
        })
    }

    /// Clocks that differ by more than 5 s are said, by more than 5 min are an alarm (spec protocol.md 10).
    fn tell_skew(&self, sent: protocol::text::time::Moment, site: &SiteHello) {
        let received = self.parts.ground.now().microseconds();
        let middle = sent.microseconds() + (received - sent.microseconds()) / 2;
        let seconds = (site.now.microseconds() - middle) / 1_000_000;
        match seconds.abs() {
            301.. => tracing::error!(seconds, "the site's clock and ours differ by minutes: set this machine's clock"),
            6.. => tracing::warn!(seconds, "the site's clock and ours differ"),
            _ => {}
        }
    }
}
