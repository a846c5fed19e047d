//! Making an R environment: fetch the packages that are not there, unpack them into a tree, mark it complete.
//! Nothing of the packages is executed, nothing outside the cache is touched. Spec cli.md 12.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::environment::{Environment, Marker};
use super::finish::finish_r;
use super::index::{self, Index};
use super::lock::{Package, identity};
use crate::build::{BuildError, Progress};
use crate::command::{Fault, finish};
use crate::located::Located;
use crate::program::Program;
use crate::steps::{check_space, hold, open_to_all, remove, step};
use crate::store::{self, Store, absent};

/// The folder of packages in the cache.
const DEBS: &str = "debs";
/// So many packages are unpacked at the same time.
const AT_ONCE: usize = 2;

/// All that a build needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) cache_dir: PathBuf,
    /// A folder of packages to take before asking a mirror.
    pub(crate) given: Option<PathBuf>,
    pub(crate) release: String,
    pub(crate) packages: Vec<Package>,
    pub(crate) environment: Environment,
    pub(crate) title: String,
    pub(crate) index: Index,
}

/// Whether the file of a package is here already, going by name and length.
pub(crate) fn is_here(cache_dir: &Path, given: Option<&Path>, package: &Package) -> bool {
    use crate::store::Stored;
    let same = |path: PathBuf| path.metadata().is_ok_and(|about| about.is_file() && about.len() == package.size);
    Store::new(cache_dir, DEBS).seems_there(package) || given.is_some_and(|given| same(given.join(package.file())))
}

impl Work {
    /// Bytes to fetch.
    pub(crate) fn bytes_to_fetch(&self) -> u64 {
        self.to_fetch().iter().map(|package| package.size).sum()
    }

    /// What has to be fetched.
    pub(crate) fn to_fetch(&self) -> Vec<&Package> {
        self.packages.iter().filter(|one| !is_here(&self.cache_dir, self.given.as_deref(), one)).collect()
    }

    /// Bytes on disk in the end.
    pub(crate) fn unpacked(&self) -> u64 {
        self.packages.iter().map(|package| package.unpacked).sum()
    }

    /// What a complete environment of these packages is known by.
    pub(crate) fn identity(&self) -> String {
        identity(&self.release, &self.packages)
    }
}

pub(crate) fn build(work: &Work, located: &Located, progress: &mut dyn FnMut(Progress)) -> Result<Program, BuildError> {
    let folder = &work.environment.folder;
    let environments = work.cache_dir.join("environments");
    fs::create_dir_all(&environments).map_err(BuildError::io("making the folder", &environments))?;
    let held = hold(folder, progress)?;
    if let Some(marker) = work.environment.complete() {
        return Ok(work.environment.program(&marker, located.clone()));
    }
    check_space(&work.title, &work.cache_dir, work.bytes_to_fetch() + work.unpacked())?;
    remove(folder)?;
    let debs = Store::new(&work.cache_dir, DEBS);
    fetch(work, &debs, &held, progress)?;
    progress(Progress::Installing { packages: work.packages.len() });
    let tree = work.environment.tree();
    fs::create_dir_all(&tree).map_err(BuildError::io("making the folder", &tree))?;
    unpack(&work.packages, &debs, &tree, &held)?;
    finish_r(&tree, &work.packages).map_err(BuildError::io("finishing", &tree))?;
    open_to_all(folder).map_err(BuildError::io("setting the permissions of", folder))?;
    let marker = Marker { identity: work.identity() };
    work.environment.mark(&marker).map_err(BuildError::io("completing", folder))?;
    Ok(work.environment.program(&marker, located.clone()))
}

fn fetch(work: &Work, debs: &Store, held: &File, progress: &mut dyn FnMut(Progress)) -> Result<(), BuildError> {
    let packages: Vec<&Package> = work.packages.iter().collect();
    if let Some(given) = &work.given {
        let absent = absent(debs, &packages)?;
        debs.take(given, &absent, true).map_err(BuildError::io("reading the packages of", given))?;
    }
    store::fetch(debs, &work.cache_dir, &packages, progress, |batch, arriving| {
        match work.index.fetch(batch, arriving, held) {
            Ok(()) => Ok(()),
            Err(Fault::Start(source)) => Err(BuildError::io("starting apt-get in", arriving)(source)),
            Err(Fault::Ended { messages, .. }) => Err(BuildError::Fetch {
                packages: batch.first().map_or_else(String::new, |first| match batch.len() {
                    1 => format!("{} {}", first.name, first.version),
                    more => format!("{} {} and {} more", first.name, first.version, more - 1),
                }),
                hint: index::hint(&messages),
                messages,
            }),
        }
    })
}

/// Unpacks every package over the others; which one comes first does not matter, since no two have the same file.
fn unpack(packages: &[Package], debs: &Store, tree: &Path, held: &File) -> Result<(), BuildError> {
    let left = Mutex::new(packages.iter());
    let next = || left.lock().ok().and_then(|mut left| left.next());
    let worker = || -> Result<(), BuildError> {
        while let Some(package) = next() {
            let mut command = Command::new("dpkg-deb");
            command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C").current_dir(tree);
            command.arg("--extract").arg(debs.path(package)).arg(tree);
            finish(command, held).map_err(step("unpacking a package"))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(step("unpacking the packages")(Fault::Start(std::io::ErrorKind::Other.into()))))
        })
    })
}

#[cfg(test)]
pub(crate) mod tests;
