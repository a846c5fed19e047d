//! The site's SQLite file: one writer, many readers, forward-only migrations.
//! Spec site.md 2, 17. Tables are in `migrations/`; reading for pages is in rooms of their own.

pub mod ids;
mod limit;
pub mod read;
pub mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, Sqlite, SqlitePool, Transaction};

/// What brings older tables up to date, in order. A released one is never changed.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "begin", include_str!("migrations/001.sql"))];

/// The version of the tables that this program makes and knows.
pub(crate) fn version() -> i64 {
    MIGRATIONS.iter().map(|(version, _, _)| *version).max().unwrap_or(0)
}

/// How long a change waits for its turn (spec site.md 17, 19).
const BUSY: Duration = Duration::from_secs(5);
/// How long a note that is of no use to who asks waits: reading goes on while nothing can be written.
const NOTE: Duration = Duration::from_millis(200);
/// How long a query of a page may take, where the settings do not say otherwise.
pub const QUERY: Duration = Duration::from_secs(2);

/// The tables.
#[derive(Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

/// A change that is being made: all of it happens at [`Transaction::commit`], or nothing.
pub type Change = Transaction<'static, Sqlite>;

/// Why the tables cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error("the database {path} cannot be opened: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// It is of another program, or of a newer version of this one.
    #[error("the database {path} cannot be brought up to date: {source}")]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// Somebody else has been writing for too long.
    #[error("the database is locked: another program has been writing to it for too long")]
    Busy,
    /// A statement failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A row that this program could not have written.
    #[error("the database holds what it should not: {0}")]
    Damaged(String),
}

impl Store {
    /// Opens the file, made if absent, and brings its tables up to date.
    ///
    /// # Errors
    /// It cannot be opened, is no database of a site, or is of a newer program.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::limited(path, QUERY).await
    }

    /// The same with another limit for a query of a reader. What takes longer fails.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn limited(path: &Path, query: Duration) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(failed)?;
        migrations().run(&writer).await.map_err(|source| StoreError::Migrate { path: path.to_owned(), source })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(BUSY)
            .after_connect(move |connection, _| Box::pin(limit::begin(connection, query)))
            .before_acquire(move |connection, _| {
                Box::pin(async move { limit::begin(connection, query).await.map(|()| true) })
            })
            .connect_lazy_with(options.read_only(true));
        Ok(Self { writer, readers })
    }

    /// Begins a change. Changes take turns.
    ///
    /// # Errors
    /// The database is busy for too long, or failed.
    pub async fn change(&self) -> Result<Change, StoreError> {
        self.change_within(BUSY).await
    }

    /// Begins a change that may as well not happen: a note of when something was last used.
    ///
    /// # Errors
    /// The database is busy, or failed.
    pub async fn note(&self) -> Result<Change, StoreError> {
        self.change_within(NOTE).await
    }

    async fn change_within(&self, patience: Duration) -> Result<Change, StoreError> {
        tokio::time::timeout(patience, self.begin()).await.map_err(|_| StoreError::Busy)?
    }

    async fn begin(&self) -> Result<Change, StoreError> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        let begun = match self.writer.begin_with(BEGIN).await {
            // SQLite itself ended the transaction of before (no space, an I/O error), and the connection believes that it is
            // still in one. It never recovers from that, so another takes its place.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.writer.acquire().await?.close().await?;
                self.writer.begin_with(BEGIN).await
            }
            other => other,
        };
        begun.map_err(|error| if is_busy(&error) { StoreError::Busy } else { error.into() })
    }

    /// For reading what pages show.
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// SQLITE_BUSY and its kin.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5) || matches!(error, sqlx::Error::PoolTimedOut)
}

fn migrations() -> Migrator {
    let one = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(one).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests;
