#![doc = include_str!("../README.md")]

mod diagnostic;
pub mod explain;
mod model;
mod registry;
pub mod report;
pub mod schema;

pub use diagnostic::{Applicability, Code, Diagnostic, Edit, Fix, Label, PathStep, Position, Severity, Span};
pub use model::{
    Action, ActionName, Config, DataKind, Expansion, Output, Pattern, Population, PrivacyLevel, Project, RuntimeRef,
    SpecialCommand, Version,
};
pub use registry::{Registry, RuntimeEntry, RuntimeKind, TagStatus, Tree};

/// What `load` made of a project.yaml: the project when nothing is wrong with it, and all that is to say about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Present exactly when no diagnostic is an error.
    pub project: Option<Project>,
    /// What could be understood although there are errors, for display only; never plan from it.
    pub partial: Option<Project>,
    /// Every fault, ordered by position, then code.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a project.yaml (spec project-yaml.md 2-7). Pure: no files, no clock, no environment.
pub fn load(bytes: &[u8], source_name: &str) -> Loaded {
    let _ = (bytes, source_name);
    Loaded { project: None, partial: None, diagnostics: Vec::new() }
}

/// Checks what needs the outside world, handed in as data (spec project-yaml.md 5.2, 5.3, 7.3).
pub fn resolve(project: &Project, registry: &Registry, tree: &Tree) -> Vec<Diagnostic> {
    let _ = (project, registry, tree);
    Vec::new()
}
