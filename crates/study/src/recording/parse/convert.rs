//! From the schema to the types of the room.
//! Forms are checked here, references between parts in `check`.

use super::error::shown;
use super::wire::*;
use super::{MOST_CODES, RecordingError, value};
use crate::recording::*;

type Result<T> = std::result::Result<T, RecordingError>;

pub(super) fn recording(wire: WireRecording) -> Result<Recording> {
    let date = value::date::<serde_json::Error>(&wire.date).map_err(|_| invalid("a `date`", &wire.date))?;
    let mut codes = 0_usize;
    let mut codelists = std::collections::BTreeMap::new();
    for (id, list) in wire.codelists.0 {
        codes += list.items.len();
        if codes > MOST_CODES {
            return Err(RecordingError::TooManyCodes);
        }
        let list = codelist(&id, list)?;
        codelists.insert(CodelistId(id), list);
    }
    Ok(Recording {
        recorder: wire.recorder.version,
        python: wire.recorder.python,
        module: wire.module,
        file: wire.file,
        date,
        params_given: wire.params.given.0,
        params_read: wire.params.read,
        sources: wire.sources.into_iter().map(source).collect::<Result<_>>()?,
        codelists,
        study: wire.study.map(study),
        measures: wire.measures.map(|measures| measures.into_iter().map(measure).collect()),
        files_read: wire.files_read.into_iter().map(file_read).collect::<Result<_>>()?,
        faults: wire.faults.into_iter().map(fault).collect::<Result<_>>()?,
        exception: wire.exception.map(exception),
    })
}

pub(super) fn invalid(what: &'static str, found: &str) -> RecordingError {
    RecordingError::Invalid { what, found: shown(found) }
}

fn source(WireSource(file, line, column, end_line, end_column): WireSource) -> Result<Source> {
    let span = match (column, end_line, end_column) {
        (Some(column), Some(end_line), Some(end_column)) if (line, column) <= (end_line, end_column) => {
            Some(SourceSpan { column, end_line, end_column })
        }
        (None, None, None) => None,
        _ => return Err(invalid("a place among `sources`", &file)),
    };
    if line == 0 {
        return Err(invalid("a line among `sources`", "0"));
    }
    Ok(Source { file, line, span })
}

fn codelist(id: &str, list: WireCodelist) -> Result<Codelist> {
    if !is_hex(&list.sha256, 64) {
        return Err(invalid("a sha256 of a codelist", &list.sha256));
    }
    if id.strip_prefix('c') != list.sha256.get(..16) {
        return Err(invalid("an id of a codelist", id));
    }
    let items = if list.categorised {
        CodelistItems::Categorised(list.items.into_iter().map(pair).collect::<Result<_>>()?)
    } else {
        CodelistItems::Plain(list.items)
    };
    let origin = list.origin.into_iter().map(|origin| Origin {
        function: origin.function,
        file: origin.file,
        column: origin.column,
        category_column: origin.category_column,
        src: SourceId(origin.src),
    });
    Ok(Codelist { system: list.system, items, origin: origin.collect() })
}

fn pair(item: Value) -> Result<(Value, Value)> {
    let Value::List(pair) = item else { return Err(invalid("an item of a categorised codelist", "no pair")) };
    let pair: [Value; 2] = pair.try_into().map_err(|_| invalid("an item of a categorised codelist", "no pair"))?;
    Ok(pair.into())
}

fn study(study: WireStudy) -> StudyCall {
    StudyCall {
        src: SourceId(study.src),
        index_date: study.index_date,
        default_expectations: study.default_expectations,
        population: variable(study.population),
        variables: study.variables.into_iter().map(variable).collect(),
    }
}

fn variable(variable_: WireVariable) -> Variable {
    Variable {
        name: variable_.name,
        function: variable_.function,
        called: variable_.called,
        args: variable_.args.0,
        extra: variable_.extra.into_iter().map(variable).collect(),
        src: SourceId(variable_.src),
        via: variable_.via.into_iter().map(SourceId).collect(),
        name_src: variable_.name_src.map(SourceId),
    }
}

fn measure(measure: WireMeasure) -> Measure {
    Measure {
        id: measure.id,
        numerator: measure.numerator,
        denominator: measure.denominator,
        group_by: measure.group_by,
        small_number_suppression: measure.small_number_suppression,
        src: SourceId(measure.src),
    }
}

fn file_read(file: WireFile) -> Result<FileRead> {
    if !is_hex(&file.sha256, 64) {
        return Err(invalid("a sha256 of a file", &file.sha256));
    }
    Ok(FileRead { path: file.path, sha256: file.sha256, bytes: file.bytes, code: file.kind == WireFileKind::Code })
}

fn fault(fault: WireFault) -> Result<RecordedFault> {
    let digits = fault.code.strip_prefix("SD").filter(|digits| digits.len() == 3);
    if !digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit())) {
        return Err(invalid("a code of a fault", &fault.code));
    }
    Ok(RecordedFault { code: fault.code, kind: fault.kind, message: fault.message, src: fault.src.map(SourceId) })
}

fn exception(exception: WireException) -> Exception {
    Exception {
        kind: exception.kind,
        message: exception.message,
        frames: exception.frames.into_iter().map(SourceId).collect(),
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
