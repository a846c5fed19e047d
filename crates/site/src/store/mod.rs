//! The site's SQLite file: one writer, many readers, forward-only migrations.
//! Spec site.md 2, 17. Tables are in `migrations/`; reading for pages is in rooms of their own.

pub mod ids;
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

/// How long a statement waits for the one writer.
const BUSY: Duration = Duration::from_secs(5);

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
        let readers = SqlitePoolOptions::new().max_connections(8).connect_lazy_with(options.read_only(true));
        Ok(Self { writer, readers })
    }

    /// Begins a change. Changes take turns.
    ///
    /// # Errors
    /// The database is busy for too long, or failed.
    pub async fn change(&self) -> Result<Change, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
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

fn migrations() -> Migrator {
    let one = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(one).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests;
