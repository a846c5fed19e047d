#![doc = include_str!("../README.md")]

mod codes;
mod diagnostic;
mod expand;
pub mod explain;
mod fault;
mod hash;
mod json;
mod load;
mod model;
mod pattern;
mod registry;
pub mod report;
mod resolve;
pub mod reusable;
mod rules;
pub mod schema;
mod source;
mod suggest;
mod tokens;
mod yaml;

pub use codes::{Rule, rules};
pub use diagnostic::{Applicability, Code, Diagnostic, Edit, Fix, Label, PathStep, Position, Severity, Span};
pub use load::load;
pub use model::{
    Action, ActionName, Config, DataKind, DummyRows, Expansion, Output, PATIENT_ROWS, Pattern, Population,
    PrivacyLevel, Project, RuntimeRef, SpecialCommand, Version,
};
pub use pattern::PatternFault;
pub use registry::{Registry, ReusableActions, RuntimeEntry, RuntimeKind, TagStatus, Tree};
pub use resolve::{files_named, resolve};
pub use reusable::{ActionFile, ReusableAction, ReusableFault};
pub use suggest::nearest;
pub use tokens::{CommandFault, quote_command, split_command};

/// What `load` made of a project.yaml: the project when nothing is wrong with it, and all that is to say about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Present exactly when no diagnostic is an error.
    pub project: Option<Project>,
    /// What could be understood although there are errors, for display only; never plan from it.
    /// `None` when there is a project, or nothing could be understood at all.
    pub partial: Option<Project>,
    /// Every fault, ordered by position, then code.
    pub diagnostics: Vec<Diagnostic>,
}
