//! `cloister site backup` and `restore`. Spec site.md 17.

use std::error::Error;
use std::path::Path;

use serde_json::json;
use site::Settings;
use site::backup::{self, Whole};

use super::out::Out;
use crate::words::{bytes, plural};

pub(super) async fn make(
    settings: &Settings,
    dir: &Path,
    keep: Option<u32>,
    out: &Out<'_>,
) -> Result<(), Box<dyn Error>> {
    let keep = keep.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX));
    let made = backup::make(settings, dir, keep).await.map_err(told)?;
    let (name, files) = (made.manifest.name(), made.manifest.files.len());
    let removed =
        if made.removed == 0 { String::new() } else { format!(", {} removed", plural(made.removed, "older backup")) };
    let words = format!(
        "{name}: the tables and {}, {} new{removed}\nTry it with --verify: a backup that was never put back is a hope.",
        plural(files, "file"),
        bytes(made.added)
    );
    let value = json!({"name": name, "files": files, "bytes": made.manifest.pieces().map(|piece| piece.bytes).sum::<u64>(),
        "new_bytes": made.added, "removed": made.removed, "facts": made.manifest.facts, "audit_records": made.manifest.audit_records});
    out.said(&words, &value);
    Ok(())
}

pub(super) async fn verify(
    settings: &Settings,
    dir: &Path,
    name: Option<&str>,
    out: &Out<'_>,
) -> Result<(), Box<dyn Error>> {
    let whole = backup::verify(settings, dir, name).await.map_err(told)?;
    out.said(&format!("{} is whole: {}", whole.manifest.name(), contents(&whole)), &value(&whole));
    Ok(())
}

pub(super) async fn restore(
    settings: &Settings,
    dir: &Path,
    name: Option<&str>,
    out: &Out<'_>,
) -> Result<(), Box<dyn Error>> {
    let whole = backup::restore(settings, dir, name).await.map_err(told)?;
    let words = format!(
        "{} is put back in {}: {}\nWhat was revoked since then counts again: look through users, roles and tokens. Everybody signs in anew; backends send what is missing.",
        whole.manifest.name(),
        settings.data.display(),
        contents(&whole)
    );
    out.said(&words, &value(&whole));
    Ok(())
}

fn told(error: backup::BackupError) -> String {
    format!("error: {error}")
}

fn contents(whole: &Whole) -> String {
    format!(
        "{} facts, {} records of the audit log, {}",
        whole.facts,
        whole.records,
        plural(whole.manifest.files.len(), "file")
    )
}

fn value(whole: &Whole) -> serde_json::Value {
    json!({"name": whole.manifest.name(), "made_at": whole.manifest.made_at, "facts": whole.facts, "audit_records": whole.records, "files": whole.manifest.files.len()})
}
