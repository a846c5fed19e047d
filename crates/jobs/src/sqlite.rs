//! What every SQLite file of ours needs from its connections: the switch to a write-ahead log, and transactions that begin again
//! after SQLite itself has ended one.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

/// Switches the file to a write-ahead log. SQLite answers at once that the file is locked, without waiting as for other
/// statements, when another connection is switching it too: this waits for as long as `patience`.
///
/// # Errors
/// The file stays locked, or cannot be written.
pub async fn write_ahead(connection: &mut SqliteConnection, patience: Duration) -> Result<(), sqlx::Error> {
    let given_up = Instant::now() + patience;
    loop {
        match sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut *connection).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("5") && Instant::now() < given_up => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            answer => return answer.map(drop),
        }
    }
}

/// A connection that writes.
#[derive(Debug)]
pub struct Writer {
    options: SqliteConnectOptions,
    connection: SqliteConnection,
}

impl Writer {
    /// Connects.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnection::connect_with(&options).await?;
        Ok(Self { options, connection })
    }

    /// Begins a transaction.
    ///
    /// When SQLite ends a transaction by itself (no space, an I/O error), sqlx's `ROLLBACK` fails, and its connection believes
    /// ever after that it is still inside: no transaction would begin on it again, though there is space. Another connection
    /// takes its place then.
    ///
    /// # Errors
    /// The file is locked for too long, or failed.
    pub async fn begin(&mut self) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
        if self.connection.is_in_transaction() {
            // A dropped transaction is rolled back in its turn, and then there is nothing to mend.
            self.connection.ping().await?;
            if self.connection.is_in_transaction() {
                self.connection = SqliteConnection::connect_with(&self.options).await?;
            }
        }
        self.connection.begin_with("BEGIN IMMEDIATE").await
    }

    /// Closes it.
    ///
    /// # Errors
    /// The database refused.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }
}

impl Deref for Writer {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use super::*;

    async fn writer(folder: &tempfile::TempDir) -> Writer {
        let options = SqliteConnectOptions::new().filename(folder.path().join("t.sqlite")).create_if_missing(true);
        let mut writer = Writer::open(options).await.unwrap();
        sqlx::raw_sql("CREATE TABLE t (x)").execute(&mut *writer).await.unwrap();
        writer
    }

    async fn rows(writer: &mut Writer) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(&mut **writer).await.unwrap()
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_is_not_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder).await;
        let mut ended = writer.begin().await.unwrap();
        sqlx::raw_sql("INSERT INTO t VALUES (1); ROLLBACK").execute(&mut *ended).await.unwrap();
        drop(ended);
        let control = writer.connection.begin_with("BEGIN IMMEDIATE").await;
        assert!(matches!(control, Err(sqlx::Error::InvalidSavePointStatement)), "sqlx mends it by itself now");
        drop(control);
        for n in 1..=2 {
            let mut next = writer.begin().await.unwrap();
            sqlx::raw_sql("INSERT INTO t VALUES (2)").execute(&mut *next).await.unwrap();
            next.commit().await.unwrap();
            assert_eq!(rows(&mut writer).await, n);
        }
    }

    #[tokio::test]
    async fn one_that_was_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder).await;
        let mut dropped = writer.begin().await.unwrap();
        sqlx::raw_sql("INSERT INTO t VALUES (1)").execute(&mut *dropped).await.unwrap();
        drop(dropped);
        writer.begin().await.unwrap().commit().await.unwrap();
        assert_eq!(rows(&mut writer).await, 0);
    }
}
