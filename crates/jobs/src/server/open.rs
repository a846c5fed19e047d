//! A backend's records, store and views opened together, and the engine that runs over them.
//! Spec jobs.md 5, 9.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, watch};

use super::publisher::Views;
use super::{Folders, ServerError};
use crate::engine::{Admission, Controls, Event, Feed, Feeder, Rules, RunSettings, View, Workshop, serve};
use crate::lock::Lock;
use crate::state::{State, StateError};
use crate::store::{Durability, Store};

/// A backend that this process runs.
pub struct Server {
    pub(super) shop: Arc<Workshop>,
    pub(super) folders: Folders,
    feeder: Feeder,
    feed: Mutex<Feed>,
    view: watch::Sender<View>,
    _lock: Lock,
}

impl Server {
    /// Takes the lock and opens, or begins, records and store. Call [`Server::recover`] next.
    ///
    /// # Errors
    /// Another process has the lock; a folder, the records or the store cannot be used.
    pub async fn open(
        folders: Folders,
        runtime: Arc<dyn sandbox::Runtime>,
        settings: RunSettings,
        admission: Arc<dyn Admission>,
    ) -> Result<Self, ServerError> {
        folders.make()?;
        let lock = folders.take_lock()?;
        let state = State::open(&folders.records())
            .await
            .map_err(|source| ServerError::of_records(source, &folders))?
            .holding();
        let store = Store::open(&folders.high, Durability::PowerLoss)?;
        let publisher = Arc::new(Views::new(folders.clone()));
        let volumes = folders.volumes();
        let shop = Arc::new(Workshop { state, store, runtime, volumes, settings, publisher, admission });
        let (feeder, feed) = Feeder::new();
        let view = watch::channel(View::default()).0;
        Ok(Self { shop, folders, feeder, feed: Mutex::new(feed), view, _lock: lock })
    }

    /// What jobs run in.
    pub fn workshop(&self) -> &Arc<Workshop> {
        &self.shop
    }

    /// What is true of jobs.
    pub fn state(&self) -> &State {
        &self.shop.state
    }

    /// Where things are.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The way into the engine.
    pub fn feeder(&self) -> &Feeder {
        &self.feeder
    }

    /// What can be seen of the engine.
    pub fn view(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// Runs jobs until `stop` becomes true, or its sender is gone; sandboxes live on for the next engine. One at a time.
    /// Events tell what facts do not: how full a job's memory is, and the like.
    ///
    /// # Errors
    /// The records cannot be read or written any more. Running again is right.
    pub async fn run(
        &self,
        rules: Rules,
        events: mpsc::UnboundedSender<Event>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), StateError> {
        let controls = Controls::with_bell(&self.folders.bell(), stop);
        let mut feed = self.feed.lock().await;
        serve(self.shop.clone(), rules, events, controls, &mut feed, &self.view).await
    }
}
