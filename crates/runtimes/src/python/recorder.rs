//! Which Python reads study definitions: one that is there already; nothing is built or fetched for it.
//! Spec study-definitions.md 1 (CPython 3.8 or newer), 1.1 (what a study may import).

use std::path::{Path, PathBuf};

use super::candidate::candidates;
use super::interpreter::{self, named};
use super::lock::{Group, Minor};
use crate::catalogue::settle;
use crate::options::{Choice, Options};
use crate::program::is_executable;

/// Interpreters without packages, best first: from 3.11 on they tell the column of a fault.
const MINORS: [u8; 9] = [11, 12, 13, 14, 15, 16, 10, 9, 8];

/// A Python that reads study definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderPython {
    /// Absolute.
    pub executable: PathBuf,
    /// Folders that it needs besides the system's own; they are made visible, read-only, where it runs.
    pub prefixes: Vec<PathBuf>,
}

/// The Python for study definitions: the environment of `python:v1` if it is built or the user names one, else that of
/// `python:v2`, since studies may import what these images have; else any CPython from 3.8 on; at last the system's
/// `python3`. `None`: there is none at all. Starts a process only for an environment that the user names.
#[must_use]
pub fn recorder_python(options: &Options) -> Option<RecorderPython> {
    let environments = ["v1", "v2"].into_iter().find_map(|tag| chosen(tag, options).or_else(|| built(tag, options)));
    environments.or_else(|| bare(options)).or_else(|| system(options))
}

/// The one that the user's settings name.
fn chosen(tag: &str, options: &Options) -> Option<RecorderPython> {
    let is_it = |one: &&crate::options::Configured| {
        let settled = settle(&one.reference);
        settled.name == "python" && settled.tag == tag
    };
    let Choice::Native(path) = &options.configured.iter().find(is_it)?.choice else { return None };
    let executable = if path.is_dir() { path.join("bin/python") } else { path.clone() };
    if !executable.is_absolute() || !is_executable(&executable) {
        return None;
    }
    let interpreter = interpreter::ask(&executable).ok().filter(|found| found.minor >= (3, 8))?;
    Some(RecorderPython { executable, prefixes: outside_the_system([interpreter.prefix, interpreter.base_prefix]) })
}

/// The one that was built from a locked list.
fn built(tag: &str, options: &Options) -> Option<RecorderPython> {
    let candidates = candidates(tag, Group::Python, options).ok()?;
    candidates.found.iter().find_map(|candidate| {
        let marker = candidate.environment.complete()?;
        let chain = candidate.environment.chain();
        let folders = chain.iter().map(|one| one.folder.clone()).chain([marker.base_prefix]);
        Some(RecorderPython { executable: candidate.environment.python(), prefixes: outside_the_system(folders) })
    })
}

/// Any interpreter of this machine.
fn bare(options: &Options) -> Option<RecorderPython> {
    let found = MINORS
        .into_iter()
        .flat_map(|minor| named(&options.places, Minor(minor)).into_iter().map(move |executable| (minor, executable)));
    found.into_iter().find_map(|(minor, executable)| of_file(executable, &format!("lib/python3.{minor}")))
}

fn system(options: &Options) -> Option<RecorderPython> {
    let mut files = options.places.folders.iter().map(|folder| folder.join("python3"));
    files.find(|file| file.starts_with("/usr") && is_executable(file)).and_then(|file| of_file(file, ""))
}

/// An interpreter by its file: its folder must be one of Python's, lest something else becomes visible with it.
fn of_file(executable: PathBuf, library: &str) -> Option<RecorderPython> {
    let prefix = executable.parent().and_then(Path::parent)?.to_path_buf();
    let prefixes = outside_the_system([prefix]);
    prefixes.iter().all(|prefix| prefix.join(library).is_dir()).then_some(RecorderPython { executable, prefixes })
}

fn outside_the_system(folders: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut prefixes: Vec<PathBuf> = Vec::new();
    for folder in folders {
        if !folder.starts_with("/usr") && !prefixes.contains(&folder) {
            prefixes.push(folder);
        }
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::options::{Builtins, Places};
    use crate::python::environment::Marker;

    fn executable(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\nexit 1\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn options(folders: Vec<PathBuf>) -> Options {
        Options {
            cache_dir: "/nowhere".into(),
            offline: true,
            packages: None,
            builtins: Builtins::default(),
            configured: Vec::new(),
            places: Places { folders },
            library: &[],
        }
    }

    #[test]
    fn a_newer_one_is_preferred_and_folders_that_are_not_pythons_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().canonicalize().unwrap().join(path);
        assert_eq!(recorder_python(&options(vec![at("a/bin")])), None);
        for minor in [7, 8, 9] {
            executable(&at(&format!("3.{minor}/bin/python3.{minor}")));
            fs::create_dir_all(at(&format!("3.{minor}/lib/python3.{minor}"))).unwrap();
        }
        // Somebody's home with a copy of an interpreter in its bin/.
        executable(&at("home/bin/python3.12"));
        let places = ["3.7/bin", "3.8/bin", "3.9/bin", "home/bin"].map(at).to_vec();
        let found = recorder_python(&options(places)).unwrap();
        assert_eq!(found, RecorderPython { executable: at("3.9/bin/python3.9"), prefixes: vec![at("3.9")] });
    }

    #[test]
    fn an_environment_that_was_built_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().canonicalize().unwrap().join(path);
        for minor in [8, 10, 13] {
            executable(&at(&format!("3.{minor}/bin/python3.{minor}")));
            fs::create_dir_all(at(&format!("3.{minor}/lib/python3.{minor}"))).unwrap();
        }
        let mut options = options(["3.8/bin", "3.10/bin", "3.13/bin"].map(at).to_vec());
        options.cache_dir = at("cache");
        let build = |tag: &str, base: &str| {
            let candidates = candidates(tag, Group::Python, &options).unwrap();
            let environment = &candidates.found[0].environment;
            executable(&environment.python());
            let (folder, base_prefix) = (environment.folder.clone(), at(base));
            let marker = Marker { folder, version: String::new(), base_prefix, identity: String::new() };
            environment.mark(&marker).unwrap();
            RecorderPython {
                executable: environment.python(),
                prefixes: vec![environment.folder.clone(), marker.base_prefix],
            }
        };
        assert_eq!(recorder_python(&options).unwrap().executable, at("3.13/bin/python3.13"));
        let second = build("v2", "3.10");
        assert_eq!(recorder_python(&options), Some(second));
        let first = build("v1", "3.8");
        assert_eq!(recorder_python(&options), Some(first));
    }

    #[test]
    fn the_environment_that_a_user_names_counts_as_built() {
        let Some(python) = recorder_python(&options(Places::here(None).folders)) else { return };
        let reference = |tag: &str| pipeline::RuntimeRef { name: "python".into(), tag: tag.into() };
        let mut named = options(Vec::new());
        for (tag, works) in [("latest", true), ("v2", true), ("dev", true)] {
            let choice = Choice::Native(python.executable.clone());
            named.configured = vec![crate::options::Configured { reference: reference(tag), choice }];
            assert_eq!(recorder_python(&named).map(|one| one.executable), works.then(|| python.executable.clone()));
        }
        let folder = tempfile::tempdir().unwrap();
        named.configured[0].choice = Choice::Native(folder.path().to_path_buf());
        assert_eq!(recorder_python(&named), None);
    }
}
