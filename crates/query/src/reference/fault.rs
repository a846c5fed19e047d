//! What stops a run: data that contradict a study's word (D510-D513), or a graph that should not have come here.
//! A fault names variable and line, never a value of a patient.

use crate::graph::NodeId;
use crate::run_code::RunCode;

/// What stopped a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {message}{}{}", said(" in variable ", .variable.as_ref()), said(" at ", .source_line.as_ref()))]
pub struct RunFault {
    /// Kind.
    pub code: RunCode,
    /// The node.
    pub node: Option<NodeId>,
    /// The variable that was computed.
    pub variable: Option<String>,
    /// `file:line` in the study.
    pub source_line: Option<String>,
    /// In words, without any value of a patient.
    pub message: String,
}

fn said(before: &str, what: Option<&String>) -> String {
    what.map_or_else(String::new, |what| format!("{before}{what}"))
}

impl RunFault {
    pub(super) fn new(code: RunCode, message: impl Into<String>) -> Self {
        RunFault { code, node: None, variable: None, source_line: None, message: message.into() }
    }

    pub(super) fn unsound(message: impl Into<String>) -> Self {
        RunFault::new(RunCode::D304, message)
    }
}
