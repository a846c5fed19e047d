//! Packages of this program's own that every Python environment can import, without a change to the environment.
//! Spec study-definitions.md 1.1 (last line): a folder in the cache, named by its content, bound read-only.
//!
//! `PYTHONPATH` names the folder: it is searched after the script's own folder and before everything else, as an image
//! searches what is installed in it; it holds nothing but these packages, so nothing else changes for a study.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sandbox::Root;
use sha2::{Digest, Sha256};

use crate::options::Library;
use crate::program::Program;
use crate::store::hex;

/// The folder below the cache.
pub(crate) const FOLDER: &str = "library";

/// The program with the library on its path.
pub(crate) fn with(mut program: Program, library: Library, cache_dir: &Path) -> io::Result<Program> {
    if library.is_empty() {
        return Ok(program);
    }
    let folder = install(library, cache_dir)?;
    program.env.push(("PYTHONPATH".to_owned(), folder.to_string_lossy().into_owned()));
    if let Root::Host { prefixes, .. } = &mut program.root {
        prefixes.push(folder);
    }
    Ok(program)
}

/// `{cache}/library/{hash}`, made once for each content.
fn install(library: Library, cache_dir: &Path) -> io::Result<PathBuf> {
    let below = cache_dir.join(FOLDER);
    let folder = below.join(&key(library)[..16]);
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&below)?;
    let new = tempfile::Builder::new().prefix("new-").tempdir_in(&below)?;
    // Whatever this process leaves to others by itself: a run as root has another owner.
    let open_to_all = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode));
    for (name, text) in library {
        let path = new.path().join(name);
        let parent = path.parent().unwrap_or(new.path());
        fs::create_dir_all(parent)?;
        open_to_all(parent, 0o755)?;
        fs::write(&path, text)?;
        open_to_all(&path, 0o644)?;
    }
    open_to_all(new.path(), 0o755)?;
    let made = new.keep();
    match fs::rename(&made, &folder) {
        Ok(()) => Ok(folder),
        // Another process was faster, with the same bytes.
        Err(_) if folder.is_dir() => fs::remove_dir_all(&made).map(|()| folder),
        Err(error) => Err(error),
    }
}

fn key(library: Library) -> String {
    let mut hash = Sha256::new();
    for part in library.iter().flat_map(|(name, text)| [name, text]) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use pipeline::RuntimeRef;

    use super::*;
    use crate::located::{Kind, Located};
    use crate::program::Start;

    fn program() -> Program {
        let reference = RuntimeRef { name: "python".into(), tag: "v1".into() };
        let located = Located {
            resolved: reference.clone(),
            reference,
            kind: Kind::Native,
            title: String::new(),
            warnings: Vec::new(),
            profile: None,
            identity: String::new(),
        };
        let start = Start::Environment { default: "python".into(), search: vec![], overlays: vec![] };
        Program { located, root: Root::Host { prefixes: vec!["/e".into()], overlays: vec![] }, env: vec![], start }
    }

    #[test]
    fn a_folder_for_each_content_made_once() {
        let cache = tempfile::tempdir().unwrap();
        let library: Library = &[("own/__init__.py", "x = 1\n"), ("own/more.py", "")];
        let one = with(program(), library, cache.path()).unwrap();
        let Root::Host { prefixes, .. } = &one.root else { panic!("no host") };
        let folder = &prefixes[1];
        assert_eq!(one.env, [("PYTHONPATH".to_owned(), folder.to_string_lossy().into_owned())]);
        assert_eq!(folder.parent().unwrap(), cache.path().join("library"));
        assert_eq!(fs::read_to_string(folder.join("own/__init__.py")).unwrap(), "x = 1\n");
        assert_eq!(with(program(), library, cache.path()).unwrap(), one);
        let other = with(program(), &[("own/__init__.py", "x = 2\n")], cache.path()).unwrap();
        assert_ne!(other, one);
        assert_eq!(fs::read_dir(cache.path().join("library")).unwrap().count(), 2);
    }

    #[test]
    fn without_packages_nothing_changes() {
        assert_eq!(with(program(), &[], Path::new("/nowhere")).unwrap(), program());
    }
}
