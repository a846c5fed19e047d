//! Backups of a site while it serves; and putting one back where nothing is.
//! Spec site.md 17. A folder holds many backups: a manifest each, and the bytes of all of them once, by their hash.

mod fault;
mod manifest;
mod pile;
mod trial;
mod walk;

use std::path::Path;

use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

pub use fault::BackupError;
use fault::failed;
use manifest::Parts;
pub use manifest::{Kept, Manifest, Piece};
use pile::Pile;
pub use trial::Whole;

use crate::Settings;
use crate::audit::{self, BEGINNING, fields};
use crate::clock::Clock;
use crate::people::By;
use crate::store::{Store, StoreError};

/// What was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The backup.
    pub manifest: Manifest,
    /// Bytes that earlier backups of the folder did not have.
    pub added: u64,
    /// Older backups that were removed.
    pub removed: usize,
}

/// Makes a backup of a site, which may serve meanwhile: all that was committed before it began, and nothing of what is
/// half done. Then removes all but the newest `keep` backups of the folder, if that is given.
///
/// # Errors
/// Then there is no new backup, and the older ones are as they were.
pub async fn make(settings: &Settings, folder: &Path, keep: Option<usize>) -> Result<Made, BackupError> {
    let path = settings.database();
    if !path.is_file() {
        return Err(BackupError::NoSite(settings.data.clone()));
    }
    let folder = std::path::absolute(folder).map_err(failed("find", folder))?;
    if folder.starts_with(&settings.data) {
        let why = "it is inside the folder of the site's data, and would be part of itself";
        return Err(BackupError::Odd { path: folder, why });
    }
    let made_at = Clock::default().now();
    let mut pile = Pile::open(&folder)?;
    // The tables first: what their rows point to is there before they are, so it is still there afterwards.
    let half = pile.half()?;
    let mut reader = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await?;
    let program = crate::store::version();
    let stored: i64 =
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations").fetch_one(&mut reader).await?;
    if stored != program {
        return Err(BackupError::OtherVersion { stored, program });
    }
    sqlx::query("VACUUM INTO ?1").bind(half.to_str().unwrap_or_default()).execute(&mut reader).await?;
    reader.close().await?;
    let (audit, facts) = counted(&half).await?;
    let data = settings.data.clone();
    let work = tokio::task::spawn_blocking(move || {
        let database = pile.adopt()?;
        let walk::Found { files, folders } = walk::walk(&data, &mut pile)?;
        let manifest = Manifest::new(Parts { tables: program, made_at, audit, facts, database, files, folders });
        pile.seal(&manifest.path(&pile.folder), &manifest.text()?)?;
        let removed = keep.map(|keep| pile.prune(keep)).transpose()?.unwrap_or(0);
        Ok::<_, BackupError>(Made { manifest, added: pile.added, removed })
    });
    let made = work.await.map_err(|error| BackupError::Store(StoreError::Damaged(error.to_string())))??;
    let after =
        fields([("backup", json!(made.manifest.name())), ("audit_records", json!(made.manifest.audit_records))]);
    write_down(settings, By::operator().act("backup_made").after(after)).await?;
    Ok(made)
}

/// What the copy holds, read from the copy itself.
async fn counted(copy: &Path) -> Result<((i64, String), i64), BackupError> {
    let mut copy: SqliteConnection = SqliteConnectOptions::new().filename(copy).read_only(true).connect().await?;
    let last: Option<(i64, String)> =
        sqlx::query_as("SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1").fetch_optional(&mut copy).await?;
    let facts = sqlx::query_scalar("SELECT count(*) FROM backend_fact").fetch_one(&mut copy).await?;
    copy.close().await?;
    Ok((last.unwrap_or_else(|| (0, BEGINNING.to_owned())), facts))
}

async fn write_down(settings: &Settings, act: audit::Act) -> Result<(), BackupError> {
    let store = Store::open(&settings.database()).await?;
    let mut change = store.change().await?;
    audit::record(&mut change, act).await?;
    change.commit().await?;
    store.close().await;
    Ok(())
}

/// The names of the backups in a folder, the oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let name = |path: &std::path::PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    Ok(manifest::all(folder)?.iter().filter_map(name).collect())
}

/// Tries a backup (the newest if none is named): puts it back beside the others, reads every hash and every chain, and
/// removes that again. Where the site itself is, its audit log says so.
///
/// # Errors
/// [`BackupError`] names the first byte that is wrong.
pub async fn verify(settings: &Settings, folder: &Path, name: Option<&str>) -> Result<Whole, BackupError> {
    if !folder.is_dir() {
        return Err(BackupError::None { folder: folder.to_owned(), named: String::new() });
    }
    let pile = Pile::open(folder)?;
    pile.clear_trials()?;
    let (place, whole) = tried(folder, name, folder).await?;
    place.close().map_err(failed("empty", folder))?;
    if settings.database().is_file() {
        let after = fields([("backup", json!(whole.manifest.name()))]);
        write_down(settings, By::operator().act("backup_verified").after(after)).await?;
    }
    Ok(whole)
}

async fn tried(folder: &Path, name: Option<&str>, beside: &Path) -> Result<(tempfile::TempDir, Whole), BackupError> {
    if !folder.is_dir() {
        return Err(BackupError::None { folder: folder.to_owned(), named: String::new() });
    }
    let manifest = manifest::find(folder, name)?;
    let place = tempfile::Builder::new().prefix(pile::TRIAL).tempdir_in(beside);
    let place = place.map_err(failed("write into", beside))?;
    let (from, to, read) = (folder.to_owned(), place.path().to_owned(), manifest.clone());
    let work = tokio::task::spawn_blocking(move || trial::lay(&from, &read, &to));
    work.await.map_err(|error| BackupError::Store(StoreError::Damaged(error.to_string())))??;
    let (store, whole) = trial::look(&manifest, place.path()).await?;
    store.close().await;
    Ok((place, whole))
}

/// Puts a backup (the newest if none is named) back where no site is. Everybody has to sign in again, for whose session
/// has ended since is not in it. Backends send what is missing when they call.
///
/// # Errors
/// Then the place is as it was.
pub async fn restore(settings: &Settings, folder: &Path, name: Option<&str>) -> Result<Whole, BackupError> {
    let data = &settings.data;
    let is_there = data.exists();
    let is_empty = || std::fs::read_dir(data).map(|mut entries| entries.next().is_none());
    if is_there && !is_empty().map_err(failed("read", data))? {
        return Err(BackupError::NotEmpty(data.clone()));
    }
    let parent = data.parent().unwrap_or(data);
    std::fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
    let (place, whole) = tried(folder, name, parent).await?;
    let store = Store::open(&place.path().join("site.sqlite")).await?;
    let mut change = store.change().await?;
    for statement in ["DELETE FROM session", "DELETE FROM one_time_code WHERE used_at IS NULL"] {
        sqlx::query(statement).execute(&mut *change).await?;
    }
    let after = fields([("backup", json!(whole.manifest.name()))]);
    audit::record(&mut change, By::operator().act("backup_restored").after(after)).await?;
    change.commit().await?;
    store.close().await;
    if is_there {
        std::fs::remove_dir(data).map_err(failed("replace", data))?;
    }
    let place = place.keep();
    std::fs::rename(&place, data).map_err(failed("write", data))?;
    pile::sync_folder(parent)?;
    Ok(whole)
}
