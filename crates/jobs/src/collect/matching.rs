//! Which files of a workspace the declared patterns match.
//! Spec jobs.md 11: looked at by descriptor, links and special files refused where a pattern meets them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use pipeline::PrivacyLevel;
use sandbox::folder::{FolderError, Kind, SafeFolder};

use super::glob::{Glob, check_name, segment_matches};
use super::listed::PatientRows;
use super::{CollectError, Request, Warning};
use crate::refusal::{Unsafe, Why, text};

/// One matched file.
pub(super) struct Match {
    pub(super) level: PrivacyLevel,
    several: bool,
}

/// What [`find`] found.
pub(super) struct Matches {
    pub(super) files: BTreeMap<String, Match>,
    pub(super) unmatched: Vec<String>,
    pub(super) warnings: Vec<Warning>,
}

/// Matches every pattern. Patterns without `*` are looked up; only if there are others is a part of the tree walked: the
/// folders that a pattern's first segments match.
pub(super) fn find(workspace: &SafeFolder, request: &Request<'_>) -> Result<Matches, CollectError> {
    let globs = request
        .patterns
        .iter()
        .map(|(pattern, level)| Glob::new(pattern, *level))
        .collect::<Result<Vec<_>, Unsafe>>()?;
    let mut opened = HashSet::new();
    let search = loop {
        let mut search = Search { request, globs: &globs, files: BTreeMap::new(), matched: HashSet::new(), bytes: 0 };
        // What the job closed to its owner is opened and the search begun again, once for each path.
        match search.run(workspace) {
            Ok(()) => break search,
            Err(CollectError::Folder(error)) if error.is_denied() => {
                let Some(path) = error.path().map(Path::to_owned).filter(|p| opened.insert(p.clone())) else {
                    return Err(error.into());
                };
                open_way(workspace, &path)?;
            }
            Err(other) => return Err(other),
        }
    };
    let unmatched =
        globs.iter().enumerate().filter(|(n, _)| !search.matched.contains(n)).map(|(_, g)| g.text.to_owned()).collect();
    let rows = if request.patient_level { PatientRows::All } else { PatientRows::read(workspace) };
    Ok(settle(search.files, unmatched, &rows))
}

/// Levels that hold whatever was declared, and the warnings about levels.
fn settle(mut files: BTreeMap<String, Match>, unmatched: Vec<String>, patients: &PatientRows) -> Matches {
    let mut warnings = Vec::new();
    for (path, file) in &mut files {
        if file.several {
            warnings.push(Warning::SeveralLevels { path: path.clone(), level: file.level });
        }
        if file.level != PrivacyLevel::HighlySensitive && patients.has(path) {
            warnings.push(Warning::Raised { path: path.clone(), declared: file.level });
            file.level = PrivacyLevel::HighlySensitive;
        }
    }
    Matches { files, unmatched, warnings }
}

/// Gives the owner the rights on a path and all folders above it that lack them.
pub(super) fn open_way(workspace: &SafeFolder, path: &Path) -> Result<(), FolderError> {
    workspace.allow("")?;
    let mut way = PathBuf::new();
    for segment in path {
        way.push(segment);
        match workspace.stat(&way)? {
            Some(found) if matches!(found.kind, Kind::File | Kind::Folder) => workspace.allow(&way)?,
            _ => break,
        }
    }
    Ok(())
}

struct Search<'r> {
    request: &'r Request<'r>,
    globs: &'r [Glob<'r>],
    files: BTreeMap<String, Match>,
    /// Patterns with at least one file.
    matched: HashSet<usize>,
    bytes: u64,
}

impl Search<'_> {
    fn run(&mut self, workspace: &SafeFolder) -> Result<(), CollectError> {
        let globs = self.globs;
        for (n, glob) in globs.iter().enumerate().filter(|(_, g)| g.literal) {
            self.look_up(workspace, n, glob)?;
        }
        if globs.iter().any(|g| !g.literal) { self.walk(workspace) } else { Ok(()) }
    }

    fn look_up(&mut self, workspace: &SafeFolder, n: usize, glob: &Glob<'_>) -> Result<(), CollectError> {
        let found = match workspace.stat(glob.text) {
            // A file where a folder would be: nothing matches.
            Err(FolderError::NotAFolder { .. }) => None,
            Err(FolderError::Io { source, .. }) if source.raw_os_error() == Some(NAME_TOO_LONG) => None,
            other => other?,
        };
        match found.map(|f| (f.kind, f.size)) {
            None | Some((Kind::Folder, _)) => Ok(()),
            Some((Kind::File, size)) => self.add(glob.text, size, &[n]),
            Some((kind, _)) => Err(refused(glob.text.to_owned(), kind).into()),
        }
    }

    /// Walks where patterns may match.
    fn walk(&mut self, workspace: &SafeFolder) -> Result<(), CollectError> {
        // Of the folder at each depth: the patterns whose first segments match its path.
        let mut alive: Vec<Vec<usize>> =
            vec![self.globs.iter().enumerate().filter(|(_, g)| !g.literal).map(|(n, _)| n).collect()];
        let mut walk = workspace.walk(self.request.limits.entries);
        while let Some(entry) = walk.next() {
            let entry = entry?;
            alive.truncate(entry.depth);
            let Some(candidates) = alive.last() else { break };
            let (full, partial) = self.sort(candidates, entry.depth, entry.name().as_encoded_bytes());
            match entry.found.kind {
                Kind::Folder if partial.is_empty() => walk.skip(),
                Kind::Folder => alive.push(partial),
                Kind::File if full.is_empty() => {}
                Kind::File => {
                    let size = entry.found.size;
                    match entry.path.to_str() {
                        Some(path) => self.add(path, size, &full)?,
                        None => return Err(Unsafe::new(text(entry.path), Why::Name("its name is not UTF-8")).into()),
                    }
                }
                _ if full.is_empty() && partial.is_empty() => {}
                kind => return Err(refused(text(entry.path), kind).into()),
            }
        }
        Ok(())
    }

    /// Of the candidates, those that an entry of this depth and name matches to their end, and those it matches so far.
    fn sort(&self, candidates: &[usize], depth: usize, name: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let (mut full, mut partial) = (Vec::new(), Vec::new());
        for n in candidates {
            let segments = &self.globs[*n].segments;
            let here = segments.get(depth - 1).is_some_and(|s| segment_matches(s.as_bytes(), name));
            if here {
                if segments.len() == depth { &mut full } else { &mut partial }.push(*n);
            }
        }
        (full, partial)
    }

    fn add(&mut self, path: &str, size: u64, globs: &[usize]) -> Result<(), CollectError> {
        check_name(path)?;
        self.matched.extend(globs);
        for n in globs {
            let level = self.globs[*n].level;
            if let Some(file) = self.files.get_mut(path) {
                file.several |= file.level != level;
                file.level = file.level.max(level);
                continue;
            }
            self.bytes = self.bytes.saturating_add(size);
            if self.bytes > self.request.limits.bytes {
                let limit = self.request.limits.bytes;
                return Err(CollectError::TooManyBytes { bytes: self.bytes, limit });
            }
            if self.files.len() as u64 >= self.request.limits.outputs {
                return Err(CollectError::TooManyOutputs { limit: self.request.limits.outputs });
            }
            self.files.insert(path.to_owned(), Match { level, several: false });
        }
        Ok(())
    }
}

/// ENAMETOOLONG.
const NAME_TOO_LONG: i32 = rustix::io::Errno::NAMETOOLONG.raw_os_error();

fn refused(path: String, kind: Kind) -> Unsafe {
    match kind {
        Kind::Link => Unsafe::new(path, Why::Link),
        kind => Unsafe::new(path, Why::Special(kind)),
    }
}
