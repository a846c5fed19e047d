//! From a module to its recording: the study's Python runs behind a fence, and only what it recorded comes back.
//! Spec study-definitions.md 1, 13.

use study::fault::Severity;
use study::record::{RecordError, RecordFault, Recorded, Request};
use study::recording::{Recording, Source};

use crate::Context;
use crate::fault::{Exit, Fault, FaultCode, Snippet};
use crate::text::warn;

use super::names::Module;

/// Lines of a study's own output that are shown.
const PRINTED: usize = 200;

/// The recording of a module. What the study printed is told, unless it may hold patients' data.
pub(crate) fn recorded(
    module: &Module,
    params: &[(String, String)],
    context: &mut Context<'_>,
) -> Result<Recorded, Vec<Fault>> {
    let fence = (context.fence)().map_err(|why| {
        let fault =
            Fault::new(FaultCode::Study("SD003"), Exit::Data, format!("study definitions cannot be read here: {why}"));
        vec![fault]
    })?;
    let request = Request { root: context.cwd, module: module.name(), params, backend: &context.backend.clone() };
    match study::record::record(&request, fence.as_ref()) {
        Ok(recorded) => {
            printed(&recorded.printed, context);
            if recorded.dropped_in_all > 0 {
                let names: Vec<String> = recorded.dropped.iter().map(|path| path.display().to_string()).collect();
                let more = if recorded.dropped_in_all > names.len() as u64 { ", …" } else { "" };
                let names = format!("{}{more}", names.join(", "));
                context
                    .log(&format!("note: files that {} wrote while it was read are dropped: {names}", module.name()));
            }
            Ok(recorded)
        }
        Err(RecordError::Fault(fault)) => {
            printed(&fault.printed, context);
            Err(vec![of_python(&fault, context)])
        }
        Err(error) => {
            let message = format!("{}.py cannot be read: {error}", module.name());
            Err(vec![Fault::new(FaultCode::IoError, Exit::Data, message)])
        }
    }
}

/// What a study prints may come from patients' data, and the log is read by people.
fn printed(text: &str, context: &mut Context<'_>) {
    let text = text.trim_end();
    if text.is_empty() {
        return;
    }
    if !context.is_dummy() {
        context.log("note: what the study definition printed is not shown, because it may hold data of patients");
        return;
    }
    for line in text.lines().take(PRINTED) {
        context.log(&format!("  | {line}"));
    }
    if text.lines().count() > PRINTED {
        context.log("  | … (more is not shown)");
    }
}

fn of_python(fault: &RecordFault, context: &Context<'_>) -> Fault {
    let code = study::fault::rule(&fault.code).map_or("SD005", |rule| rule.code);
    let message = match context.is_dummy() {
        true => fault.message.clone(),
        false => format!(
            "the study's Python ended with {}; its words are not shown, because they may hold data of patients",
            fault.kind
        ),
    };
    let mut made = Fault::new(FaultCode::Study(code), Exit::Unreadable, message);
    if let Some(source) = fault.place() {
        made = made.at(snippet(source, context));
    }
    match &fault.fix {
        Some(fix) => made.help(fix.clone()),
        None => made,
    }
}

/// Prints the lints, and gives the faults back as the action's own.
pub(crate) fn told(
    found: &[study::fault::Fault],
    recording: &Recording,
    exit: Exit,
    context: &mut Context<'_>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for fault in found {
        let source = fault.src.and_then(|src| recording.sources.get(src.0 as usize));
        if fault.severity < Severity::Fault {
            let place = source.map(|source| format!("{}:{}: ", source.file, source.line)).unwrap_or_default();
            warn(context.stderr, &format!("{}: {place}{}", fault.code, fault.message));
            continue;
        }
        let mut made = Fault::new(FaultCode::Study(fault.code), exit, fault.message.clone());
        if let Some(source) = source {
            made = made.at(snippet(source, context));
        }
        if let Some(fix) = &fault.fix {
            made = made.help(fix.clone());
        }
        faults.push(made);
    }
    faults
}

fn snippet(source: &Source, context: &Context<'_>) -> Snippet {
    let text = crate::workspace::Workspace::new(context.cwd)
        .and_then(|workspace| workspace.open(std::path::Path::new(&source.file), "the study", Exit::Data))
        .ok()
        .and_then(|file| line_of(file, source.line))
        .unwrap_or_default();
    let indent = text.chars().take_while(|c| c.is_whitespace()).count();
    let (column, width) = match source.span {
        Some(span) => {
            let column = text.get(..span.column as usize).map_or(0, |before| before.chars().count());
            let end = if span.end_line == source.line { span.end_column as usize } else { text.len() };
            let width = text.get(span.column as usize..end).map_or(1, |part| part.trim_end().chars().count());
            (column, width)
        }
        None => (indent, text.trim().chars().count()),
    };
    Snippet {
        file: source.file.clone(),
        line: source.line.into(),
        column: column as u64 + 1,
        text,
        width: width.max(1),
    }
}

/// A line of a file, without reading more of it than a study can have.
fn line_of(file: std::fs::File, line: u32) -> Option<String> {
    use std::io::Read as _;

    let mut bytes = Vec::new();
    file.take(4 << 20).read_to_end(&mut bytes).ok()?;
    let line = bytes.split(|b| *b == b'\n').nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    Some(String::from_utf8_lossy(line).trim_end().to_owned())
}
