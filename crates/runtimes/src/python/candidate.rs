//! The pairs of interpreter and lock that can serve a request, best first, found without running anything.
//! Spec cli.md 5: the tag's own interpreter, else the nearest newer one with a lock of its own.

use std::path::PathBuf;

use super::environment::Environment;
use super::interpreter::{fingerprint, named};
use super::lock::{BadLock, Group, Lock, Minor, serving};
use crate::located::Tried;
use crate::options::Options;

/// One way to serve a request.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) python: Minor,
    pub(crate) executable: PathBuf,
    pub(crate) lock: Lock,
    pub(crate) environment: Environment,
}

/// The candidates, and what was looked for in vain.
pub(crate) struct Candidates {
    pub(crate) stands_for: Minor,
    pub(crate) found: Vec<Candidate>,
    pub(crate) tried: Vec<Tried>,
}

pub(crate) fn candidates(generation: &str, group: Group, options: &Options) -> Result<Candidates, BadLock> {
    let sources = serving(generation);
    let stands_for = sources.first().map_or(Minor(u8::MAX), |source| source.python);
    let mut all = Candidates { stands_for, found: Vec::new(), tried: Vec::new() };
    for source in sources {
        let executables = named(&options.places, source.python);
        if executables.is_empty() {
            let verdict = format!("no python{} in {} folders", source.python, options.places.folders.len());
            all.tried.push(Tried { candidate: format!("Python {}", source.python), verdict });
            continue;
        }
        let lock = source.read()?;
        for executable in executables {
            match fingerprint(&executable) {
                Ok(fingerprint) => all.found.push(Candidate {
                    python: source.python,
                    environment: Environment::of(&options.cache_dir, &source, &lock, &fingerprint, group),
                    executable,
                    lock: lock.clone(),
                }),
                Err(error) => all.tried.push(Tried {
                    candidate: executable.display().to_string(),
                    verdict: format!("cannot be read ({error})"),
                }),
            }
        }
    }
    Ok(all)
}

impl Candidate {
    /// For people: `pandas 1.0.1`.
    pub(crate) fn packages(&self) -> String {
        format!("pandas {}", self.lock.version("pandas").unwrap_or("-"))
    }
}
