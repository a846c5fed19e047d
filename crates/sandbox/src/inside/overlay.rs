//! Laying the trees of an environment over the host's system folders, read-only.
//! A tree may hold `bin` where the host's `/bin` is a link to `usr/bin`, or the other way round: both spellings of a
//! folder are merged (spec sandbox.md 7, image source `host`).

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};

use super::mounts::{AttributesOf, Tree};
use crate::failure::{Failure, Step};

/// The host's top folders that hold programs, each with where a link of that name leads on merged systems.
pub(super) const SYSTEM: &[(&str, &str)] = &[
    ("usr", "usr"),
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib32", "usr/lib32"),
    ("lib64", "usr/lib64"),
    ("libx32", "usr/libx32"),
];

/// A folder of the new root: layers, the uppermost first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layered {
    /// As inside: `/usr`.
    pub(super) at: PathBuf,
    pub(super) layers: Vec<PathBuf>,
}

/// What stands at a top name of the host.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Top {
    /// A link, to be made again as it is.
    Link(PathBuf),
    /// A real folder.
    Folder,
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Looks at the host's top names that exist.
pub(super) fn host_tops(host: &Path) -> io::Result<Vec<(&'static str, Top)>> {
    let mut tops = Vec::new();
    for (name, _) in SYSTEM {
        let path = host.join(name);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => tops.push((*name, Top::Link(fs::read_link(&path)?))),
            Ok(found) if found.is_dir() => tops.push((*name, Top::Folder)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(tops)
}

/// Which layers stand where; outer folders come before inner ones.
pub(super) fn plan(host: &Path, tops: &[(&'static str, Top)], overlays: &[PathBuf]) -> Vec<Layered> {
    let mut plan = Vec::new();
    let top = |wanted: &str| tops.iter().find(|(name, _)| *name == wanted).map(|(_, top)| top);
    for (name, merged) in SYSTEM {
        let own: Vec<PathBuf> = overlays.iter().map(|tree| tree.join(name)).filter(|path| is_folder(path)).collect();
        match top(name) {
            Some(Top::Folder) => {
                let layers = own.into_iter().chain([host.join(name)]).collect();
                plan.push(Layered { at: Path::new("/").join(name), layers });
            }
            // The host has the folder merged into /usr; a tree's own folder of that name goes there too.
            Some(Top::Link(_)) if !own.is_empty() => {
                let both = overlays.iter().flat_map(|tree| [tree.join(name), tree.join(merged)]);
                let layers = both.chain([host.join(merged)]).filter(|path| is_folder(path)).collect();
                plan.push(Layered { at: Path::new("/").join(merged), layers });
            }
            None if !own.is_empty() => plan.push(Layered { at: Path::new("/").join(name), layers: own }),
            Some(Top::Link(_)) | None => {}
        }
    }
    plan
}

/// One read-only mount of all layers.
pub(super) fn merge(layers: &[PathBuf]) -> Result<Tree, Failure> {
    let named = || match layers {
        [one] => format!("show {}", one.display()),
        _ => format!("lay {} folders over each other", layers.len()),
    };
    let tree = match layers {
        [one] => Tree::bind(one.as_path()).step_with(named)?,
        many => {
            // Numbers instead of paths: a path may hold the separator, and the option takes 255 bytes.
            let opened: Vec<OwnedFd> = many
                .iter()
                .map(|layer| open(layer.as_path(), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()))
                .collect::<Result<_, _>>()
                .step_with(named)?;
            let names: Vec<String> =
                opened.iter().map(|layer| format!("/proc/self/fd/{}", layer.as_raw_fd())).collect();
            let option = names.join(":");
            if option.len() > 255 {
                return Err(Failure::new(named(), "too many: at most 12 trees can be laid over the system folders"));
            }
            Tree::fresh("overlay", &[("lowerdir", &option)]).step_with(named)?
        }
    };
    tree.set(AttributesOf::Programs).step_with(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(root: &Path, folders: &[&str]) -> PathBuf {
        for folder in folders {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        root.to_owned()
    }

    #[test]
    fn both_spellings_of_a_merged_folder_are_layers() {
        let temporary = tempfile::tempdir().unwrap();
        let host = make(&temporary.path().join("host"), &["usr/lib", "usr/bin"]);
        std::os::unix::fs::symlink("usr/lib", host.join("lib")).unwrap();
        let first = make(&temporary.path().join("first"), &["usr/lib", "lib"]);
        let second = make(&temporary.path().join("second"), &["usr"]);
        let tops = host_tops(&host).unwrap();
        assert_eq!(tops, [("usr", Top::Folder), ("lib", Top::Link("usr/lib".into()))]);
        assert_eq!(
            plan(&host, &tops, &[first.clone(), second.clone()]),
            [
                Layered { at: "/usr".into(), layers: vec![first.join("usr"), second.join("usr"), host.join("usr")] },
                Layered {
                    at: "/usr/lib".into(),
                    layers: vec![first.join("lib"), first.join("usr/lib"), host.join("usr/lib")]
                },
            ]
        );
    }

    #[test]
    fn a_folder_that_only_a_tree_has_is_shown() {
        let temporary = tempfile::tempdir().unwrap();
        let host = make(&temporary.path().join("host"), &["usr"]);
        let tree = make(&temporary.path().join("tree"), &["lib64"]);
        let tops = host_tops(&host).unwrap();
        assert_eq!(
            plan(&host, &tops, std::slice::from_ref(&tree)).last(),
            Some(&Layered { at: "/lib64".into(), layers: vec![tree.join("lib64")] })
        );
    }
}
