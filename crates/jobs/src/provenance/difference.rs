//! One thing in which two runs of an action differ, in data and in words.
//! Spec jobs.md 17, project-yaml.md 13.

use std::fmt;

use pipeline::ActionName;
use serde::{Deserialize, Serialize};

use super::{Component, DataIdentity, ImageIdentity, OutputSpec};
use crate::JobId;

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each name is its meaning")]
pub enum Change {
    Added,
    Changed,
    Removed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        })
    }
}

/// A file of the code that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CodeChange {
    /// Its path.
    pub path: String,
    /// What became of it.
    pub change: Change,
    /// Whether the action is known to read it.
    pub read: bool,
}

/// One thing in which two runs of an action differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "component")]
pub enum Difference {
    /// The words of the command.
    Command {
        /// Before.
        old: Vec<String>,
        /// Now.
        new: Vec<String>,
    },
    /// The config.
    Config {
        /// The top-level keys whose values differ; empty if only their order or writing does.
        keys: Vec<String>,
    },
    /// What the command runs in.
    Image {
        /// Before.
        old: ImageIdentity,
        /// Now.
        new: ImageIdentity,
    },
    /// A file of the code.
    Code(CodeChange),
    /// A file made by another action.
    Inputs {
        /// Its path.
        path: String,
        /// What became of it.
        change: Change,
        /// The action that makes it now, or made it.
        action: ActionName,
        /// The job that made what is there now, or made what is gone.
        job: JobId,
    },
    /// A declared output.
    Outputs {
        /// Added or removed; another level is one of each.
        change: Change,
        /// Which.
        #[serde(flatten)]
        spec: OutputSpec,
    },
    /// A value of the environment.
    Environment {
        /// Its name.
        name: String,
        /// What became of it.
        change: Change,
    },
    /// The patients.
    Data {
        /// Before.
        old: Option<DataIdentity>,
        /// Now.
        new: Option<DataIdentity>,
    },
    /// A need is itself out of date, and so will be what is made of it.
    Needs {
        /// The direct need.
        action: ActionName,
        /// The action at the end of the chain, where something really differs.
        first: ActionName,
        /// What differs there.
        cause: Box<Difference>,
    },
}

impl Difference {
    /// The component that differs; none if it is a need.
    pub fn component(&self) -> Option<Component> {
        Some(match self {
            Self::Command { .. } => Component::Command,
            Self::Config { .. } => Component::Config,
            Self::Image { .. } => Component::Image,
            Self::Code(_) => Component::Code,
            Self::Inputs { .. } => Component::Inputs,
            Self::Outputs { .. } => Component::Outputs,
            Self::Environment { .. } => Component::Environment,
            Self::Data { .. } => Component::Data,
            Self::Needs { .. } => return None,
        })
    }

    /// Whether this alone makes the action out of date: not what it inherits, nor code it is not known to read.
    pub fn is_cause(&self) -> bool {
        !matches!(self, Self::Needs { .. } | Self::Code(CodeChange { read: false, .. }))
    }
}

/// The words of `old` and `new` where they begin to differ, a few of each.
fn where_words_differ(old: &[String], new: &[String]) -> (String, String) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let cut = |words: &[String]| match &words[start..words.len() - end] {
        [] => "nothing".to_owned(),
        few if few.len() <= 4 => format!("`{}`", few.join(" ")),
        many => format!("`{} …`", many[..4].join(" ")),
    };
    (cut(old), cut(new))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { old, new } => {
                let (old, new) = where_words_differ(old, new);
                write!(f, "command: {new} instead of {old}")
            }
            Self::Config { keys } => match keys.as_slice() {
                [] => f.write_str("config written differently"),
                [key] => write!(f, "config key {key} changed"),
                keys => write!(f, "config keys {} changed", keys.join(", ")),
            },
            Self::Image { old, new } => write!(f, "runs in {new} instead of {old}"),
            Self::Code(CodeChange { path, change, read: _ }) => write!(f, "{path} {change}"),
            Self::Inputs { path, change, action, .. } => write!(f, "{path} of {action} {change}"),
            Self::Outputs { change, spec } => {
                write!(f, "output {} ({}) {change}", spec.pattern.as_str(), spec.level)
            }
            Self::Environment { name, change } => write!(f, "environment {name} {change}"),
            Self::Data { old: Some(old), new: Some(new) } if old.version != new.version => {
                write!(f, "data version {} instead of {}", new.version, old.version)
            }
            Self::Data { old: Some(_), new: Some(_) } => f.write_str("data permissions changed"),
            Self::Data { old, .. } => {
                f.write_str(if old.is_some() { "no longer reads the database" } else { "now reads the database" })
            }
            Self::Needs { action, first, cause } if action == first => write!(f, "{action} is out of date: {cause}"),
            Self::Needs { action, first, cause } => {
                write!(f, "{action} is out of date, because of {first}: {cause}")
            }
        }
    }
}
