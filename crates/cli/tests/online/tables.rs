//! Rows of the records that site and backend keep, read as they lie on the disk.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Column, Connection, Row};

/// The rows of a query, all columns as text, in which NULL is empty.
pub fn rows(file: &Path, query: &str) -> Vec<Vec<String>> {
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let options = SqliteConnectOptions::new().filename(file).busy_timeout(std::time::Duration::from_secs(30));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let found = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await;
        let found = found.unwrap_or_else(|error| panic!("{}: {error}: {query}", file.display()));
        let text = |row: &sqlx::sqlite::SqliteRow| {
            let columns = row.columns().iter().map(Column::ordinal);
            columns.map(|at| row.try_get_unchecked::<Option<String>, _>(at).unwrap().unwrap_or_default()).collect()
        };
        found.iter().map(text).collect()
    })
}

/// The one number that a query gives.
pub fn number(file: &Path, query: &str) -> i64 {
    rows(file, query)[0][0].parse().unwrap()
}
