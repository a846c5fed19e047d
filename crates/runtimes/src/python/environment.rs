//! Where an environment lies and whether it is complete. Its folder's name follows from the locked packages and the
//! interpreter's file, so that looking one up takes no process; the marker is written last. Spec cli.md 12.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline::RuntimeRef;
use sandbox::Root;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::lock::{Group, Lock, Minor, Source};
use crate::located::{Kind, Located, Warning};
use crate::program::{Program, Start, search, variables};
use crate::store::hex;

/// Raised when what `build` makes of the same lock changes.
const LAYOUT: &str = "1";
/// In the environment's folder; present exactly when everything else is.
const MARKER: &str = "cloister-environment.json";

/// What is known of a complete environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// An environment that was moved is not complete: its programs name their folder.
    pub(crate) folder: PathBuf,
    /// Of the interpreter.
    pub(crate) version: String,
    pub(crate) base_prefix: PathBuf,
    /// Of the locked packages and the interpreter.
    pub(crate) identity: String,
}

/// An environment, built or not.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) folder: PathBuf,
    pub(crate) group: Group,
    pub(crate) python: Minor,
    /// The environment of the `python` group, of which a `jupyter` one is an extension.
    pub(crate) base: Option<Box<Environment>>,
}

impl Environment {
    /// Where the environment of this lock for this interpreter belongs.
    pub(crate) fn of(cache_dir: &Path, source: &Source, lock: &Lock, fingerprint: &str, group: Group) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("{LAYOUT}\n{fingerprint}\n{}\n", lock.identity(group, "")));
        let key = &hex(&hash.finalize())[..16];
        let name = format!("{}-{}-{}-{key}", group.as_str(), source.generation, source.python);
        let base =
            (group == Group::Jupyter).then(|| Box::new(Self::of(cache_dir, source, lock, fingerprint, Group::Python)));
        Self { folder: cache_dir.join("environments").join(name), group, python: source.python, base }
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.folder.join("bin")
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.bin().join("python")
    }

    pub(crate) fn site_packages(&self) -> PathBuf {
        self.folder.join(format!("lib/python{}/site-packages", self.python))
    }

    /// This one and those it extends, innermost last.
    pub(crate) fn chain(&self) -> Vec<&Self> {
        std::iter::successors(Some(self), |environment| environment.base.as_deref()).collect()
    }

    /// Its marker, if it and all it extends are complete.
    pub(crate) fn complete(&self) -> Option<Marker> {
        if let Some(base) = &self.base {
            base.complete()?;
        }
        self.marker()
    }

    /// Its own marker alone.
    pub(crate) fn marker(&self) -> Option<Marker> {
        let text = fs::read(self.folder.join(MARKER)).ok()?;
        let marker: Marker = serde_json::from_slice(&text).ok()?;
        (marker.folder == self.folder).then_some(marker)
    }

    /// Declares it complete.
    pub(crate) fn mark(&self, marker: &Marker) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(marker)?;
        let temporary = self.folder.join(format!("{MARKER}.new"));
        fs::write(&temporary, text)?;
        fs::File::open(&temporary)?.sync_all()?;
        fs::rename(temporary, self.folder.join(MARKER))
    }

    /// The program that starts in it.
    pub(crate) fn program(&self, marker: &Marker, mut located: Located) -> Program {
        located.identity = format!("host:{}", marker.identity);
        let chain = self.chain();
        let own: Vec<PathBuf> = chain.iter().map(|environment| environment.bin()).collect();
        let mut prefixes: Vec<PathBuf> = chain.iter().map(|environment| environment.folder.clone()).collect();
        if !marker.base_prefix.starts_with("/usr") {
            prefixes.push(marker.base_prefix.clone());
        }
        let mut env = python_variables(&own);
        env.push(("VIRTUAL_ENV".to_owned(), text(&self.folder)));
        let shares: Vec<String> = chain.iter().map(|one| text(&one.folder.join("share/jupyter"))).collect();
        env.push(("JUPYTER_PATH".to_owned(), shares.join(":")));
        let default = match self.group {
            Group::Python => "python",
            Group::Jupyter => "jupyter",
        };
        Program {
            located,
            root: Root::Host { prefixes, overlays: Vec::new() },
            env,
            start: Start::Environment { default: default.to_owned(), search: search(&own, &[]), overlays: Vec::new() },
        }
    }
}

/// The variables of every runtime that is Python; folders for caches lie below `/tmp`.
pub(crate) fn python_variables(own: &[PathBuf]) -> Vec<(String, String)> {
    let more = [
        ("PYTHONUNBUFFERED", "1"),
        ("MPLCONFIGDIR", "/tmp/.config/matplotlib"),
        ("JUPYTER_RUNTIME_DIR", "/tmp/.local/share/jupyter/runtime"),
        ("JUPYTER_CONFIG_DIR", "/tmp/.jupyter"),
        ("JUPYTER_DATA_DIR", "/tmp/.local/share/jupyter"),
        ("IPYTHONDIR", "/tmp/.ipython"),
        ("NUMBA_CACHE_DIR", "/tmp/.cache/numba"),
    ];
    let mut env = variables(own);
    env.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    env
}

/// X201, if `version` is another than the tag stands for.
pub(crate) fn other_version(
    resolved: &RuntimeRef,
    stands_for: Minor,
    version: &str,
    packages: &str,
) -> Option<Warning> {
    if version.starts_with(&format!("{stands_for}.")) {
        return None;
    }
    Some(Warning {
        code: "X201",
        message: format!(
            "{resolved} stands for Python {stands_for}; here it runs with Python {version} and {packages}. A backend \
             uses its own Python {stands_for}: results and error messages may differ from those here."
        ),
    })
}

pub(crate) fn located(
    reference: &RuntimeRef,
    resolved: &RuntimeRef,
    title: String,
    warning: Option<Warning>,
    identity: String,
) -> Located {
    Located {
        reference: reference.clone(),
        resolved: resolved.clone(),
        kind: Kind::Native,
        title,
        warnings: warning.into_iter().collect(),
        profile: None,
        identity,
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
