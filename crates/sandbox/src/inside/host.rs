//! Image source `host`: which parts of this machine a run sees, and the environments laid beside or over them.
//! System folders, data of programs, and of an environment that lies elsewhere its prefix alone (spec sandbox.md 7).

use std::fs;
use std::path::{Path, PathBuf};

use super::etc;
use super::mounts::{AttributesOf, NewRoot, Tree};
use super::overlay::{self, Top};
use super::root::{Access, Grants};
use crate::failure::{Failure, Step};

/// Caches of programs outside of /usr that are costly to make again.
const CACHES: [&str; 2] = ["/var/cache/fontconfig", "/var/lib/texmf"];
/// Folders that are never a prefix: they hold homes, secrets, other runs, or what a run has of its own.
const NEVER: [&str; 14] = [
    "/",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/media",
    "/mnt",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/tmp",
    "/var",
    "/workspace",
];

/// Something of the host, not attached yet.
pub(super) struct Source {
    at: PathBuf,
    folder: bool,
    tree: Tree,
}

/// All of it.
pub(super) struct Sources {
    pub(super) tops: Vec<(&'static str, Top)>,
    pub(super) shown: Vec<Source>,
}

impl Source {
    /// Attaches it and grants reading.
    pub(super) fn attach(self, root: &NewRoot, grants: &mut Grants) -> Result<(), Failure> {
        let Self { at, folder, tree } = self;
        let attached = if folder { root.attach_folder(&at, tree) } else { root.attach_file(&at, tree) };
        attached.step_with(|| format!("mount {}", at.display()))?;
        grants.push((at, Access::Read));
        Ok(())
    }
}

/// Takes everything that the run will see.
pub(super) fn sources(run: &Path, prefixes: &[PathBuf], overlays: &[PathBuf]) -> Result<Sources, Failure> {
    let tops = overlay::host_tops(Path::new("/")).step("system folders")?;
    let mut shown = Vec::new();
    for layered in overlay::plan(Path::new("/"), &tops, overlays) {
        shown.push(Source { at: layered.at, folder: true, tree: overlay::merge(&layered.layers)? });
    }
    settings(overlays, &mut shown)?;
    for cache in CACHES {
        if Path::new(cache).is_dir() {
            shown.push(read_only(Path::new(cache), Path::new(cache))?);
        }
    }
    for (at, from) in prefix_places(run, prefixes)? {
        shown.push(read_only(&at, &from)?);
    }
    Ok(Sources { tops, shown })
}

/// Makes the host's top links again.
pub(super) fn show_system(root: &NewRoot, tops: &[(&'static str, Top)]) -> Result<(), Failure> {
    for (name, top) in tops {
        if let Top::Link(to) = top {
            root.link(&Path::new("/").join(name), to.as_path()).step_with(|| format!("link /{name}"))?;
        }
    }
    Ok(())
}

fn read_only(at: &Path, from: &Path) -> Result<Source, Failure> {
    let step = || format!("show {}", from.display());
    let folder = fs::metadata(from).step_with(step)?.is_dir();
    let tree = Tree::bind(from).and_then(|tree| tree.set(AttributesOf::Programs)).step_with(step)?;
    Ok(Source { at: at.to_owned(), folder, tree })
}

/// Entries of /etc: the uppermost tree that has one wins, folders of several are merged.
fn settings(overlays: &[PathBuf], shown: &mut Vec<Source>) -> Result<(), Failure> {
    let names_of = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let host = Path::new("/etc");
    let mut names = etc::shown(&names_of(host));
    for tree in overlays {
        names.extend(names_of(&tree.join("etc")).into_iter().filter(|name| etc::allowed_from_overlay(name)));
    }
    names.sort();
    names.dedup();
    // An entry that a tree shows whole hides the host's parts of it.
    let from_trees = |name: &str| overlays.iter().map(|tree| tree.join("etc").join(name)).collect::<Vec<_>>();
    for name in &names {
        let mut layers = from_trees(name);
        if etc::shown(std::slice::from_ref(name)).contains(name) || name.contains('/') {
            layers.push(host.join(name));
        }
        layers.retain(|path| path.exists());
        let at = host.join(name);
        let Some(uppermost) = layers.first() else { continue };
        if uppermost.is_dir() {
            layers.retain(|path| path.is_dir());
            shown.push(Source { at, folder: true, tree: overlay::merge(&layers)? });
        } else {
            shown.push(read_only(&at, uppermost)?);
        }
    }
    Ok(())
}

/// Where each prefix is shown, and what stands there: at its own path and, where links lead to it, also at its real
/// one. What the system folders or an outer prefix show already is left out.
fn prefix_places(run: &Path, prefixes: &[PathBuf]) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
    let run = run.canonicalize().step("folder of the run")?;
    let mut places = Vec::new();
    for prefix in prefixes {
        let step = || format!("prefix {}", prefix.display());
        if !prefix.is_absolute() {
            return Err(Failure::new(step(), "not an absolute path"));
        }
        let real = prefix.canonicalize().step_with(step)?;
        for path in [prefix, &real] {
            if NEVER.iter().any(|never| path == Path::new(never)) || run.starts_with(path) {
                return Err(Failure::new(step(), "it would show more than programs; name the environment itself"));
            }
        }
        places.push((real.clone(), real.clone()));
        if *prefix != real {
            places.push((prefix.clone(), real));
        }
    }
    places.sort();
    let system = |path: &Path| overlay::SYSTEM.iter().any(|(name, _)| path.starts_with(Path::new("/").join(name)));
    let mut kept: Vec<(PathBuf, PathBuf)> = Vec::new();
    for (at, from) in places {
        if !system(&at) && !kept.iter().any(|(outer, _)| at.starts_with(outer)) {
            kept.push((at, from));
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_shown_once_and_where_links_lead() {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        fs::create_dir_all(base.join("real/inner")).unwrap();
        fs::create_dir_all(base.join("run")).unwrap();
        std::os::unix::fs::symlink(base.join("real"), base.join("also")).unwrap();
        let given = [base.join("also"), base.join("real/inner"), "/usr/lib".into()];
        assert_eq!(
            prefix_places(&base.join("run"), &given).unwrap(),
            [(base.join("also"), base.join("real")), (base.join("real"), base.join("real"))]
        );
    }

    #[test]
    fn a_prefix_never_shows_homes_or_other_runs() {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        fs::create_dir_all(base.join("runs/one")).unwrap();
        for prefix in [PathBuf::from("/"), "/etc".into(), "/usr/..".into(), base.join("runs"), "relative".into()] {
            assert!(prefix_places(&base.join("runs/one"), std::slice::from_ref(&prefix)).is_err(), "{prefix:?}");
        }
    }
}
