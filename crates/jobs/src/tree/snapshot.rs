//! The working folder as it is, at one moment, by content.
//! Spec jobs.md 18, cli.md 4.3: without `.git`, `metadata/` and whatever matches an output pattern.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sandbox::folder::{FolderError, Kind, SafeFolder, is_temporary};

use super::{Entry, Note, Tree};
use crate::refusal::text;
use crate::store::{Batch, Expect, Store, StoreError, hash_of};

/// Above this many bytes or files a note names the largest folders.
const LARGE: (u64, u64) = (2 << 30, 100_000);
/// How often a file that changes under our hands is read before it is given up.
const TRIES: u32 = 3;

/// What [`snapshot`] made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// The files and links.
    pub tree: Tree,
    /// What was left out, and what is remarkable.
    pub notes: Vec<Note>,
}

/// Reads a project folder into `store`. `exclude` is asked with the path of each file and link and must answer whether it
/// matches an output pattern. Nothing is known by time or size: every byte is read and hashed.
///
/// # Errors
/// The project folder cannot be opened, or the store cannot write. Single files never fail a snapshot: see the notes.
pub fn snapshot(
    project: &Path,
    exclude: &(dyn Fn(&str) -> bool + Sync),
    store: &Store,
) -> Result<Snapshot, StoreError> {
    let batch = store.batch();
    let taken = take(project, exclude, Some(&batch))?;
    batch.commit()?;
    Ok(taken)
}

/// As [`snapshot`], for those who only want to know: nothing is stored, so nothing can be laid out from it.
///
/// # Errors
/// The project folder cannot be opened.
pub fn survey(project: &Path, exclude: &(dyn Fn(&str) -> bool + Sync)) -> Result<Snapshot, StoreError> {
    take(project, exclude, None)
}

fn take(
    project: &Path,
    exclude: &(dyn Fn(&str) -> bool + Sync),
    batch: Option<&Batch<'_>>,
) -> Result<Snapshot, StoreError> {
    let folder = SafeFolder::at(project)?;
    let mut notes = Vec::new();
    let mut tree = Tree::default();
    let files = list(&folder, exclude, &mut tree, &mut notes);
    for outcome in read_all(&folder, batch, &files) {
        match outcome? {
            Ok((path, entry)) => drop(tree.entries.insert(path, entry)),
            Err(note) => notes.push(note),
        }
    }
    notes.extend(large(&tree));
    Ok(Snapshot { tree, notes })
}

/// Lists the files to read; links go straight into the tree.
fn list(folder: &SafeFolder, exclude: &dyn Fn(&str) -> bool, tree: &mut Tree, notes: &mut Vec<Note>) -> Vec<String> {
    let mut files = Vec::new();
    let mut walk = folder.walk(u64::MAX);
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                notes.push(unreadable(&error));
                continue;
            }
        };
        let top_metadata = entry.depth == 1 && entry.name() == "metadata";
        let Some(path) = entry.path.to_str().map(str::to_owned) else {
            notes.push(Note::BadName { path: text(entry.path) });
            walk.skip();
            continue;
        };
        if top_metadata || entry.name().eq_ignore_ascii_case(".git") {
            walk.skip();
            continue;
        }
        match entry.found.kind {
            Kind::Folder => {}
            _ if exclude(&path) => {}
            Kind::File if is_temporary(entry.name()) => {}
            Kind::File => files.push(path),
            Kind::Link => match folder.read_link(&path).map(String::from_utf8) {
                Ok(Ok(target)) if stays_inside(&path, &target) => {
                    tree.entries.insert(path, Entry::Link { target });
                }
                Ok(target) => {
                    let target = target.unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
                    notes.push(Note::LinkOut { path, target });
                }
                Err(error) => notes.push(unreadable(&error)),
            },
            _ => notes.push(Note::Special { path }),
        }
    }
    files
}

type Outcome = Result<Result<(String, Entry), Note>, StoreError>;

/// Reads and hashes with a few threads; the outcomes are in the order of `files`.
fn read_all(folder: &SafeFolder, batch: Option<&Batch<'_>>, files: &[String]) -> Vec<Outcome> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, 4);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((n, path)) = {
            let n = next.fetch_add(1, Ordering::Relaxed);
            files.get(n).map(|path| (n, path))
        } {
            let outcome = read_one(folder, batch, path);
            if outcome.is_err() {
                // The store is broken: no use in reading on.
                next.store(files.len(), Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(n, outcome);
        }
    };
    if files.len() < 8 || threads == 1 {
        work();
    } else {
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    }
    done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect()
}

fn read_one(folder: &SafeFolder, batch: Option<&Batch<'_>>, path: &str) -> Outcome {
    let mut why = String::new();
    for _ in 0..TRIES {
        let mut file = match folder.open(path) {
            Ok(file) => file,
            Err(error) => return Ok(Err(unreadable(&error))),
        };
        let read = match batch {
            Some(batch) => batch.put_file(&mut file, Expect::Known),
            None => hash_of(&mut file).map_err(|source| StoreError::Read { source }),
        };
        match read {
            Ok(object) => {
                let mode = if file.found().executable() { 0o755 } else { 0o644 };
                let entry = Entry::File { mode, object, size: file.size() };
                return Ok(Ok((path.to_owned(), entry)));
            }
            Err(StoreError::Read { source }) => why = source.to_string(),
            Err(other) => return Err(other),
        }
    }
    Ok(Err(Note::Unreadable { path: path.to_owned(), why }))
}

fn unreadable(error: &FolderError) -> Note {
    let why = match error {
        FolderError::Io { source, .. } => source.to_string(),
        FolderError::OtherMount { .. } => "another file system is mounted there".to_owned(),
        _ => "it changed while it was read".to_owned(),
    };
    Note::Unreadable { path: error.path().map(text).unwrap_or_default(), why }
}

/// Whether a link's text, taken from where the link stands, never climbs above the project. Judged by text alone: links
/// are not followed to find out, and a job's sandbox holds it in any case.
fn stays_inside(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') {
        return false;
    }
    let mut depth = path.matches('/').count();
    for segment in target.split('/') {
        match segment {
            "" | "." => {}
            ".." => match depth.checked_sub(1) {
                Some(up) => depth = up,
                None => return false,
            },
            _ => depth += 1,
        }
    }
    true
}

fn large(tree: &Tree) -> Option<Note> {
    let (mut files, mut bytes) = (0, 0u64);
    let mut folders: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (path, entry) in &tree.entries {
        let Entry::File { size, .. } = entry else { continue };
        files += 1;
        bytes = bytes.saturating_add(*size);
        if let Some((top, _)) = path.split_once('/') {
            let sum = folders.entry(top).or_default();
            *sum = (sum.0 + 1, sum.1.saturating_add(*size));
        }
    }
    if bytes <= LARGE.0 && files <= LARGE.1 {
        return None;
    }
    let mut largest: Vec<_> =
        folders.into_iter().map(|(name, (files, bytes))| (name.to_owned(), files, bytes)).collect();
    largest.sort_by_key(|(name, files, bytes)| (std::cmp::Reverse((*bytes, *files)), name.clone()));
    largest.truncate(3);
    Some(Note::Large { files, bytes, largest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_judged_by_their_text() {
        for (path, target, inside) in [
            ("a", "b", true),
            ("a", "./b/../c", true),
            ("d/a", "../b", true),
            ("d/a", "..", true),
            ("a", "..", false),
            ("d/a", "../../b", false),
            ("d/a", "x/../../../b", false),
            ("a", "/etc/passwd", false),
            ("a", "", false),
        ] {
            assert_eq!(stays_inside(path, target), inside, "{path} -> {target}");
        }
    }

    #[test]
    fn the_largest_folders_are_named() {
        let object = crate::ObjectId::of(b"");
        let file = |size| Entry::File { mode: 0o644, object, size };
        let mut tree = Tree::default();
        for (path, size) in [("data/a", 1 << 30), ("data/b", 1 << 30), ("x/y", 5), ("top", 1)] {
            tree.entries.insert(path.to_owned(), file(size));
        }
        let note = large(&tree).unwrap();
        insta::assert_snapshot!(note.to_string(), @"the project has 4 files, 2048 MiB, that are copied for every action; most of it is in `data/` (2 files, 2048 MiB), `x/` (1 files, 0 MiB). Move what no action reads elsewhere");
        tree.entries.remove("top");
        tree.entries.remove("x/y");
        assert_eq!(large(&tree), None, "exactly 2 GiB is fine");
    }
}
