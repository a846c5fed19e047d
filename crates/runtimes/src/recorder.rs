//! The Python that reads study definitions: one that is here already. Nothing is ever built or fetched for it.
//! Spec study-definitions.md 1, 14: CPython 3.8 or newer, standard library only.

use std::path::{Path, PathBuf};

use crate::options::{Choice, Options};
use crate::program::is_executable;
use crate::python::candidate::candidates;
use crate::python::interpreter::named;
use crate::python::lock::{Group, Minor};

/// A Python and the folders that it needs besides the system's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderPython {
    /// Absolute.
    pub executable: PathBuf,
    /// Its prefix, and that of its environment; none below `/usr`.
    pub prefixes: Vec<PathBuf>,
}

/// The variable that names it to a `cohortextractor` in a job.
pub const RECORDER_PYTHON: &str = "CLOISTER_RECORDER_PYTHON";

/// From the newest one that tells places exactly (3.11) to the oldest that runs the recorder.
const MINORS: [u8; 9] = [13, 12, 11, 14, 15, 16, 10, 9, 8];

/// Finds the Python for study definitions: the user's own `python:v1` or `python:v2`, an environment of these that is built
/// already (studies may import pandas), else any CPython from 3.8 on, at last the system's `python3`. Starts nothing.
#[must_use]
pub fn recorder(options: &Options) -> Option<RecorderPython> {
    let configured = ["v1", "v2"].iter().find_map(|tag| configured(tag, options));
    let built = || ["v1", "v2"].iter().find_map(|tag| built(tag, options));
    let any = || MINORS.iter().find_map(|minor| named(&options.places, Minor(*minor)).into_iter().next()).map(found);
    let system = || options.places.folders.iter().map(|folder| folder.join("python3")).find(|file| is_executable(file));
    configured.or_else(built).or_else(any).or_else(|| system().map(found))
}

fn configured(tag: &str, options: &Options) -> Option<RecorderPython> {
    let choice = |one: &&crate::options::Configured| one.reference.name == "python" && one.reference.tag == tag;
    match &options.configured.iter().find(choice)?.choice {
        Choice::Native(path) => {
            let executable = if path.is_dir() { path.join("bin/python") } else { path.clone() };
            (executable.is_absolute() && is_executable(&executable)).then(|| found(executable))
        }
        Choice::Container => None,
    }
}

fn built(tag: &str, options: &Options) -> Option<RecorderPython> {
    let candidates = candidates(tag, Group::Python, options).ok()?.found;
    candidates.into_iter().find_map(|candidate| {
        let marker = candidate.environment.complete()?;
        let mut python = found(candidate.environment.python());
        python.prefixes.extend(outside_of_the_system(&marker.base_prefix));
        python.prefixes.sort();
        python.prefixes.dedup();
        Some(python)
    })
}

/// With the prefixes of the program as it is named, and of what it leads to.
fn found(executable: PathBuf) -> RecorderPython {
    let real = executable.canonicalize().ok();
    let of = |file: &Path| file.parent().and_then(Path::parent).map(Path::to_path_buf);
    let both = [of(&executable), real.as_deref().and_then(of)];
    let mut prefixes: Vec<PathBuf> = both.iter().flatten().filter_map(|prefix| outside_of_the_system(prefix)).collect();
    prefixes.sort();
    prefixes.dedup();
    RecorderPython { executable, prefixes }
}

fn outside_of_the_system(prefix: &Path) -> Option<PathBuf> {
    (!prefix.starts_with("/usr") && prefix.parent().is_some()).then(|| prefix.to_path_buf())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use pipeline::RuntimeRef;

    use super::*;
    use crate::options::{Builtins, Configured, Places};

    fn program(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn what_is_here_is_taken_and_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut options = Options {
            cache_dir: root.join("cache"),
            offline: true,
            packages: None,
            builtins: Builtins::default(),
            configured: Vec::new(),
            places: Places { folders: vec![root.join("a/bin"), root.join("b/bin")] },
        };
        assert_eq!(recorder(&options), None);
        program(&root.join("a/bin/python3"));
        assert_eq!(recorder(&options).unwrap().executable, root.join("a/bin/python3"));
        program(&root.join("a/bin/python3.8"));
        program(&root.join("b/bin/python3.11"));
        program(&root.join("a/bin/python3.7"));
        let python = recorder(&options).unwrap();
        assert_eq!((python.executable, python.prefixes), (root.join("b/bin/python3.11"), vec![root.join("b")]));
        program(&root.join("own/bin/python"));
        let reference = RuntimeRef { name: "python".into(), tag: "v2".into() };
        options.configured.push(Configured { reference, choice: Choice::Native(root.join("own")) });
        assert_eq!(recorder(&options).unwrap().executable, root.join("own/bin/python"));
        assert!(!root.join("cache").exists());
    }
}
