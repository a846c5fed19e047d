//! A backup laid out as a site's data, and everything that can be wrong with it looked at.
//! Spec site.md 17: every hash, the chains of facts, the chain of the audit log.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use protocol::text::hashes::Sha256Hex;

use super::fault::{BackupError, failed};
use super::manifest::{Manifest, Piece};
use super::pile;
use crate::store::{Store, StoreError};
use crate::{audit, facts};

/// What was found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Which backup.
    pub manifest: Manifest,
    /// Facts of backends, each with its hash and signature.
    pub facts: i64,
    /// Records of the audit log.
    pub records: i64,
}

/// Lays a backup out in an empty folder; every byte is hashed on the way.
pub(super) fn lay(folder: &Path, manifest: &Manifest, data: &Path) -> Result<(), BackupError> {
    put(folder, &manifest.database, &data.join("site.sqlite"), true)?;
    for path in &manifest.folders {
        fs::create_dir_all(data.join(path)).map_err(failed("make the folder", data.join(path)))?;
    }
    for file in &manifest.files {
        let place = data.join(&file.path);
        let parent = place.parent().unwrap_or(data);
        fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
        put(folder, &file.piece, &place, file.secret)?;
    }
    Ok(())
}

fn put(folder: &Path, piece: &Piece, place: &Path, secret: bool) -> Result<(), BackupError> {
    let from = pile::place(folder, &piece.sha256);
    let damaged = |why: String| BackupError::Damaged { path: from.clone(), why };
    let mut file = match File::open(&from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(damaged(format!("is missing; it is {}", place.display())));
        }
        other => other.map_err(failed("read", &from))?,
    };
    let mut new = pile::fresh(place).map_err(failed("write", place))?;
    let mut limited = (&mut file).take(piece.bytes.saturating_add(1));
    let copied = pile::copy(&mut limited, &mut new).map_err(failed("copy", &from))?;
    if copied != *piece {
        return Err(damaged(format!("is not as it was written; it is {}", place.display())));
    }
    if !secret {
        let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o644);
        new.set_permissions(open).map_err(failed("write", place))?;
    }
    new.sync_all().map_err(failed("write", place))
}

/// Opens laid-out data and reads all that has a hash.
pub(super) async fn look(manifest: &Manifest, data: &Path) -> Result<(Store, Whole), BackupError> {
    let store = Store::open(&data.join("site.sqlite")).await?;
    sound(&store).await?;
    let facts = facts::verify(&store).await?;
    let found = audit::verify(&store).await?;
    let told = (manifest.facts, manifest.audit_records, &manifest.audit_head);
    if told != (facts, found.records, &found.head) {
        let what = format!(
            "{facts} facts and {} records of the audit log, but the backup was made of {} and {}",
            found.records, manifest.facts, manifest.audit_records
        );
        return Err(StoreError::Damaged(what).into());
    }
    texts(&store).await?;
    Ok((store, Whole { manifest: manifest.clone(), facts, records: found.records }))
}

/// By the writer's connection: readers have a limit of time, and this reads everything.
async fn sound(store: &Store) -> Result<(), BackupError> {
    let mut all = store.change().await?;
    let said: Vec<(String,)> = sqlx::query_as("PRAGMA integrity_check").fetch_all(&mut *all).await?;
    if let Some((wrong,)) = said.iter().find(|(said,)| said != "ok") {
        return Err(StoreError::Damaged(wrong.clone()).into());
    }
    match sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *all).await?.len() {
        0 => Ok(()),
        rows => Err(StoreError::Damaged(format!("{rows} rows that point to nothing")).into()),
    }
}

/// Texts that are known by their hash.
async fn texts(store: &Store) -> Result<(), BackupError> {
    let mut all = store.change().await?;
    for (what, sql) in [
        ("project.yaml", "SELECT sha256, body FROM project_yaml"),
        ("reason of an act", "SELECT sha256, CAST(body AS BLOB) FROM audit_text WHERE body IS NOT NULL"),
    ] {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(sql).fetch_all(&mut *all).await?;
        for (sha256, body) in rows {
            if Sha256Hex::of(&[&body]).as_str() != sha256 {
                return Err(StoreError::Damaged(format!("a {what} that is not of its hash {sha256}")).into());
            }
        }
    }
    Ok(())
}
