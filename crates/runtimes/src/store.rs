//! The shared store of package files: one folder a hash, so that what is there need not be fetched again.
//! A file counts only if its bytes have the hash that its list names; anything else there is removed. Spec cli.md 12.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::build::{BuildError, Progress};

/// Files of about this many bytes are fetched by one call.
const BATCH_BYTES: u64 = 8_000_000;
const BATCH_FILES: usize = 24;

/// What a list says of one package's file.
pub(crate) trait Stored {
    /// The file's name as published; installers read it, so it is kept.
    fn file(&self) -> String;
    /// Lower-case hex.
    fn sha256(&self) -> &str;
    /// Bytes.
    fn size(&self) -> u64;
}

/// `{cache}/{kind}`, as `wheels`.
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn new(cache_dir: &Path, kind: &str) -> Self {
        Self { folder: cache_dir.join(kind) }
    }

    /// Where the file of a package lies if it is there.
    pub(crate) fn path(&self, package: &impl Stored) -> PathBuf {
        self.folder.join(package.sha256()).join(package.file())
    }

    /// Whether a file of the right name and length is there; its bytes are checked by [`Self::verified`] before use.
    pub(crate) fn seems_there(&self, package: &impl Stored) -> bool {
        fs::symlink_metadata(self.path(package)).is_ok_and(|about| about.is_file() && about.len() == package.size())
    }

    /// Whether the right bytes are there; wrong ones are removed.
    pub(crate) fn verified(&self, package: &impl Stored) -> io::Result<bool> {
        let path = self.path(package);
        match sha256(&path) {
            Ok(hash) if hash == package.sha256() => Ok(true),
            Ok(_) => fs::remove_file(path).map(|()| false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the right files out of `source`, whatever their names; `copy` leaves the originals there.
    pub(crate) fn take(&self, source: &Path, wanted: &[&impl Stored], copy: bool) -> io::Result<()> {
        for entry in fs::read_dir(source)? {
            let path = entry?.path();
            let about = fs::symlink_metadata(&path)?;
            if !about.is_file() || !wanted.iter().any(|package| package.size() == about.len()) {
                continue;
            }
            let hash = sha256(&path)?;
            if let Some(package) = wanted.iter().find(|package| package.sha256() == hash) {
                self.put(&path, *package, copy)?;
            }
        }
        Ok(())
    }

    fn put(&self, file: &Path, package: &impl Stored, copy: bool) -> io::Result<()> {
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The packages whose right bytes are not there; wrong ones are removed.
pub(crate) fn absent<'p, P: Stored>(store: &Store, packages: &[&'p P]) -> Result<Vec<&'p P>, BuildError> {
    let mut absent = Vec::new();
    for package in packages {
        let path = store.path(*package);
        if !store.verified(*package).map_err(BuildError::io("reading", &path))? {
            absent.push(*package);
        }
    }
    Ok(absent)
}

/// Groups of files that are fetched together, in the order of the list: the smaller, the less an interruption costs.
pub(crate) fn batches<'p, P: Stored>(packages: &[&'p P]) -> Vec<Vec<&'p P>> {
    let mut batches: Vec<Vec<&P>> = Vec::new();
    let mut bytes = 0;
    for package in packages {
        match batches.last_mut() {
            Some(last) if last.len() < BATCH_FILES && bytes + package.size() <= BATCH_BYTES => last.push(package),
            _ => {
                bytes = 0;
                batches.push(vec![package]);
            }
        }
        bytes += package.size();
    }
    batches
}

/// Has every absent file fetched, batch by batch, into a folder that is gone afterwards, and takes it into the store.
pub(crate) fn fetch<P: Stored>(
    store: &Store,
    cache_dir: &Path,
    packages: &[&P],
    progress: &mut dyn FnMut(Progress),
    get: impl Fn(&[&P], &Path) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let absent_now = absent(store, packages)?;
    let total: u64 = packages.iter().map(|package| package.size()).sum();
    let mut done = total - absent_now.iter().map(|package| package.size()).sum::<u64>();
    if !absent_now.is_empty() {
        progress(Progress::Fetching { done, total });
    }
    for batch in batches(&absent_now) {
        let arriving = tempfile::Builder::new()
            .prefix("arriving-")
            .tempdir_in(cache_dir)
            .map_err(BuildError::io("making a folder in", cache_dir))?;
        get(&batch, arriving.path())?;
        store.take(arriving.path(), &batch, false).map_err(BuildError::io("storing packages in", cache_dir))?;
        if let Some(wrong) = absent(store, &batch)?.first() {
            return Err(BuildError::Bytes { package: wrong.file() });
        }
        done += batch.iter().map(|package| package.size()).sum::<u64>();
        progress(Progress::Fetching { done, total });
    }
    Ok(())
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

    /// SHA-256 of `abc`, from the standard's own example.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    struct File(u64);

    impl Stored for File {
        fn file(&self) -> String {
            "a-1-py3-none-any.whl".to_owned()
        }
        fn sha256(&self) -> &str {
            ABC
        }
        fn size(&self) -> u64 {
            self.0
        }
    }

    fn package() -> File {
        File(3)
    }

    #[test]
    fn batches_keep_the_order_and_stay_small() {
        let files = [5_000_000, 3_000_000, 1, 90_000_000, 2, 2].map(File);
        let sizes: Vec<Vec<u64>> =
            batches(&files.iter().collect::<Vec<_>>()).iter().map(|b| b.iter().map(|f| f.0).collect()).collect();
        assert_eq!(sizes, [vec![5_000_000, 3_000_000], vec![1], vec![90_000_000], vec![2, 2]]);
        let many: Vec<File> = (0..49).map(|_| File(1)).collect();
        let counts: Vec<usize> = batches(&many.iter().collect::<Vec<_>>()).iter().map(Vec::len).collect();
        assert_eq!(counts, [24, 24, 1]);
    }

    #[test]
    fn only_the_right_bytes_count() {
        let folder = tempfile::tempdir().unwrap();
        let (wheels, package) = (Store::new(folder.path(), "wheels"), package());
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
        let (wheels, package) = (Store::new(folder.path(), "wheels"), package());
        fs::create_dir_all(wheels.path(&package).parent().unwrap()).unwrap();
        fs::write(wheels.path(&package), "abd").unwrap();
        assert!(wheels.seems_there(&package));
        assert!(!wheels.verified(&package).unwrap());
        assert!(!wheels.path(&package).exists());
    }
}
