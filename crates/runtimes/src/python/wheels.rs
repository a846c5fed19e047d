//! The shared store of wheels: one folder a hash, so that what is there need not be fetched again, whoever fetched it.
//! A file counts only if its bytes have the hash that the lock names; anything else there is removed. Spec cli.md 12.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::lock::{Package, hex};

/// `{cache}/wheels`.
pub(crate) struct Wheels {
    folder: PathBuf,
}

impl Wheels {
    pub(crate) fn new(cache_dir: &Path) -> Self {
        Self { folder: cache_dir.join("wheels") }
    }

    /// Where the wheel of a package lies if it is there. Installers read the file's name, so that is kept.
    pub(crate) fn path(&self, package: &Package) -> PathBuf {
        self.folder.join(&package.sha256).join(&package.wheel)
    }

    /// Whether a file of the right name and length is there; its bytes are checked by [`Self::verified`] before use.
    pub(crate) fn seems_there(&self, package: &Package) -> bool {
        fs::symlink_metadata(self.path(package)).is_ok_and(|about| about.is_file() && about.len() == package.size)
    }

    /// Whether the right bytes are there; wrong ones are removed.
    pub(crate) fn verified(&self, package: &Package) -> io::Result<bool> {
        let path = self.path(package);
        match sha256(&path) {
            Ok(hash) if hash == package.sha256 => Ok(true),
            Ok(_) => fs::remove_file(path).map(|()| false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the right files out of `source`, whatever their names; `copy` leaves the originals there.
    pub(crate) fn take(&self, source: &Path, wanted: &[&Package], copy: bool) -> io::Result<()> {
        for entry in fs::read_dir(source)? {
            let path = entry?.path();
            let about = fs::symlink_metadata(&path)?;
            if !about.is_file() || !wanted.iter().any(|package| package.size == about.len()) {
                continue;
            }
            let hash = sha256(&path)?;
            if let Some(package) = wanted.iter().find(|package| package.sha256 == hash) {
                self.put(&path, package, copy)?;
            }
        }
        Ok(())
    }

    fn put(&self, file: &Path, package: &Package, copy: bool) -> io::Result<()> {
        let target = self.path(package);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        if !copy && fs::rename(file, &target).is_ok() {
            return Ok(());
        }
        let temporary = target.with_extension("new");
        fs::copy(file, &temporary)?;
        fs::rename(temporary, target)
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::lock::{Group, Lock};

    /// SHA-256 of `abc`, from the standard's own example.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn package() -> Package {
        let text = format!(
            "platform = 'p'\npackage = [{{ group = 'python', name = 'a', version = '1', wheel = 'a-1-py3-none-any.whl', \
             sha256 = '{ABC}', size = 3, unpacked = 3 }}]"
        );
        Lock::parse(&text).unwrap().of(Group::Python).next().unwrap().clone()
    }

    #[test]
    fn only_the_right_bytes_count() {
        let folder = tempfile::tempdir().unwrap();
        let (wheels, package) = (Wheels::new(folder.path()), package());
        assert!(!wheels.verified(&package).unwrap());
        let source = folder.path().join("source");
        fs::create_dir(&source).unwrap();
        fs::write(source.join("wrong.whl"), "abd").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", source.join("link.whl")).unwrap();
        wheels.take(&source, &[&package], true).unwrap();
        assert!(!wheels.seems_there(&package));
        fs::write(source.join("other name.whl"), "abc").unwrap();
        wheels.take(&source, &[&package], true).unwrap();
        assert!(source.join("other name.whl").exists());
        assert!(wheels.seems_there(&package) && wheels.verified(&package).unwrap());
        wheels.take(&source, &[&package], false).unwrap();
        assert!(!source.join("other name.whl").exists());
    }

    #[test]
    fn a_corrupt_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (wheels, package) = (Wheels::new(folder.path()), package());
        fs::create_dir_all(wheels.path(&package).parent().unwrap()).unwrap();
        fs::write(wheels.path(&package), "abd").unwrap();
        assert!(wheels.seems_there(&package));
        assert!(!wheels.verified(&package).unwrap());
        assert!(!wheels.path(&package).exists());
    }
}
