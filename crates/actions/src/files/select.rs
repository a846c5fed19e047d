//! Which files of the workspace a pattern means, and what stands near it when it means none (actions.md 3.1).
//! The order is that of the bytes of their paths.

use std::path::{Path, PathBuf};

use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

use super::pattern;

/// Most matches of a pattern (actions.md 10).
const MAX_MATCHES: usize = 100_000;
/// Most names told of.
const SHOWN: usize = 5;

/// Every plain file that fits, in the order of the bytes of the paths. `option` names the pattern and `part` the file in
/// faults.
///
/// # Errors
/// A match that leads out of the workspace, and more matches than anybody means.
pub(crate) fn find(workspace: &Workspace, pattern: &str, option: &str, part: &str) -> Result<Vec<PathBuf>, Fault> {
    let start = if pattern.starts_with('/') { "/" } else { "" };
    let segments: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
    let mut found = vec![PathBuf::from(start)];
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        let mut next = Vec::new();
        for folder in &found {
            if !pattern::has_magic(segment) {
                next.push(folder.join(segment));
                continue;
            }
            workspace.check_folder(folder, option)?;
            let names = workspace.files_of(folder);
            next.extend(names.iter().filter(|name| pattern::fits(segment, name)).map(|name| folder.join(name)));
            if next.len() > MAX_MATCHES {
                let message = format!("'{pattern}' matches more than {MAX_MATCHES} files");
                return Err(Fault::new(FaultCode::TooLarge, Exit::Data, message).help("use a narrower pattern"));
            }
        }
        next.retain(|path| !last || workspace.leads_outside(path) || workspace.is_plain_file(path));
        found = next;
    }
    if segments.is_empty() {
        found.clear();
    }
    for path in found.iter().filter(|path| workspace.leads_outside(path)) {
        workspace.open(path, part, Exit::Data)?;
    }
    found.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(found)
}

/// At most five names in the folder of a pattern that come nearest to it.
pub(crate) fn near_misses(workspace: &Workspace, pattern: &str) -> Vec<String> {
    let (folder, last) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    if pattern::has_magic(folder) {
        return Vec::new();
    }
    let last: String = last.chars().take(64).collect();
    let names = workspace.files_of(Path::new(folder));
    let mut near: Vec<(usize, String)> = names
        .into_iter()
        .filter(|name| !name.starts_with('.'))
        .take(MAX_MATCHES)
        .map(|name| (strsim::levenshtein(&last, &name.chars().take(64).collect::<String>()), name))
        .collect();
    near.sort();
    near.into_iter().take(SHOWN).map(|(_, name)| name).collect()
}
