//! Whether the parts of a recording fit together: places and codelists exist, paths stay inside the repository.
//! Spec study-definitions.md 1.3 and 14.

use super::convert::invalid;
use super::{DEEPEST_VARIABLES, MOST_VARIABLES, RecordingError};
use crate::recording::*;

type Result<T> = std::result::Result<T, RecordingError>;

pub(super) fn all(recording: &Recording) -> Result<()> {
    module(&recording.module)?;
    path(&recording.file)?;
    for source in &recording.sources {
        path(&source.file)?;
    }
    for file in &recording.files_read {
        path(&file.path)?;
    }
    for list in recording.codelists.values() {
        codelist(recording, list)?;
    }
    if let Some(study) = &recording.study {
        place(recording, study.src)?;
        value(recording, &study.index_date)?;
        value(recording, &study.default_expectations)?;
        let mut left = MOST_VARIABLES;
        variable(recording, &study.population, 0, &mut left)?;
        for one in &study.variables {
            variable(recording, one, 0, &mut left)?;
        }
    }
    for measure in recording.measures.iter().flatten() {
        place(recording, measure.src)?;
    }
    for src in recording.faults.iter().filter_map(|fault| fault.src) {
        place(recording, src)?;
    }
    recording.exception.iter().flat_map(|e| &e.frames).try_for_each(|src| place(recording, *src))
}

/// `study_definition` and names that begin with `study_definition_`.
fn module(name: &str) -> Result<()> {
    let letters = name.strip_prefix("study_definition").filter(|rest| rest.is_empty() || rest.starts_with('_'));
    let well_formed =
        letters.is_some_and(|rest| rest.len() != 1 && rest.chars().all(|c| c.is_alphanumeric() || c == '_'));
    if well_formed { Ok(()) } else { Err(invalid("a `module`", name)) }
}

/// Relative, in its shortest form, below the root.
fn path(path: &str) -> Result<()> {
    let parts_are_names = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if path.len() <= 4096 && parts_are_names && !path.contains('\0') { Ok(()) } else { Err(invalid("a path", path)) }
}

fn place(recording: &Recording, src: SourceId) -> Result<()> {
    let sources = recording.sources.len();
    if (src.0 as usize) < sources { Ok(()) } else { Err(RecordingError::NoSource { index: src.0, sources }) }
}

fn codelist(recording: &Recording, list: &Codelist) -> Result<()> {
    for origin in &list.origin {
        place(recording, origin.src)?;
        origin.file.as_deref().map_or(Ok(()), path)?;
    }
    match &list.items {
        CodelistItems::Plain(codes) => codes.iter().try_for_each(|code| value(recording, code)),
        CodelistItems::Categorised(pairs) => {
            pairs.iter().try_for_each(|(code, category)| value(recording, code).and(value(recording, category)))
        }
    }
}

fn variable(recording: &Recording, variable_: &Variable, above: usize, left: &mut usize) -> Result<()> {
    if above > DEEPEST_VARIABLES {
        return Err(RecordingError::VariableTooDeep { name: super::error::shown(&variable_.name) });
    }
    *left = left.checked_sub(1).ok_or(RecordingError::TooManyVariables)?;
    place(recording, variable_.src)?;
    variable_.via.iter().chain(&variable_.name_src).try_for_each(|src| place(recording, *src))?;
    variable_.args.iter().try_for_each(|(_, argument)| value(recording, argument))?;
    variable_.extra.iter().try_for_each(|one| variable(recording, one, above + 1, left))
}

/// The codelists in a value exist. Without recursion: a value may be a thousand levels deep.
fn value(recording: &Recording, value: &Value) -> Result<()> {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::List(items) => pending.extend(items),
            Value::Map(entries) => pending.extend(entries.iter().flat_map(|(key, value)| [key, value])),
            Value::Codelist(id) if !recording.codelists.contains_key(id) => {
                return Err(RecordingError::NoCodelist(super::error::shown(&id.0)));
            }
            _ => {}
        }
    }
    Ok(())
}
