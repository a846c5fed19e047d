//! Interpreters of this machine: found by name without running anything, verified by running them once.
//! Nothing is looked for in a study's folder (`Places` leaves it out). Spec cli.md 5.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::lock::Minor;
use crate::command::{clean, output_of};
use crate::options::Places;
use crate::program::is_executable;

/// What an interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Interpreter {
    /// `3.8.18`.
    pub(crate) version: String,
    pub(crate) minor: (u8, u8),
    pub(crate) implementation: String,
    /// `linux-x86_64`.
    pub(crate) platform: String,
    pub(crate) prefix: PathBuf,
    pub(crate) base_prefix: PathBuf,
    pub(crate) has_venv: bool,
    /// The version of the pip that it imports.
    pub(crate) pip: Option<String>,
    /// The file, links resolved.
    #[serde(skip)]
    pub(crate) executable: PathBuf,
}

impl Interpreter {
    /// Whether it belongs to a virtual environment.
    pub(crate) fn is_virtual(&self) -> bool {
        self.prefix != self.base_prefix
    }
}

/// The files named `python3.N` in these places, links resolved, each once.
pub(crate) fn named(places: &Places, minor: Minor) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in &places.folders {
        let path = folder.join(format!("python{minor}"));
        if !is_executable(&path) {
            continue;
        }
        if let Ok(real) = path.canonicalize()
            && !found.contains(&real)
        {
            found.push(real);
        }
    }
    found
}

/// Text that changes when the file is replaced by another one: part of an environment's folder name.
pub(crate) fn fingerprint(executable: &Path) -> std::io::Result<String> {
    let about = executable.metadata()?;
    let changed = format!("{}.{}", about.mtime(), about.mtime_nsec());
    Ok(format!("{}\n{} {} {}", executable.display(), about.ino(), about.len(), changed))
}

/// Asks an interpreter what it is. `Err` is a verdict for people.
pub(crate) fn ask(executable: &Path) -> Result<Interpreter, String> {
    let mut command = Command::new(executable);
    command.args(["-B", "-c", include_str!("ask.py")]);
    clean(&mut command, Path::new("/"));
    let answer = output_of(command)?;
    let mut interpreter = parse(&answer)?;
    interpreter.executable = executable.to_path_buf();
    Ok(interpreter)
}

fn parse(answer: &str) -> Result<Interpreter, String> {
    let interpreter: Interpreter =
        serde_json::from_str(answer.trim()).map_err(|error| format!("its answer is not understood ({error})"))?;
    if interpreter.implementation != "cpython" {
        return Err(format!("it is {}, not CPython", interpreter.implementation));
    }
    Ok(interpreter)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn answer(implementation: &str, prefix: &str, base_prefix: &str) -> String {
        format!(
            r#"{{"version": "3.8.18", "minor": [3, 8], "implementation": "{implementation}", "platform": "linux-x86_64",
            "prefix": "{prefix}", "base_prefix": "{base_prefix}", "has_venv": true, "pip": null}}"#
        )
    }

    #[test]
    fn answers_are_judged() {
        assert_eq!(parse(&answer("cpython", "/usr", "/usr")).unwrap().version, "3.8.18");
        assert!(parse(&answer("pypy", "/usr", "/usr")).unwrap_err().contains("not CPython"));
        assert!(parse(&answer("cpython", "/venv", "/usr")).unwrap().is_virtual());
        assert!(parse("Python 3.8").unwrap_err().contains("not understood"));
    }

    fn script(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn found_once_through_links_in_order_of_places() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().canonicalize().unwrap().join(path);
        script(&at("one/python3.8"), "");
        script(&at("two/python3.8"), "");
        fs::create_dir_all(at("three")).unwrap();
        symlink(at("one/python3.8"), at("three/python3.8")).unwrap();
        fs::create_dir_all(at("four/python3.8")).unwrap();
        symlink("nowhere", at("four/python3.9")).unwrap();
        let places = Places { folders: ["three", "two", "one", "four", "none"].map(at).to_vec() };
        assert_eq!(named(&places, Minor(8)), [at("one/python3.8"), at("two/python3.8")]);
        assert!(named(&places, Minor(9)).is_empty());
    }

    #[test]
    fn a_broken_or_endless_interpreter_is_a_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("python3.8");
        script(&path, "#!/bin/sh\nexit 3\n");
        assert!(ask(&path).unwrap_err().contains("exit status: 3"));
        script(&path, "#!/bin/sh\nyes | head -c 1000000\n");
        assert!(ask(&path).is_err());
        assert!(ask(&folder.path().join("absent")).unwrap_err().contains("cannot be started"));
    }
}
