//! From a module to its recording: the study's Python runs behind a fence, and only what it recorded comes back.
//! Spec study-definitions.md 1, 13.

use std::error::Error;
use std::io::{self, Read as _};

use pipeline::report::HumanOptions;
use study::fault::{Severity, Texts};
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
            said(&recorded, module, context);
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
            let fault = match no_space(&error) {
                true => Fault::new(FaultCode::OutOfSpace, Exit::Data, message)
                    .help("free some space where temporary files go (TMPDIR) and run again"),
                false => Fault::new(FaultCode::IoError, Exit::Data, message),
            };
            Err(vec![fault])
        }
    }
}

/// Whether a full disk is behind an error: a study is read in a copy, which is written where temporary files go.
fn no_space(error: &RecordError) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        next = error.source();
    }
    false
}

/// What a file of patients goes back to. The id of a recording hangs on all that it holds, which may be patients' data.
fn said(recorded: &Recorded, module: &Module, context: &mut Context<'_>) {
    let (recorder, python) = (&recorded.recording.recorder, &recorded.recording.python);
    let id = Recording::id(&recorded.json);
    let id = if context.is_dummy() { format!("recording {}, ", id.get(..16).unwrap_or(&id)) } else { String::new() };
    context.log(&format!("read analysis/{}.py: {id}recorder {recorder}, Python {python}", module.name()));
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

/// Lints of a study that a run shows.
const LINTS: usize = 10;

/// Prints faults and lints with their lines. With a fault among them the run ends, and nothing is left to say.
pub(crate) fn told(
    found: &[study::fault::Fault],
    recording: &Recording,
    exit: Exit,
    context: &mut Context<'_>,
) -> Vec<Fault> {
    let texts = Texts::read(recording, found, |file| text_of(file, context));
    let mut found = found.to_vec();
    study::fault::silence(recording, &mut found, &texts);
    let (faults, mut lints): (Vec<_>, Vec<_>) = found.into_iter().partition(|fault| fault.severity >= Severity::Fault);
    let more = lints.len().saturating_sub(LINTS);
    lints.truncate(if faults.is_empty() { LINTS } else { 0 });
    for lint in &lints {
        let source = lint.src.and_then(|src| recording.sources.get(src.0 as usize));
        let place = source.map(|source| format!("{}:{}: ", source.file, source.line)).unwrap_or_default();
        let variable = lint.variable.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
        warn(context.stderr, &format!("{}: {place}{variable}{}", lint.code, lint.message));
    }
    if faults.is_empty() && more > 0 {
        let module = &recording.module;
        context.log(&format!("note: {more} more such lines: cloister study check {module}"));
    }
    if faults.is_empty() {
        return Vec::new();
    }
    let options = HumanOptions { ascii: true, width: 100, ..HumanOptions::default() };
    let text = study::fault::human(recording, &faults, &texts, &options);
    let _ = write!(context.stderr, "{}", crate::text::clean(&text));
    vec![Fault::told(exit)]
}

/// A Python file of the study.
pub(crate) fn text_of(file: &str, context: &Context<'_>) -> Option<String> {
    let workspace = crate::workspace::Workspace::new(context.cwd).ok()?;
    let file = workspace.open(std::path::Path::new(file), "the study", Exit::Data).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Bytes of a Python file that are read for a message.
const LARGEST: u64 = 4 << 20;

fn snippet(source: &Source, context: &Context<'_>) -> Snippet {
    let line = usize::try_from(source.line).unwrap_or(1).saturating_sub(1);
    let text = text_of(&source.file, context).and_then(|text| text.lines().nth(line).map(str::to_owned));
    let text = text.unwrap_or_default();
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
