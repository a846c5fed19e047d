//! The Python that reads study definitions: one that is here already. Nothing is ever built or fetched for it.
//! Spec study-definitions.md 1, 14: CPython 3.8 or newer, standard library only.

use std::fs;
use std::path::{Path, PathBuf};

use crate::catalogue::settle;
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

/// Those that tell places exactly first (3.11), from the one that the most studies have met; then the older ones.
const MINORS: [u8; 9] = [11, 12, 13, 14, 15, 16, 10, 9, 8];

/// Finds the Python for study definitions: the user's own `python:v1` or an environment of it that is built already
/// (studies may import pandas), the same of `python:v2`, else any CPython from 3.8 on, at last the system's `python3`.
/// Starts nothing.
#[must_use]
pub fn recorder(options: &Options) -> Option<RecorderPython> {
    let environments = ["v1", "v2"].iter().find_map(|tag| configured(tag, options).or_else(|| built(tag, options)));
    let any = || MINORS.iter().flat_map(|minor| named(&options.places, Minor(*minor))).find_map(found);
    let system =
        || options.places.folders.iter().map(|folder| folder.join("python3")).filter(|file| is_executable(file));
    environments.or_else(any).or_else(|| system().find_map(found))
}

fn configured(tag: &str, options: &Options) -> Option<RecorderPython> {
    let choice = |one: &&crate::options::Configured| {
        let settled = settle(&one.reference);
        settled.name == "python" && settled.tag == tag
    };
    match &options.configured.iter().find(choice)?.choice {
        Choice::Native(path) => {
            let executable = if path.is_dir() { path.join("bin/python") } else { path.clone() };
            (executable.is_absolute() && is_executable(&executable)).then(|| found(executable)).flatten()
        }
        Choice::Container => None,
    }
}

fn built(tag: &str, options: &Options) -> Option<RecorderPython> {
    let candidates = candidates(tag, Group::Python, options).ok()?.found;
    candidates.into_iter().find_map(|candidate| {
        let marker = candidate.environment.complete()?;
        let mut python = found(candidate.environment.python())?;
        if !marker.base_prefix.starts_with("/usr") && !python.prefixes.contains(&marker.base_prefix) {
            python.prefixes.push(marker.base_prefix);
        }
        Some(python)
    })
}

/// With the prefixes of the program as it is named, of what it leads to, and of what its environment was made from. Each is
/// one of Python's, or the program is not taken: nothing else (a home with an interpreter in its `bin/`) becomes visible.
fn found(executable: PathBuf) -> Option<RecorderPython> {
    let of = |file: &Path| file.parent().and_then(Path::parent).map(Path::to_path_buf);
    let named = of(&executable)?;
    let real = executable.canonicalize().ok().and_then(|real| of(&real));
    let prefixes = [Some(named.clone()), real, made_from(&named)];
    let mut prefixes: Vec<PathBuf> = prefixes.into_iter().flatten().filter(|one| !one.starts_with("/usr")).collect();
    prefixes.sort();
    prefixes.dedup();
    prefixes.iter().all(|prefix| is_pythons(prefix)).then_some(RecorderPython { executable, prefixes })
}

/// The prefix that a virtual environment names as its home.
fn made_from(environment: &Path) -> Option<PathBuf> {
    let settings = fs::read_to_string(environment.join("pyvenv.cfg")).ok()?;
    let home = settings.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "home")?.1;
    let home = Path::new(home.trim());
    home.is_absolute().then(|| home.parent().map(Path::to_path_buf)).flatten()
}

/// Whether a folder holds a Python, or an environment of one.
fn is_pythons(prefix: &Path) -> bool {
    let of_python = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("python3");
    prefix.join("pyvenv.cfg").is_file()
        || fs::read_dir(prefix.join("lib")).is_ok_and(|entries| entries.flatten().any(of_python))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use pipeline::RuntimeRef;

    use super::*;
    use crate::options::{Builtins, Configured, Places};
    use crate::python::environment::Marker;

    fn program(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn python(path: &Path) {
        program(path);
        fs::create_dir_all(path.parent().unwrap().parent().unwrap().join("lib/python3.x")).unwrap();
    }

    fn options(cache_dir: PathBuf, folders: Vec<PathBuf>) -> Options {
        Options {
            cache_dir,
            offline: true,
            packages: None,
            builtins: Builtins::default(),
            configured: Vec::new(),
            places: Places { folders },
            library: &[],
        }
    }

    #[test]
    fn what_is_here_is_taken_and_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        let mut options = options(at("cache"), vec![at("home/bin"), at("a/bin"), at("b/bin")]);
        assert_eq!(recorder(&options), None);
        python(&at("a/bin/python3"));
        assert_eq!(recorder(&options).unwrap().executable, at("a/bin/python3"));
        python(&at("a/bin/python3.8"));
        python(&at("b/bin/python3.11"));
        python(&at("a/bin/python3.7"));
        // Somebody's home with an interpreter in its bin/ stays closed.
        program(&at("home/bin/python3.11"));
        let found = recorder(&options).unwrap();
        assert_eq!((found.executable, found.prefixes), (at("b/bin/python3.11"), vec![at("b")]));
        // A virtual environment, by a link and by what it says.
        fs::create_dir_all(at("own/bin")).unwrap();
        symlink(at("a/bin/python3.8"), at("own/bin/python")).unwrap();
        fs::write(at("own/pyvenv.cfg"), format!("home = {}\n", at("b/bin").display())).unwrap();
        let reference = RuntimeRef { name: "python".into(), tag: "v2".into() };
        options.configured.push(Configured { reference, choice: Choice::Native(at("own")) });
        let found = recorder(&options).unwrap();
        assert_eq!((found.executable, found.prefixes), (at("own/bin/python"), vec![at("a"), at("b"), at("own")]));
        assert!(!at("cache").exists());
    }

    #[test]
    fn an_environment_that_was_built_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        for minor in [8, 10, 13] {
            python(&at(&format!("3.{minor}/bin/python3.{minor}")));
        }
        let options = options(at("cache"), ["3.8/bin", "3.10/bin", "3.13/bin"].map(at).to_vec());
        let build = |tag: &str, base: &str| {
            let candidates = candidates(tag, Group::Python, &options).unwrap();
            let environment = &candidates.found[0].environment;
            python(&environment.python());
            let (folder, base_prefix) = (environment.folder.clone(), at(base));
            let marker = Marker { folder, version: String::new(), base_prefix, identity: String::new() };
            environment.mark(&marker).unwrap();
            let prefixes = vec![environment.folder.clone(), marker.base_prefix];
            RecorderPython { executable: environment.python(), prefixes }
        };
        assert_eq!(recorder(&options).unwrap().executable, at("3.13/bin/python3.13"));
        let second = build("v2", "3.10");
        assert_eq!(recorder(&options), Some(second));
        let first = build("v1", "3.8");
        assert_eq!(recorder(&options), Some(first));
    }
}
