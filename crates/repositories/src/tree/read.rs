//! From the list of a tree to its bytes: sizes first, then each blob once, then files, then links.
//! Spec jobs.md 20, 23; sandbox.md 10 (links only after all files).

use std::convert::Infallible;
use std::io::{Cursor, Read};

use crate::objects::{Kind, Objects};
use crate::{BadTree, Commit, Error, Limits, ReadError, TreeLimit, TreePath};

use super::parse::Mode;
use super::walk::{Leaf, List, list, missing};
use super::{TreeName, TreeNames, TreeSink, TreeSummary};

/// Longest target of a link, in bytes.
const LONGEST_TARGET: u64 = 4095;
/// A pointer of git LFS is a short text.
const LONGEST_POINTER: u64 = 1024;
const POINTERS: [&[u8]; 2] = [b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"];

/// What is known of a blob before its bytes are read.
#[derive(Clone, Copy, Default)]
struct Blob {
    size: u64,
    /// First leaf that has it.
    first: usize,
    files: u64,
    link: bool,
}

/// What was kept of a blob.
enum Kept<S> {
    Nothing,
    Bytes { stored: S, pointer: bool },
}

pub(crate) fn read_tree<S: TreeSink>(
    objects: &mut Objects,
    commit: Commit,
    limits: &Limits,
    sink: &mut S,
) -> Result<TreeSummary, ReadError<S::Error>> {
    let mut listed = list(objects, commit, limits)?;
    let blobs = sizes(objects, commit, limits, &mut listed)?;
    let mut kept: Vec<Kept<S::Stored>> = Vec::with_capacity(blobs.len());
    let mut targets: Vec<Option<Vec<u8>>> = vec![None; blobs.len()];
    objects.contents::<ReadError<S::Error>>(&listed.blobs, |n, contents| {
        let blob = blobs[n];
        // Short ones are held in memory: a link's target and a pointer are looked at, and may be a file's bytes as well.
        if contents.kind != Kind::Blob || contents.size != blob.size {
            return Err(unreadable(std::io::ErrorKind::InvalidData.into()).into());
        }
        if blob.link || blob.size <= LONGEST_POINTER {
            let mut bytes = Vec::new();
            contents.read_to_end(&mut bytes).map_err(unreadable)?;
            if blob.link {
                targets[n] = Some(bytes.clone());
            }
            let pointer = blob.size <= LONGEST_POINTER && POINTERS.iter().any(|begins| bytes.starts_with(begins));
            kept.push(store(sink, blob, pointer, &mut Cursor::new(bytes))?);
        } else {
            kept.push(store(sink, blob, false, contents)?);
        }
        Ok(())
    })?;
    hand_over(listed, &blobs, &kept, &targets, commit, sink)
}

pub(crate) fn read_names(
    objects: &mut Objects,
    commit: Commit,
    limits: &Limits,
) -> Result<TreeNames, ReadError<Infallible>> {
    let List { leaves, summary, blobs, .. } = list(objects, commit, limits)?;
    let file = |leaf: Leaf| match leaf.mode {
        Mode::File { executable } => Some(TreeName { path: leaf.path, executable, blob: blobs[leaf.blob].0 }),
        _ => None,
    };
    Ok(TreeNames { tree_id: summary.tree_id, files: leaves.into_iter().filter_map(file).collect() })
}

fn unreadable(error: std::io::Error) -> Error {
    Error::machine("an object of the mirror cannot be read")(error)
}

fn store<S: TreeSink>(
    sink: &mut S,
    blob: Blob,
    pointer: bool,
    bytes: &mut dyn Read,
) -> Result<Kept<S::Stored>, ReadError<S::Error>> {
    if blob.files == 0 {
        return Ok(Kept::Nothing);
    }
    let stored = sink.store(blob.size, bytes).map_err(ReadError::Sink)?;
    Ok(Kept::Bytes { stored, pointer })
}

/// Sizes of all blobs, and whether files of these sizes are allowed.
fn sizes<E>(
    objects: &mut Objects,
    commit: Commit,
    limits: &Limits,
    listed: &mut List,
) -> Result<Vec<Blob>, ReadError<E>> {
    let mut blobs = vec![Blob { first: usize::MAX, ..Blob::default() }; listed.blobs.len()];
    for (n, leaf) in listed.leaves.iter().enumerate() {
        let blob = &mut blobs[leaf.blob];
        blob.first = blob.first.min(n);
        match leaf.mode {
            Mode::Link => blob.link = true,
            _ => blob.files += 1,
        }
    }
    let mut lost = None;
    let (leaves, summary) = (&listed.leaves, &mut listed.summary);
    objects.infos(&listed.blobs, |n, found| {
        let blob = &mut blobs[n];
        let path = || leaves[blob.first].path.clone();
        let (kind, size) = match found {
            Some(found) => found,
            None => {
                lost.get_or_insert(n);
                return Ok(());
            }
        };
        if kind != Kind::Blob {
            return Err(ReadError::BadCommit { commit, path: path(), why: BadTree::WrongKind });
        }
        if blob.link && !(1..=LONGEST_TARGET).contains(&size) {
            let link = leaves.iter().find(|leaf| leaf.blob == n && leaf.mode == Mode::Link);
            let path = link.map_or_else(TreePath::root, |leaf| leaf.path.clone());
            return Err(ReadError::BadCommit { commit, path, why: BadTree::Target });
        }
        if blob.files > 0 && size > limits.one_file {
            let limit = TreeLimit::OneFile { size, limit: limits.one_file };
            return Err(ReadError::TooLarge { commit, path: path(), limit });
        }
        summary.bytes = summary.bytes.saturating_add(size.saturating_mul(blob.files));
        if summary.bytes > limits.bytes {
            return Err(ReadError::TooLarge { commit, path: path(), limit: TreeLimit::Bytes(limits.bytes) });
        }
        blob.size = size;
        Ok(())
    })?;
    match lost {
        Some(n) => Err(missing(objects, listed.blobs[n])),
        None => Ok(blobs),
    }
}

fn hand_over<S: TreeSink>(
    listed: List,
    blobs: &[Blob],
    kept: &[Kept<S::Stored>],
    targets: &[Option<Vec<u8>>],
    commit: Commit,
    sink: &mut S,
) -> Result<TreeSummary, ReadError<S::Error>> {
    let List { leaves, mut summary, .. } = listed;
    let links = || leaves.iter().filter(|leaf| leaf.mode == Mode::Link);
    for leaf in links() {
        if targets[leaf.blob].as_ref().is_none_or(|target| target.contains(&0)) {
            return Err(ReadError::BadCommit { commit, path: leaf.path.clone(), why: BadTree::Target });
        }
    }
    for leaf in &leaves {
        let (Mode::File { executable }, Kept::Bytes { stored, pointer }) = (leaf.mode, &kept[leaf.blob]) else {
            continue;
        };
        summary.files += 1;
        if *pointer {
            summary.lfs_pointers.push(leaf.path.clone());
        }
        sink.file(&leaf.path, executable, blobs[leaf.blob].size, stored).map_err(ReadError::Sink)?;
    }
    for leaf in links() {
        summary.links += 1;
        let target = targets[leaf.blob].as_deref().unwrap_or_default();
        sink.link(&leaf.path, target).map_err(ReadError::Sink)?;
    }
    summary.lfs_pointers.sort();
    summary.submodules.sort();
    Ok(summary)
}
