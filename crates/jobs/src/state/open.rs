//! Opens the state file, bringing an older one up to date; refuses one of a newer program or of another one.
//! Spec jobs.md 9: one SQLite file, WAL, foreign keys.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqlitePool};
use tokio::sync::{Mutex, watch};

use super::StateError;
use super::copy::PrivateCopy;
use super::schema::{KNOWN, careful, migrate, version};
use crate::sqlite::{Writer, write_ahead};

/// For how long a connection waits for others that hold the file.
const BUSY: Duration = Duration::from_secs(10);

/// The state of all requests and jobs of one state folder. Cheap to read from many tasks; writes take turns.
///
/// Every method that changes something does so in one transaction: a future that is dropped, or a process that is
/// killed, at any moment leaves all of it done or nothing.
#[derive(Debug)]
pub struct State {
    pub(super) writers: Mutex<Writers>,
    pub(super) readers: SqlitePool,
    pub(super) news: watch::Sender<u64>,
    /// Whether what is told of an end waits for its results to be in place.
    pub(super) holds: bool,
    path: PathBuf,
    /// What is read instead of the file; dropped after the connections to it.
    copy: Option<PrivateCopy>,
}

/// The two connections that write; one at a time.
#[derive(Debug)]
pub(super) struct Writers {
    /// `synchronous=FULL`: a plan, a claim, a result are on the disk when it returns.
    pub(super) durable: Writer,
    /// `synchronous=NORMAL`: progress, which may be lost with the machine but never out of order.
    pub(super) quick: Writer,
}

impl State {
    /// Opens the state at `path`, made if absent. Its folder must exist.
    ///
    /// # Errors
    /// The file cannot be opened, is damaged, belongs to another program or was changed by one, or was written by a
    /// newer one.
    pub async fn open(path: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Open { path: path.to_owned(), source };
        let options = careful(SqliteConnectOptions::new())
            .filename(path)
            .create_if_missing(true)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let mut durable = Writer::open(options.clone()).await.map_err(failed)?;
        // Before the mode of the journal is set, which is written into the file: that of another program stays as it is.
        let mut look = Connection::begin(&mut *durable).await.map_err(failed)?;
        version(&mut look, path).await?;
        look.rollback().await.map_err(failed)?;
        write_ahead(&mut durable, BUSY).await.map_err(failed)?;
        migrate(&mut durable, path).await?;
        let quick = options.clone().synchronous(SqliteSynchronous::Normal);
        let quick = Writer::open(quick).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new().max_connections(2).connect_lazy_with(options.read_only(true));
        Ok(Self::of(durable, quick, readers, path, None))
    }

    /// Opens a state only to read it, for commands that write nothing: no byte of it and no file beside it changes, and
    /// its folder may be read-only. `None` if there is none yet. Methods that write fail.
    ///
    /// It is the state of this moment: what a running program writes later is not seen. Where a program has left changes
    /// in the write-ahead log, a private copy in the temporary folder is read, which goes when this is dropped.
    ///
    /// Not to be called while this process itself has the state open to write: closing the file after copying it would
    /// give up the locks that SQLite holds on it for the whole process.
    ///
    /// # Errors
    /// As [`State::open`]; and a file of an older program, which only a command that writes brings up to date.
    pub async fn open_to_read(path: &Path) -> Result<Option<Self>, StateError> {
        let failed = |source| StateError::Open { path: path.to_owned(), source };
        match path.symlink_metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.into())),
            Ok(about) if !about.is_file() => return Err(StateError::NotOurs { path: path.to_owned() }),
            Ok(_) => {}
        }
        let from = path.to_owned();
        let copy = tokio::task::spawn_blocking(move || PrivateCopy::of(&from)).await;
        let copy = copy.map_err(std::io::Error::other).and_then(|copied| copied).map_err(|e| failed(e.into()))?;
        let options = careful(SqliteConnectOptions::new()).read_only(true).create_if_missing(false);
        let options = match &copy {
            Some(copy) => options.filename(copy.file()),
            None => options.filename(path).immutable(true),
        };
        let mut durable = Writer::open(options.clone()).await.map_err(failed)?;
        let mut look = Connection::begin(&mut *durable).await.map_err(failed)?;
        let found = version(&mut look, path).await?;
        look.rollback().await.map_err(failed)?;
        match found {
            0 => return Ok(None),
            found if found < KNOWN => {
                return Err(StateError::OlderSchema { path: path.to_owned(), found, known: KNOWN });
            }
            _ => {}
        }
        let quick = Writer::open(options.clone()).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new().max_connections(2).connect_lazy_with(options);
        Ok(Some(Self::of(durable, quick, readers, path, copy)))
    }

    fn of(durable: Writer, quick: Writer, readers: SqlitePool, path: &Path, copy: Option<PrivateCopy>) -> Self {
        let (writers, news) = (Mutex::new(Writers { durable, quick }), watch::channel(0).0);
        Self { writers, readers, news, holds: false, path: path.to_owned(), copy }
    }

    /// With what is told of an end held until its results are in place: a backend's site hears of it after step 9 (spec
    /// jobs.md 9).
    #[must_use]
    pub fn holding(self) -> Self {
        Self { holds: true, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes all connections, folding the write-ahead log into the file. Dropping instead is safe, and leaves the log.
    ///
    /// # Errors
    /// The database refused.
    pub async fn close(self) -> Result<(), StateError> {
        self.readers.close().await;
        let writers = self.writers.into_inner();
        writers.quick.close().await?;
        writers.durable.close().await?;
        drop(self.copy);
        Ok(())
    }
}
