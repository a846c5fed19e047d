//! Which files are measure files: found by pattern, told by their names or by ehrQL's header (actions.md 6.2).
//! The order is that of the bytes of their paths.

use std::io::Write;
use std::path::PathBuf;

use crate::fault::{Exit, Fault, FaultCode};
use crate::files::{self, Compat};
use crate::workspace::Workspace;

use super::options::Input;
use super::source;

/// Most names told of in one line.
const SHOWN: usize = 5;

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) path: PathBuf,
    /// From the name; `None` for ehrQL's measures files, which name their measures themselves.
    pub(super) id: Option<String>,
}

/// The measure a file's name speaks of: `bp` of `measure_bp.csv` or `measure_bp.csv.gz`.
pub(super) fn id_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("measure_")?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    (end > 0 && rest[end..].starts_with(".csv")).then(|| &rest[..end])
}

/// Finds the files; empty only where the original would have done nothing in silence.
pub(super) fn select(
    workspace: &Workspace,
    input: &Input,
    compat: Compat,
    stderr: &mut dyn Write,
) -> Result<Vec<Selected>, Fault> {
    let pattern = match input {
        Input::Pattern(pattern) => pattern.clone(),
        Input::Folder(folder) => format!("{}/*", folder.trim_end_matches('/')),
    };
    let matches = files::find(workspace, &pattern, "--input-files", "the measure file")?;
    let (mut used, mut skipped) = (Vec::new(), Vec::new());
    for path in &matches {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match id_of(name) {
            Some(id) => used.push(Selected { path: path.clone(), id: Some(id.to_owned()) }),
            None if source::is_ehrql(workspace, path)? => used.push(Selected { path: path.clone(), id: None }),
            None => skipped.push(name),
        }
    }
    let named = |names: &[&str]| {
        let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
    };
    if used.is_empty() {
        let message = match skipped.as_slice() {
            [] => format!("no file matches '{pattern}'"),
            _ => format!("of the files that match '{pattern}', none is a measure file: {}", named(&skipped)),
        };
        let near = files::near_misses(workspace, &pattern);
        let near = if near.is_empty() || !skipped.is_empty() {
            "measure files are named measure_<id>.csv; <id> is made of letters, digits and _".to_owned()
        } else {
            format!("near it stand: {}", near.join(", "))
        };
        if compat != Compat::Safe {
            crate::text::warn(stderr, &format!("{message}; nothing is made, as in the original program ({near})"));
            return Ok(Vec::new());
        }
        return Err(Fault::new(FaultCode::NoInputMatched, Exit::Data, message).help(near));
    }
    if !skipped.is_empty() {
        let line = format!("skipped, because they are no measure files: {}", named(&skipped));
        let _ = writeln!(stderr, "{}", crate::text::clean(&line));
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_measure() {
        let rows = [
            ("measure_bp.csv", Some("bp")),
            ("measure_bp.csv.gz", Some("bp")),
            ("measure_bp_2.csv", Some("bp_2")),
            ("measure_é1.csv", Some("é1")),
            ("measure__.csv", Some("_")),
            ("measure_bp.csv.bak", Some("bp")),
            ("measure_bp_2020-02-01.csv", None),
            ("measure_.csv", None),
            ("measure_bp.CSV", None),
            ("measure_b p.csv", None),
            ("measure_bp", None),
            ("measure_bp.feather", None),
            ("xmeasure_bp.csv", None),
            ("Measure_bp.csv", None),
        ];
        for (name, id) in rows {
            assert_eq!(id_of(name), id, "{name}");
        }
    }
}
