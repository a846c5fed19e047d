//! A backend as one thing: opened from its settings, run until told to stop. Line and desk share the log and nothing else.
//! Spec protocol.md 2, 7; ARCHITECTURE.md.

use std::sync::Arc;
use std::time::Duration;

use protocol::fact::backend::DataKind;
use protocol::text::ids::Ulid;
use protocol::text::names::ProgramVersion;
use protocol::text::time::Moment;
use tokio::sync::watch;

use crate::desk::{Desk, DeskFailed, Office, Readings};
use crate::identity::{BadIdentity, Identity};
use crate::line::ground::{Ground, System};
use crate::line::transport::Transport;
use crate::line::{Line, Parts};
use crate::log::{Beginning, Log, LogError, Who};
use crate::orders::{Machine, Rules};
use crate::settings::{Data, Settings};
use crate::work::WorkDesk;

/// For how long the site is offered what was told while the backend ended.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A backend that is ready to run.
pub struct Agent {
    identity: Arc<Identity>,
    log: Arc<Log>,
    line: Line,
    desk: Arc<dyn Desk>,
    readings: watch::Sender<Readings>,
}

/// What an operator says at the start beside the settings.
#[derive(Debug, Clone)]
pub struct Start {
    /// Ends another process of this backend that is connected.
    pub take_over: bool,
    /// Clock and chance.
    pub ground: Arc<dyn Ground>,
}

impl Default for Start {
    fn default() -> Self {
        Self { take_over: false, ground: Arc::new(System) }
    }
}

/// A backend that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// Its identity.
    #[error(transparent)]
    Identity(#[from] BadIdentity),
    /// Its record.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The program's own version is not in the form of the protocol.
    #[error("this program's version is not three numbers with points: it was not built as a release is")]
    Version,
}

/// Makes a new signing key and lets the chain say so, signed by the old one. The backend must not be running. Each of the three
/// steps can be repeated after a kill, and the next start goes on from any of them.
///
/// # Errors
/// Not enrolled, held by a running backend, or a file that cannot be used.
pub async fn rotate_key(settings: &Settings, ground: &dyn Ground) -> Result<Identity, CannotOpen> {
    let identity = Identity::read(&settings.folders.state, &settings.slug)?;
    // A key that was begun before is finished, and is the new one.
    identity.prepare_key()?;
    let log = Log::open(&settings.folders.state, who(&identity)?).await?;
    log.change_key(ground.now()).await?;
    identity.settle_key()?;
    Ok(Identity::read(&settings.folders.state, &settings.slug)?)
}

/// As whom its log is opened.
pub(crate) fn who(identity: &Identity) -> Result<Who, BadIdentity> {
    let (backend, key) = (identity.backend().clone(), identity.signing_key()?);
    Ok(Who { backend, key, next: identity.next_key(), site: identity.site_keys().clone() })
}

/// This program's version.
pub(crate) fn program() -> Result<ProgramVersion, CannotOpen> {
    env!("CARGO_PKG_VERSION").parse().map_err(|_| CannotOpen::Version)
}

/// What the first fact of an epoch says of a backend with these settings.
pub(crate) fn beginning(settings: &Settings, at: Moment, version: ProgramVersion) -> Beginning {
    let data_kind = match settings.data {
        Data::Dummy => DataKind::Synthetic,
    };
    Beginning { at, data_kind, flavour: settings.flavour, version }
}

/// What ends a backend that was not told to stop.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The record cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The work half.
    #[error(transparent)]
    Desk(#[from] DeskFailed),
}

impl Agent {
    /// Opens the backend of the settings with the desk that goes by them, on this machine, in this runtime.
    ///
    /// # Errors
    /// Not enrolled, or a file that cannot be used; nothing was started then.
    pub async fn open(
        settings: &Settings,
        transport: Arc<dyn Transport>,
        machine: Machine,
        runtime: Arc<dyn sandbox::Runtime>,
        start: Start,
    ) -> Result<Self, CannotOpen> {
        let desk = Arc::new(WorkDesk::new(Rules::of(settings, machine), runtime));
        Self::with(settings, transport, desk, start).await
    }

    /// Opens identity and record and ties them to a desk.
    ///
    /// # Errors
    /// Not enrolled, or a file that cannot be used; nothing was started then.
    pub async fn with(
        settings: &Settings,
        transport: Arc<dyn Transport>,
        desk: Arc<dyn Desk>,
        start: Start,
    ) -> Result<Self, CannotOpen> {
        let program = program()?;
        let identity = Arc::new(Identity::read(&settings.folders.state, &settings.slug)?);
        let log = Arc::new(Log::open(&settings.folders.state, who(&identity)?).await?);
        if let (0, Some((at, message))) = (log.standing().await?.sent.0, identity.enrolment()) {
            log.leaves(at, "POST enrol", message.as_bytes()).await?;
        }
        let now = start.ground.now();
        if log.key_changed().await? {
            // A rotation that was killed before its last step. This start signs with the right key either way.
            identity.settle_key()?;
        }
        log.begin(&beginning(settings, now, program.clone())).await?;
        let milliseconds = u64::try_from(now.microseconds() / 1000).unwrap_or(0);
        let readings = watch::Sender::new(Readings::default());
        let parts = Parts {
            log: log.clone(),
            identity: identity.clone(),
            transport,
            boot: Ulid::from_parts(milliseconds, start.ground.random()),
            ground: start.ground,
            site: settings.site.url.clone(),
            program,
            take_over: start.take_over,
            minimal_gauges: settings.site.minimal_gauges,
            offline_start: settings.site.offline_start,
        };
        let line = Line::new(parts, readings.subscribe()).await?;
        Ok(Self { identity, log, line, desk, readings })
    }

    /// Who it is to the site.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its record.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// How its connection is.
    pub fn contact(&self) -> watch::Receiver<crate::desk::Contact> {
        self.line.contact()
    }

    /// Runs until told to stop. The desk ends first; what it tells while it ends is still offered to the site for a moment.
    ///
    /// # Errors
    /// What ended one half: the other one is ended too, as for a restart.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<(), Ended> {
        let ending = watch::Sender::new(false);
        let office = Office {
            log: self.log.clone(),
            contact: self.line.contact(),
            readings: self.readings.clone(),
            stop: ending.subscribe(),
        };
        // The line ends by being dropped: nothing of it is lost then.
        let never = watch::Sender::new(false);
        let line = self.line.run(never.subscribe());
        let desk = self.desk.run(office);
        tokio::pin!(line, desk);
        let told = async {
            if stop.wait_for(|stop| *stop).await.is_err() {
                // Nobody is left who could say so.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = told => {}
            failed = &mut line => {
                ending.send_replace(true);
                let ended = desk.await;
                return failed.map_err(Ended::from).and(ended.map_err(Ended::from));
            }
            failed = &mut desk => return Ok(failed?),
        }
        ending.send_replace(true);
        let ended = tokio::select! {
            biased;
            ended = &mut desk => ended,
            failed = &mut line => {
                failed?;
                desk.await
            }
        };
        tokio::select! {
            biased;
            failed = &mut line => failed?,
            _ = tokio::time::timeout(LAST_WORDS, self.line.settled()) => {}
        }
        Ok(ended?)
    }
}
