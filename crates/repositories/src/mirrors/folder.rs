//! The folder of one mirror: where it lies, how it comes to be, who may write it, and what a killed git left in it.
//! Spec jobs.md 20: keyed by host and path.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::FlockOperation;
use sha1::{Digest, Sha1};

use crate::git::{Access, Call, Done, Git};
use crate::url::Place;
use crate::{Error, RepoUrl, Settings};

/// Time for a call that reads or writes only the mirror.
const LOCAL_LIMIT: Duration = Duration::from_secs(120);
/// With more packs than this a mirror is made compact.
const MANY_PACKS: usize = 32;
/// The file inside a mirror that is locked by whoever writes it.
const LOCK: &str = "cloister.lock";

/// A bare repository of ours.
#[derive(Debug, Clone)]
pub(crate) struct Mirror {
    path: PathBuf,
}

/// The right to write one mirror; also held by every git that does.
#[derive(Debug)]
pub(crate) struct WriteLock {
    pub(super) file: File,
}

/// A folder and what it lies in, readable by us alone.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

impl Mirror {
    /// The mirror of an address, made if it is not there.
    pub(super) fn of(url: &RepoUrl, settings: &Settings, git: &Git) -> Result<Self, Error> {
        let mirror = Self { path: settings.root.join(place_of(url)) };
        if !mirror.is_there() {
            let what = format!("the mirror {} cannot be made", mirror.path.display());
            mirror.make(&settings.root, git).map_err(Error::machine(what))?;
        }
        Ok(mirror)
    }

    /// Whether there is a mirror of an address.
    pub(super) fn is_made(url: &RepoUrl, settings: &Settings) -> bool {
        Self { path: settings.root.join(place_of(url)) }.is_there()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn is_there(&self) -> bool {
        self.path.join("HEAD").exists()
    }

    /// Made beside and renamed: a mirror is there in full or not at all.
    fn make(&self, root: &Path, git: &Git) -> io::Result<()> {
        let one_at_a_time = lock(&root.join(".lock"))?;
        if self.is_there() {
            return Ok(());
        }
        let new = root.join(".new");
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut init = git.command(&new, &Access::Nothing);
        // git holds the lock as well: should we be killed now, nobody takes the folder from under it.
        init.stdin(Stdio::from(one_at_a_time.try_clone()?));
        let made = init.args(["init", "--quiet", "--bare", "--template="]).output()?;
        if !made.status.success() {
            return Err(io::Error::other(crate::text::told(&made.stderr, &[])));
        }
        if let Some(parent) = self.path.parent() {
            make_private(parent)?;
        }
        fs::rename(&new, &self.path)
    }

    /// Waits until nobody else writes, then removes what a killed git may have left.
    pub(super) fn write(&self) -> Result<WriteLock, Error> {
        let what = format!("the mirror {} cannot be locked", self.path.display());
        let file = lock(&self.path.join(LOCK)).map_err(Error::machine(what))?;
        let what = format!("the mirror {} cannot be tidied", self.path.display());
        self.tidy().map_err(Error::machine(what))?;
        Ok(WriteLock { file })
    }

    /// Under the lock no git is at work, so every lock file of git and every half-written pack is left over.
    fn tidy(&self) -> io::Result<()> {
        for name in ["shallow.lock", "packed-refs.lock", "config.lock", "HEAD.lock"] {
            remove_file(&self.path.join(name))?;
        }
        remove_below(&self.path.join("refs"), &|name| name.ends_with(".lock"))?;
        let half = |name: &str| name.starts_with("tmp_") || name.ends_with(".keep") || name.ends_with(".lock");
        remove_below(&self.path.join("objects"), &half)?;
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if name.to_str().is_some_and(|name| name.starts_with("shallow_")) {
                remove_file(&self.path.join(name))?;
            }
        }
        Ok(())
    }

    /// Makes one pack of many, and one file of many refs: every fetch adds to both. Under the lock; a kill is harmless, and
    /// what is being read meanwhile stays readable.
    pub(super) fn compact(&self, git: &Git, lock: &WriteLock, settings: &Settings) -> Result<(), Error> {
        let packs = fs::read_dir(self.path.join("objects/pack"));
        let is_pack = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "pack");
        let count = packs.map_or(0, |packs| packs.filter_map(Result::ok).filter(is_pack).count());
        if count <= MANY_PACKS {
            return Ok(());
        }
        let (limit, max_file) = (settings.time_limit, 1 << 50);
        let (access, lock) = (Access::Nothing, Some(&lock.file));
        let call = Call { git, repository: &self.path, access, limit, max_file, lock };
        // Without a search for deltas: those that came are kept, and no more are worth the time.
        call.run(["repack", "-a", "-d", "-q", "--window=0"])?;
        call.run(["pack-refs", "--all"])?;
        Ok(())
    }

    /// A call that only concerns the mirror.
    pub(super) fn local<const N: usize>(&self, git: &Git, words: [&str; N]) -> Result<Done, Error> {
        let (access, lock) = (Access::Nothing, None);
        Call { git, repository: &self.path, access, limit: LOCAL_LIMIT, max_file: 1 << 30, lock }.run(words)
    }

    /// The object a ref names.
    pub(super) fn read_ref(&self, git: &Git, name: &str) -> Result<Option<String>, Error> {
        let done = self.local(git, ["rev-parse", "--quiet", "--verify", "--end-of-options", name])?;
        Ok(done.ok().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned()))
    }

    /// Whether one commit is the other or one of its ancestors, as far as the mirror knows.
    pub(super) fn is_ancestor(&self, git: &Git, old: &str, new: &str) -> Result<bool, Error> {
        Ok(self.local(git, ["merge-base", "--is-ancestor", old, new])?.ok())
    }

    /// Whether an object of that name is here and a commit: a tag, which leads to one, is none.
    pub(super) fn has_commit(&self, git: &Git, id: &str) -> Result<bool, Error> {
        let done = self.local(git, ["cat-file", "-t", id])?;
        Ok(done.ok() && done.stdout == b"commit\n")
    }

    pub(super) fn set_ref(&self, git: &Git, name: &str, object: &str) -> Result<(), Error> {
        let done = self.local(git, ["update-ref", "--", name, object])?;
        match done.ok() {
            true => Ok(()),
            false => Err(Error::Damaged { mirror: self.path.clone(), why: crate::text::told(&done.stderr, &[]) }),
        }
    }
}

fn lock(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).read(true).open(path)?;
    rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))?;
    Ok(file)
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_below(folder: &Path, doomed: &dyn Fn(&str) -> bool) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let is_doomed = entry.file_name().to_str().is_some_and(doomed);
            match entry.file_type()?.is_dir() {
                true if is_doomed => fs::remove_dir_all(entry.path())?,
                true => folders.push(entry.path()),
                false if is_doomed => remove_file(&entry.path())?,
                false => {}
            }
        }
    }
    Ok(())
}

/// `host/a/b.git`, `host+8443/a/b.git`; a folder of this machine by the hash of its path. Segments of an address need no
/// escaping, and none but the last ends with `.git`, so that no mirror lies inside another.
fn place_of(url: &RepoUrl) -> PathBuf {
    match &url.0 {
        Place::Https(https) => {
            let port = https.port.map(|port| format!("+{port}")).unwrap_or_default();
            PathBuf::from(format!("{}{port}/{}.git", https.host, https.segments.join("/")))
        }
        Place::Local(path) => {
            let hash = Sha1::digest(path.as_os_str().as_encoded_bytes());
            PathBuf::from(format!("+local/{}.git", data_encoding::HEXLOWER.encode(&hash)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_keyed_by_host_and_path() {
        for (url, place) in [
            ("https://Code.example.org/a/b.git", "code.example.org/a/b.git"),
            ("https://code.example.org/a/b/c", "code.example.org/a/b/c.git"),
            ("https://code.example.org:8443/a", "code.example.org+8443/a.git"),
            ("/srv/a", "+local/ad9cda397be56c4790a1dda1affc346dea62705b.git"),
        ] {
            assert_eq!(place_of(&url.parse().unwrap()), Path::new(place), "{url}");
        }
    }
}
