//! Evidence of built-in actions: what a published cell was made of, kept for the checks and shown to nobody.
//! Spec actions.md 9, jobs.md 13, 14. Only where no code of a study runs beside the action: nobody else writes there.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use pipeline::{PrivacyLevel, SpecialCommand};
use sandbox::folder::{FolderError, SafeFolder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::prepare::Inputs;
use crate::ObjectId;
use crate::collect::CollectedOutput;
use crate::log::visible;
use crate::provenance::ImageIdentity;
use crate::state::{Job, JobDefinition};

/// Where an action leaves it, as the action sees it; the workspace is elsewhere.
pub(super) const INSIDE: &str = "/tmp/evidence";
/// The same below the folder of the attempt.
const LEFT: &str = "tmp/evidence";
/// Where it waits below the folder of the attempt until it is kept.
pub(super) const WAITING: &str = "evidence";
/// Bytes of one sidecar.
const LARGEST: u64 = 64 << 20;
const MODE: u32 = 0o440;

/// Of each output its sidecar's hash.
pub(super) type Evidence = BTreeMap<String, ObjectId>;

/// Whether a job may make evidence: a built-in action beside which no code of the study runs.
pub(super) fn is_made(definition: &JobDefinition) -> bool {
    let reads_studies = definition.runtime.name == "cohortextractor";
    let is_alone = !reads_studies || definition.special == Some(SpecialCommand::GenerateCodelistReport);
    matches!(definition.image, ImageIdentity::Builtin { .. }) && is_alone
}

/// Takes what the action left for its moderately sensitive outputs, with a word on each that is not what it says it is.
/// Blocks.
///
/// # Errors
/// It cannot be put where it waits.
pub(super) fn take(
    volume: &Path,
    job: &Job,
    inputs: &Inputs,
    outputs: &[CollectedOutput],
    notes: &mut Vec<String>,
) -> Result<Evidence, FolderError> {
    let mut taken = Evidence::new();
    if !is_made(&job.definition) {
        return Ok(taken);
    }
    let volume = SafeFolder::at(volume)?;
    let inputs: Vec<Value> = inputs.files.iter().map(|i| json!({ "path": i.path, "sha256": i.object })).collect();
    let known = json!({ "job_id": job.id.to_string(), "inputs": inputs }).to_string();
    for output in outputs.iter().filter(|output| output.level == PrivacyLevel::ModeratelySensitive) {
        let name = format!("{}.json", output.path);
        let sidecar = match read(&volume, &name, output) {
            Ok(Some(sidecar)) => sidecar,
            Ok(None) => continue,
            Err(why) => {
                notes.push(format!("the evidence of `{}` is not kept: {why}", visible(&output.path)));
                continue;
            }
        };
        let bytes = joined(&known, &sidecar);
        volume.write_atomic(format!("{WAITING}/{name}"), MODE, |file| {
            io::Write::write_all(file, &bytes)
                .map_err(|error| FolderError::Io { path: name.clone().into(), source: error })
        })?;
        taken.insert(output.path.clone(), ObjectId::of(&bytes));
    }
    Ok(taken)
}

/// What is looked at in a sidecar. Its cells, which may be very many, are checked for their form alone.
#[derive(Deserialize)]
struct Head {
    path: String,
    content_hash: String,
}

/// One object of two, neither of which is empty; as texts, so that many cells take no memory but their own.
fn joined(known: &str, sidecar: &[u8]) -> Vec<u8> {
    let inside = sidecar.trim_ascii().strip_prefix(b"{").unwrap_or_default();
    [known.strip_suffix('}').unwrap_or(known).as_bytes(), b",", inside].concat()
}

/// The sidecar of an output, a JSON object; nothing if the action left none, in words what is wrong with it.
fn read(volume: &SafeFolder, name: &str, output: &CollectedOutput) -> Result<Option<Vec<u8>>, String> {
    let file = match volume.open(format!("{LEFT}/{name}")) {
        Err(error) if error.is_missing() => return Ok(None),
        opened => opened.map_err(|error| error.to_string())?,
    };
    if file.size() > LARGEST {
        return Err(format!("it has more than {} MiB", LARGEST >> 20));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let head: Option<Head> =
        bytes.trim_ascii().starts_with(b"{").then(|| serde_json::from_slice(&bytes).ok()).flatten();
    let head = head.ok_or("it cannot be read")?;
    if head.path != output.path || head.content_hash != output.object.hex() {
        return Err("it is of another file".to_owned());
    }
    Ok(Some(bytes))
}

/// Puts what waits in a volume into the folder of evidence; what is there already stays. Blocks.
///
/// # Errors
/// It cannot be written.
pub(crate) fn keep(high: &Path, job: &str, volume: &Path, paths: &[&str]) -> Result<(), FolderError> {
    if paths.is_empty() {
        return Ok(());
    }
    let folder = SafeFolder::at(high)?.make_folders(Path::new("evidence").join(job))?;
    let waiting = SafeFolder::at(volume)?;
    for path in paths {
        let name = format!("{path}.json");
        if folder.stat(&name)?.is_some() {
            continue;
        }
        let mut from = waiting.open(format!("{WAITING}/{name}"))?;
        folder.write_atomic(&name, MODE, |file| {
            io::copy(&mut from, file).map(drop).map_err(|source| FolderError::Io { path: name.clone().into(), source })
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn output(bytes: &[u8]) -> CollectedOutput {
        CollectedOutput {
            path: "output/a.html".to_owned(),
            level: PrivacyLevel::ModeratelySensitive,
            size: bytes.len() as u64,
            object: ObjectId::of(bytes),
            mtime_ns: 0,
            excluded: None,
            row_count: None,
            col_count: None,
        }
    }

    /// What comes of a sidecar for the output `x`.
    fn read_of(text: &str) -> Result<bool, String> {
        let volume = tempfile::tempdir().unwrap();
        let folder = volume.path().join(LEFT).join("output");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.html.json"), text).unwrap();
        let read = read(&SafeFolder::at(volume.path()).unwrap(), "output/a.html.json", &output(b"x"));
        read.map(|found| found.is_some())
    }

    #[test]
    fn only_evidence_of_the_very_file_is_taken() {
        let of = |path: &str, bytes: &[u8]| json!({ "path": path, "content_hash": ObjectId::of(bytes) }).to_string();
        assert_eq!(read_of(&of("output/a.html", b"x")), Ok(true));
        for (text, why) in [
            (of("output/a.html", b"y"), "of another file"),
            (of("output/b.html", b"x"), "of another file"),
            ("{}".to_owned(), "cannot be read"),
            (format!("[\"output/a.html\", \"{}\"]", ObjectId::of(b"x").hex()), "cannot be read"),
            ("[]".to_owned(), "cannot be read"),
            ("{\"path\":".to_owned(), "cannot be read"),
            ("[".repeat(100_000), "cannot be read"),
        ] {
            assert!(read_of(&text).unwrap_err().contains(why), "{why}");
        }
        let empty = tempfile::tempdir().unwrap();
        let read = read(&SafeFolder::at(empty.path()).unwrap(), "output/a.html.json", &output(b"x"));
        assert_eq!(read, Ok(None));
    }

    #[test]
    fn what_the_engine_knows_comes_first() {
        let known = json!({ "job_id": "j", "inputs": [{"path": "a", "sha256": "b"}] }).to_string();
        let bytes = joined(&known, b" {\"path\":\"x\",\"cells\":[{\"n\":1}]}\n");
        let made: Value = serde_json::from_slice(&bytes).unwrap();
        let inputs = json!([{"path": "a", "sha256": "b"}]);
        assert_eq!(made, json!({"job_id": "j", "inputs": inputs, "path": "x", "cells": [{"n": 1}]}));
    }

    #[test]
    fn no_link_is_followed() {
        let (volume, secret) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let folder = volume.path().join(LEFT).join("output");
        fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(secret.path(), folder.join("a.html.json")).unwrap();
        let read = read(&SafeFolder::at(volume.path()).unwrap(), "output/a.html.json", &output(b"x"));
        assert!(read.unwrap_err().contains("is a link"));
    }

    #[test]
    fn what_waits_is_kept_once() {
        let (high, volume) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let waits = volume.path().join(WAITING).join("output");
        fs::create_dir_all(&waits).unwrap();
        fs::write(waits.join("a.html.json"), "first").unwrap();
        let keep = || keep(high.path(), "job", volume.path(), &["output/a.html"]);
        keep().unwrap();
        fs::write(waits.join("a.html.json"), "second").unwrap();
        keep().unwrap();
        let kept = high.path().join("evidence/job/output/a.html.json");
        assert_eq!(fs::read_to_string(kept).unwrap(), "first");
        assert!(super::keep(high.path(), "job", volume.path(), &["output/b.html"]).is_err());
        assert!(super::keep(&high.path().join("none"), "job", volume.path(), &[]).is_ok());
    }
}
