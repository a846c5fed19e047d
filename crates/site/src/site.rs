//! One running site: what all handlers share, and how it begins.
//! Spec site.md 17.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Settings;
use crate::access::Gate;
use crate::clock::Clock;
use crate::line::{KeyError, Lines};
use crate::live::Hub;
use crate::mirror::{CannotOpen, Mirrors};
use crate::settings::BadSettings;
use crate::store::{Store, StoreError};

/// What handlers share.
#[derive(Debug)]
pub struct Site {
    /// Decided by the operator.
    pub settings: Settings,
    /// The tables.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Who asks how often.
    pub gate: Gate,
    /// Code of studies.
    pub mirrors: Mirrors,
    /// What public pages keep of project.yaml files.
    pub memory: crate::pages::Memory,
    /// The connections of backends: who holds one, what it told last, who waits for orders.
    pub line: Lines,
    /// Who watches which page.
    pub hub: Hub,
    /// Whether it could serve a moment ago.
    pub health: crate::web::Health,
    stopping: AtomicBool,
}

/// A site that is ready.
pub type Opened = Arc<Site>;

/// Why a site cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// It would not be safe.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// Its data folder cannot be made or used.
    #[error("the folder {path} cannot be used: {source}")]
    Data {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its certificate.
    #[error("the certificate {certificate} or its key cannot be used: {source}")]
    Certificate {
        /// The file.
        certificate: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its mirrors.
    #[error(transparent)]
    Mirrors(#[from] CannotOpen),
    /// The key that signs its orders.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its address.
    #[error("cannot listen on {address}: {source}; another program may have the port, choose one with --listen")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The server ended.
    #[error("the server failed: {0}")]
    Serve(std::io::Error),
}

impl Site {
    /// Opens, or begins, a site.
    ///
    /// # Errors
    /// Its folder or database cannot be used.
    pub async fn open(settings: Settings) -> Result<Opened, SiteError> {
        let settings = settings.checked()?;
        std::fs::create_dir_all(&settings.data)
            .map_err(|source| SiteError::Data { path: settings.data.clone(), source })?;
        let store = Store::limited(&settings.database(), settings.times.query).await?;
        let gate = Gate::new(settings.rates);
        let mirrors = Mirrors::open(&settings)?;
        let line = Lines::open(&settings.data)?;
        Ok(Arc::new(Self {
            settings,
            store,
            clock: Clock::default(),
            gate,
            memory: crate::pages::Memory::default(),
            line,
            hub: Hub::default(),
            health: crate::web::Health::default(),
            mirrors,
            stopping: AtomicBool::new(false),
        }))
    }

    /// Ends what would be held open: polls and streams. New ones are answered at once.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.line.wake_all();
        self.hub.stop();
    }

    /// Whether the site is about to end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
