//! Opens the state file, bringing an older one up to date; refuses one of a newer program or of another one.
//! Spec jobs.md 9: one SQLite file, WAL, foreign keys, forward-only migrations with a version.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use super::StateError;

/// Each brings the schema from the version before to its own, which is its position counted from 1.
const MIGRATIONS: &[&str] = &[include_str!("migrations/001.sql")];

/// The newest version known here.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// `CLST`, so that the file is known as ours.
const APPLICATION_ID: i64 = 0x434c_5354;

/// The state of all requests and jobs of one state folder. Cheap to read from many tasks; writes take turns.
///
/// Every method that changes something does so in one transaction: a future that is dropped, or a process that is
/// killed, at any moment leaves all of it done or nothing.
#[derive(Debug)]
pub struct State {
    pub(super) writers: Mutex<Writers>,
    pub(super) readers: SqlitePool,
    path: PathBuf,
}

/// The two connections that write; one at a time.
#[derive(Debug)]
pub(super) struct Writers {
    /// `synchronous=FULL`: a plan, a claim, a result are on the disk when it returns.
    pub(super) durable: SqliteConnection,
    /// `synchronous=NORMAL`: progress, which may be lost with the machine but never out of order.
    pub(super) quick: SqliteConnection,
}

impl State {
    /// Opens the state at `path`, made if absent. Its folder must exist.
    ///
    /// # Errors
    /// The file cannot be opened, is damaged, belongs to another program, or was written by a newer one.
    pub async fn open(path: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Open { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let mut durable = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        migrate(&mut durable, path).await?;
        let quick = options.clone().synchronous(SqliteSynchronous::Normal);
        let quick = SqliteConnection::connect_with(&quick).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new().max_connections(2).connect_lazy_with(options.read_only(true));
        Ok(Self { writers: Mutex::new(Writers { durable, quick }), readers, path: path.to_owned() })
    }

    /// Opens a state only to read it, for commands that write nothing. `None` if there is none yet. Methods that write fail.
    ///
    /// # Errors
    /// As [`State::open`]; and a file of an older program, which only a command that writes brings up to date.
    pub async fn open_to_read(path: &Path) -> Result<Option<Self>, StateError> {
        if !path.exists() {
            return Ok(None);
        }
        let failed = |source| StateError::Open { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .create_if_missing(false)
            .busy_timeout(Duration::from_secs(10));
        let mut durable = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        match version(&mut durable, path).await? {
            0 => return Ok(None),
            found if found < KNOWN => {
                return Err(StateError::OlderSchema { path: path.to_owned(), found, known: KNOWN });
            }
            _ => {}
        }
        let quick = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        let readers = SqlitePoolOptions::new().max_connections(2).connect_lazy_with(options);
        Ok(Some(Self { writers: Mutex::new(Writers { durable, quick }), readers, path: path.to_owned() }))
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
        Ok(())
    }
}

/// The version of the schema, 0 for an empty file; refuses what is not ours and what is newer.
async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StateError> {
    let failed = |source| StateError::Open { path: path.to_owned(), source };
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(failed)?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(failed)?;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(connection).await.map_err(failed)?;
    if tables > 0 && id != APPLICATION_ID {
        return Err(StateError::NotOurs { path: path.to_owned() });
    }
    if found > KNOWN {
        return Err(StateError::NewerSchema { path: path.to_owned(), found, known: KNOWN });
    }
    Ok(found)
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StateError> {
    let failed = |source| StateError::Open { path: path.to_owned(), source };
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let found = version(&mut tx, path).await?;
    for (done, migration) in (0..KNOWN).zip(MIGRATIONS).skip_while(|(done, _)| *done < found) {
        sqlx::raw_sql(*migration).execute(&mut *tx).await.map_err(failed)?;
        let stamp = format!("PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION_ID};", done + 1);
        sqlx::raw_sql(sqlx::AssertSqlSafe(stamp)).execute(&mut *tx).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)
}
