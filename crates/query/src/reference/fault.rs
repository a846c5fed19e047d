//! What stops a run: data that contradict a study's word (D510-D513), or a graph that should not have come here.
//! A fault names variable and line, never a value of a patient.

use crate::graph::NodeId;

/// Kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunCode {
    /// The graph is not valid, or a binding lacks a parameter.
    D304,
    /// A column was not supplied.
    D305,
    /// More rows of one patient than any patient has.
    D309,
    /// Two different values where one is expected.
    D510,
    /// Two rows of a patient where one is expected.
    D511,
    /// Division by zero.
    D512,
    /// Text that is no number or day.
    D513,
    /// A day that does not exist, in the mode that refuses it.
    D514,
}

impl RunCode {
    /// As it is shown and looked up.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::D304 => "D304",
            Self::D305 => "D305",
            Self::D309 => "D309",
            Self::D510 => "D510",
            Self::D511 => "D511",
            Self::D512 => "D512",
            Self::D513 => "D513",
            Self::D514 => "D514",
        }
    }
}

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
