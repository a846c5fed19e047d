//! Why there is no recording: one clear error with its code, the place in the study, and a fix.
//! Spec study-definitions.md 13, SD001–SD010 and the faults of section 6.

use std::fmt;
use std::io;

use sandbox::folder::FolderError;

use super::fence::{Ended, FenceError, How};
use super::fix;
use crate::recording::{Recording, RecordingError, Source};

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The study's doing.
    #[error("{0}")]
    Fault(Box<RecordFault>),
    /// The recorder could not be run.
    #[error(transparent)]
    Fence(FenceError),
    /// The workspace could not be read or copied.
    #[error("the study's folder cannot be copied for the recorder: {0}")]
    Workspace(#[source] FolderError),
    /// An operation of the system failed.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
}

/// A fault of a study that ended its recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFault {
    /// Such as `SD005`.
    pub code: String,
    /// Name of the Python exception class.
    pub kind: String,
    /// What is wrong, in words. The words of a study's own exception may hold what it has read.
    pub message: String,
    /// Lines of the repository, innermost last: the place is the last one.
    pub frames: Vec<Source>,
    /// What to do.
    pub fix: Option<String>,
    /// What the study printed before.
    pub printed: String,
}

impl RecordFault {
    pub(super) fn new(code: &str, kind: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            kind: kind.to_owned(),
            message: message.into(),
            frames: Vec::new(),
            fix: None,
            printed: String::new(),
        }
    }

    /// The line that is at fault, if one is known.
    #[must_use]
    pub fn place(&self) -> Option<&Source> {
        self.frames.last()
    }
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.code)?;
        if let Some(place) = self.place() {
            write!(f, "{}:{}: ", place.file, place.line)?;
        }
        write!(f, "{}", self.message)?;
        for outer in self.frames.iter().rev().skip(1).take(5) {
            write!(f, "\n  called from {}:{}", outer.file, outer.line)?;
        }
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, "\n  to mend it: {fix}"))
    }
}

impl RecordError {
    pub(super) fn fault(fault: RecordFault) -> Self {
        Self::Fault(Box::new(fault))
    }

    /// The fault, if it is the study's doing.
    #[must_use]
    pub fn as_fault(&self) -> Option<&RecordFault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}

fn made(code: &str, kind: &str, message: String, fix: &str) -> RecordError {
    RecordError::fault(RecordFault { fix: Some(fix.to_owned()), ..RecordFault::new(code, kind, message) })
}

/// The study's Python failed, and the recorder told where.
pub(super) fn of_exception(recording: &Recording, printed: &str) -> Option<RecordError> {
    let exception = recording.exception.as_ref()?;
    // The recorder names the codes of its own faults; the exception of one has the same words.
    let named = recording.faults.iter().rev().find(|f| f.kind == exception.kind && f.message == exception.message);
    let (code, fix) = match named {
        Some(fault) => (fault.code.as_str(), fix::of_code(&fault.code)),
        None => fix::of_exception(&exception.kind, &exception.message),
    };
    let message = match (named, code) {
        (Some(_), _) => exception.message.clone(),
        (_, "SD003") => format!("the study could not be imported: {}: {}", exception.kind, exception.message),
        (_, "SD007") => format!("the study needs more memory than it may use: {}", exception.message),
        _ => format!("the study's Python raised {}: {}", exception.kind, exception.message),
    };
    let frames = exception.frames.iter().filter_map(|src| recording.sources.get(src.0 as usize).cloned()).collect();
    let kind = exception.kind.clone();
    let fault = RecordFault { frames, fix, printed: printed.to_owned(), ..RecordFault::new(code, &kind, message) };
    Some(RecordError::fault(fault))
}

/// It ended without telling anything.
pub(super) fn ended(module: &str, ended: &Ended, printed: &str) -> RecordError {
    let file = format!("analysis/{module}.py");
    let loops = "look for a loop that does not end, or for long computations: do those in an action of their own";
    let smaller = "read less in it, or do it in an action of its own";
    let (code, kind, message, fix) = match ended.how {
        How::OutOfTime => ("SD006", "RuntimeError", format!("{file} was not read within its time"), loops),
        How::OutOfCpu => ("SD006", "RuntimeError", format!("{file} used more processor time than it may"), loops),
        How::OutOfMemory => ("SD007", "RuntimeError", format!("{file} used more memory than it may"), smaller),
        How::OutOfDisk => ("SD007", "RuntimeError", format!("{file} wrote more files than it may"), smaller),
        How::Exited(code) => (
            "SD005",
            "RuntimeError",
            format!("{file} ended Python itself, with code {code}, before the study was read"),
            "take calls such as os._exit() away; what was printed may tell more",
        ),
        How::Signal(signal) => (
            "SD005",
            "RuntimeError",
            format!("{file} made Python crash (signal {signal})"),
            "look for endless recursion, or for a library that does not fit this Python",
        ),
    };
    match made(code, kind, message, fix) {
        RecordError::Fault(fault) => RecordError::fault(RecordFault { printed: printed.to_owned(), ..*fault }),
        other => other,
    }
}

pub(super) fn no_file(module: &str, error: &FolderError) -> RecordError {
    let message = format!("analysis/{module}.py put something else in the place of its recording ({error})");
    made("SD005", "RuntimeError", message, "leave the folder .cloister alone")
}

pub(super) fn not_taken(module: &str, error: RecordingError) -> RecordError {
    if error.is_size() {
        let message = format!("analysis/{module}.py is too large: {error}");
        return made("SD007", "RuntimeError", message, "split the study in two, or make its lists shorter");
    }
    let message = format!("analysis/{module}.py changed the recorder, and what it wrote cannot be used: {error}");
    made("SD010", "RuntimeError", message, "use the functions of cohortextractor as they are")
}

pub(super) fn of_another(module: &str) -> RecordError {
    let message =
        format!("analysis/{module}.py changed the recorder: its recording is of another module or other parameters");
    made("SD010", "RuntimeError", message, "use the functions of cohortextractor as they are")
}

pub(super) fn no_study(recording: &Recording) -> RecordError {
    let message = format!("{} defines no study", recording.file);
    made("SD004", "AttributeError", message, "name it: study = StudyDefinition(...)")
}

pub(super) fn no_measures(recording: &Recording) -> RecordError {
    let message = format!("{} defines no measures", recording.file);
    made("SD004", "AttributeError", message, "name them: measures = [Measure(...), ...]")
}
