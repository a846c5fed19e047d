//! What the recorder found by itself: faults that did not stop it, and the exception that did.
//! Spec study-definitions.md 1.3 and 13.

use crate::fault::{Fault, Kind, rule};
use crate::recording::{Exception, Recording};

/// Faults of the recording, before anything is checked.
pub(super) fn faults(recording: &Recording) -> Vec<Fault> {
    let mut faults: Vec<Fault> = recording
        .faults
        .iter()
        .map(|found| {
            let code = rule(&found.code).map_or("SD005", |rule| rule.code);
            let mut fault = Fault::new(code, found.message.clone()).kind(Kind::of(&found.kind));
            fault.src = found.src;
            fault
        })
        .collect();
    if let Some(exception) = &recording.exception
        // A fault that the recorder named before it was raised is told once.
        && !recording.faults.iter().any(|f| f.message == exception.message && f.kind == exception.kind)
    {
        faults.push(raised(exception));
    }
    faults
}

fn raised(exception: &Exception) -> Fault {
    let kind = Kind::of(&exception.kind);
    let (code, fix) = match kind {
        Kind::MissingParameterError => ("SD008", Some("give it with `--param KEY=VALUE`")),
        Kind::ModuleNotFoundError => (
            "SD003",
            Some(
                "study definitions run with the packages of the image `python:v1` or `python:v2`, and modules of the repository",
            ),
        ),
        _ => ("SD005", None),
    };
    let words = if exception.message.is_empty() {
        exception.kind.clone()
    } else {
        format!("{}: {}", exception.kind, exception.message)
    };
    let mut fault = Fault::new(code, words).kind(kind).maybe(fix.map(str::to_owned));
    let mut frames = exception.frames.iter().rev().copied();
    fault.src = frames.next();
    fault.via = frames.take(5).collect();
    fault
}
