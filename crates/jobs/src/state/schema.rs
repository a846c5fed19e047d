//! Whose file it is and how old: the version of its schema, and that it holds what this program made and nothing else.
//! Spec jobs.md 9: forward-only migrations with a version.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row, SqliteConnection};

use super::StateError;

/// Each brings the schema from the version before to its own, which is its position counted from 1.
const MIGRATIONS: &[&str] =
    &[include_str!("migrations/001.sql"), include_str!("migrations/002.sql"), include_str!("migrations/003.sql")];

/// The newest version known here.
pub(super) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// `CLST`, so that the file is known as ours.
const APPLICATION_ID: i64 = 0x434c_5354;

/// What every connection to a state file is opened with: a file may come with a cloned repository, so its schema may
/// call nothing but harmless functions, and pages are checked when they are read.
pub(super) fn careful(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options.pragma("trusted_schema", "OFF").pragma("cell_size_check", "ON")
}

/// A table, index, view or trigger: its type, name and text.
type Item = (Option<String>, Option<String>, Option<String>);

/// What the schema holds, in order; at most `limit` items.
async fn items(connection: &mut SqliteConnection, limit: usize) -> Result<Vec<Item>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT CAST(type AS TEXT), CAST(name AS TEXT), CAST(sql AS TEXT) FROM sqlite_schema ORDER BY 1, 2, 3 LIMIT ?",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

/// What the schema of a version of ours holds, in order.
async fn ours(version: i64) -> Result<Vec<Item>, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(":memory:");
    let mut connection = SqliteConnection::connect_with(&options).await?;
    for migration in MIGRATIONS.iter().take(usize::try_from(version).unwrap_or(0)) {
        sqlx::raw_sql(*migration).execute(&mut connection).await?;
    }
    let items = items(&mut connection, usize::MAX).await?;
    connection.close().await?;
    Ok(items)
}

/// The first difference between what a file holds and what it should hold, in words.
fn difference(found: &[Item], ours: &[Item]) -> Option<String> {
    let words = |(kind, name, _): &Item| {
        format!("{} `{}`", kind.as_deref().unwrap_or("item"), name.as_deref().unwrap_or_default())
    };
    if let Some(foreign) = found.iter().find(|item| !ours.contains(item)) {
        return Some(format!("{} was made or changed by another program", words(foreign)));
    }
    ours.iter().find(|item| !found.contains(item)).map(|missing| format!("{} is missing", words(missing)))
}

/// The version of the schema, 0 for an empty file; refuses what is not ours and what is newer. To be asked within a
/// transaction, so that all of it is of one moment.
pub(super) async fn version(connection: &mut SqliteConnection, path: &Path) -> Result<i64, StateError> {
    let failed = |source| StateError::Open { path: path.to_owned(), source };
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(failed)?;
    let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(failed)?;
    let any = !items(&mut *connection, 1).await.map_err(failed)?.is_empty();
    if any && id != APPLICATION_ID {
        return Err(StateError::NotOurs { path: path.to_owned() });
    }
    if found > KNOWN {
        return Err(StateError::NewerSchema { path: path.to_owned(), found, known: KNOWN });
    }
    let ours = ours(found).await.map_err(failed)?;
    let held = items(connection, ours.len() + 1).await.map_err(failed)?;
    match difference(&held, &ours) {
        None => Ok(found),
        Some(what) => Err(StateError::Altered { path: path.to_owned(), what }),
    }
}

/// Brings a file of this version to [`KNOWN`].
pub(super) async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StateError> {
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
