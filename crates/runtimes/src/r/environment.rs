//! Where the tree of an R environment lies, whether it is complete, and the program that starts in it.
//! Its folder's name follows from the locked list alone, so that looking it up takes no process. Spec cli.md 12.

use std::fs;
use std::path::{Path, PathBuf};

use pipeline::RuntimeRef;
use sandbox::Root;
use serde::{Deserialize, Serialize};

use super::lock::{Lock, identity};
use crate::located::{Kind, Located, Warning};
use crate::program::{Program, Start, search, variables};

/// Raised when what `build` makes of the same lock changes.
const LAYOUT: &str = "1";
/// In the environment's folder; present exactly when everything else is.
const MARKER: &str = "cloister-environment.json";
/// Where R finds the packages of the list, and no others that the system may have.
pub(super) const LIBRARY: &str = "usr/lib/R/cloister-library";
/// The distribution's database of packages as far as the tree goes; of the system's a run sees nothing.
pub(super) const DATABASE: &str = "usr/lib/R/cloister-dpkg";

/// What is known of a complete environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// SHA-256 over the packages that are really in it.
    pub(crate) identity: String,
}

/// An environment, built or not.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) folder: PathBuf,
}

impl Environment {
    /// Where the environment of this list belongs; every tag of `r` shares it.
    pub(crate) fn of(cache_dir: &Path, lock: &Lock) -> Self {
        let key = identity(&format!("{} {LAYOUT}", lock.release), &lock.packages);
        Self { folder: cache_dir.join("environments").join(format!("r-{}-{}", lock.release, &key[..16])) }
    }

    /// Laid over the system folders.
    pub(crate) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Its marker, if it is complete.
    pub(crate) fn complete(&self) -> Option<Marker> {
        serde_json::from_slice(&fs::read(self.folder.join(MARKER)).ok()?).ok()
    }

    /// Declares it complete.
    pub(crate) fn mark(&self, marker: &Marker) -> std::io::Result<()> {
        let temporary = self.folder.join(format!("{MARKER}.new"));
        fs::write(&temporary, serde_json::to_vec_pretty(marker)?)?;
        fs::File::open(&temporary)?.sync_all()?;
        fs::rename(temporary, self.folder.join(MARKER))
    }

    /// The program that starts in it.
    pub(crate) fn program(&self, marker: &Marker, mut located: Located) -> Program {
        located.identity = format!("host:{}", marker.identity);
        let overlays = vec![self.tree()];
        let mut env = r_variables(&[], &format!("/{LIBRARY}"));
        env.push(("DPKG_ADMINDIR".to_owned(), format!("/{DATABASE}")));
        Program {
            located,
            root: Root::Host { prefixes: Vec::new(), overlays: overlays.clone() },
            env,
            start: Start::Environment { default: "Rscript".to_owned(), search: search(&[], &overlays), overlays },
        }
    }
}

/// The variables of every runtime that is R. `site` is its folder of packages beside those of R itself; a library of
/// the user's own does not exist inside.
pub(super) fn r_variables(own: &[PathBuf], site: &str) -> Vec<(String, String)> {
    let mut env = variables(own);
    let more = [("R_LIBS_USER", "NULL"), ("R_LIBS_SITE", site)];
    env.extend(
        more.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| ((*name).into(), (*value).into())),
    );
    env
}

/// The R that a tag stands for.
pub(super) fn stands_for(tag: &str) -> &'static str {
    if tag == "v1" { "4.0" } else { "4.4" }
}

/// X201, which is due whenever packages are not those of the original image: always.
pub(super) fn other_packages(resolved: &RuntimeRef, version: &str, packages: &str, absent: &[String]) -> Warning {
    let lacks = match absent {
        [] => String::new(),
        names => format!(" Not among them: {}.", names.join(", ")),
    };
    Warning {
        code: "X201",
        message: format!(
            "{resolved} stands for R {} with a fixed list of packages; here it runs with R {version} and {packages}.{lacks} \
             A backend uses its own: results may differ, and a package that is missing here may be there.",
            stands_for(&resolved.tag)
        ),
    }
}

pub(super) fn located(
    reference: &RuntimeRef,
    resolved: &RuntimeRef,
    title: String,
    warning: Warning,
    identity: String,
) -> Located {
    Located {
        reference: reference.clone(),
        resolved: resolved.clone(),
        kind: Kind::Native,
        title,
        warnings: vec![warning],
        profile: None,
        identity,
    }
}
