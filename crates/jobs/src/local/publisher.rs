//! Results into the project folder: outputs in place, the log beside them, the manifest last.
//! Spec jobs.md 14, 15, 18; cli.md 4.3.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use pipeline::ActionName;
use sandbox::folder::{FolderError, SafeFolder};

use crate::collect::CollectedOutput;
use crate::engine::{Order, Publisher};
use crate::log::log_name;
use crate::manifest::{BadManifest, JobResult, Manifest};
use crate::publish::{PublishError, Published, check, publish};
use crate::refusal::Unsafe;
use crate::store::Store;

const FILE_MODE: u32 = 0o644;
const MANIFEST: &str = "metadata/manifest.json";
/// A manifest of 100,000 outputs has about this many bytes.
const LARGEST_MANIFEST: u64 = 256 << 20;

/// The project folder of a laptop.
#[derive(Debug)]
pub(super) struct ProjectFolder {
    folder: SafeFolder,
    /// What the manifest calls the workspace.
    name: String,
    /// As last read or written; one writer at a time.
    manifest: Mutex<Option<Manifest>>,
}

impl ProjectFolder {
    pub(super) fn new(folder: SafeFolder, name: String) -> Self {
        Self { folder, name, manifest: Mutex::new(None) }
    }

    fn write_manifest(&self, order: &Order) -> Result<(), PublishError> {
        let mut kept = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut manifest = match kept.take().map_or_else(|| self.folder.open(MANIFEST).map(Err), |m| Ok(Ok(m))) {
            Ok(Ok(manifest)) => manifest,
            Ok(Err(file)) => {
                let mut text = String::new();
                let read = file.take(LARGEST_MANIFEST).read_to_string(&mut text);
                read.map_err(|source| PublishError::Io { what: "metadata/manifest.json cannot be read", source })?;
                Manifest::parse(&text)?
            }
            Err(error) if error.is_missing() => Manifest::new(&self.name),
            Err(error) => return Err(error.into()),
        };
        let entries = order.entries();
        let (action, actions) = (order.action.as_str(), order.actions.as_ref());
        manifest.record(&JobResult { action, outputs: &entries, actions }).map_err(BadManifest::from)?;
        let text = manifest.render().map_err(BadManifest::from)?;
        self.write(MANIFEST, |file| file.write_all(text.as_bytes()))?;
        *kept = Some(manifest);
        Ok(())
    }

    fn write(&self, path: &str, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), PublishError> {
        self.folder.write_atomic(path, FILE_MODE, |file| {
            fill(file).map_err(|source| PublishError::Io { what: "the metadata folder cannot be written", source })
        })
    }
}

impl Publisher for ProjectFolder {
    fn accept(&self, outputs: &[CollectedOutput]) -> Result<(), Unsafe> {
        match check(&self.folder, outputs) {
            Err(PublishError::Unsafe(refused)) => Err(refused),
            // Only a folder that cannot be read at the moment: publishing tells, and is repeated.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn publish(&self, order: &Order, log: Option<&Path>, store: &Store) -> Result<Published, PublishError> {
        let published = publish(&self.folder, store, &order.outputs, &order.obsolete)?;
        if let Some(log) = log {
            let read = |source| PublishError::Io { what: "the finished log cannot be read", source };
            let mut finished = File::open(log).map_err(read)?;
            self.write(&self.log_path(&order.action), |file| io::copy(&mut finished, file).map(drop))?;
        }
        self.write_manifest(order)?;
        Ok(published)
    }

    fn log_path(&self, action: &ActionName) -> String {
        format!("metadata/{}", log_name(action))
    }
}

impl From<serde_json::Error> for BadManifest {
    fn from(error: serde_json::Error) -> Self {
        Self::because(error.to_string())
    }
}

/// The folder's own metadata folder, made through no link.
pub(super) fn make_metadata(folder: &SafeFolder) -> Result<(), FolderError> {
    folder.make_folders("metadata/cloister/objects").map(drop)
}
