//! The typed project that `load` produces and every other room works with.
//! Nothing here can hold a value that the rules of spec project-yaml.md forbid at its version.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ReusableAction, Span};

/// The name of an action as written (numbers as decimal text). Hostile text: never part of a path unescaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionName(String);

impl ActionName {
    /// Takes any text; whether a name is allowed is decided by `load` (P205).
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether this is the reserved name that stands for every action.
    pub fn is_run_all(&self) -> bool {
        self.0 == "run_all"
    }
}

impl fmt::Display for ActionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who may see an output (spec project-yaml.md 6.1). Order: more sensitive is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyLevel {
    /// May be viewed by approved people on the review site and asked for release.
    ModeratelySensitive,
    /// Kept and treated as highly sensitive; cannot be released.
    MinimallySensitive,
    /// Patient-level; no person can ever view it.
    HighlySensitive,
}

impl PrivacyLevel {
    /// The name used in project.yaml and manifest.json.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HighlySensitive => "highly_sensitive",
            Self::ModeratelySensitive => "moderately_sensitive",
            Self::MinimallySensitive => "minimally_sensitive",
        }
    }
}

impl fmt::Display for PrivacyLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The `version:` of the file: its text and the number that gates compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// As written, trimmed.
    pub text: String,
    /// Between 1 and 5.
    pub number: f64,
}

/// How many dummy patients: from `expectations.population_size`, 1000 where the version ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Population(pub u64);

/// Where the rows of `cohortextractor generate_cohort` come from on dummy data (spec study-definitions.md 10).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DummyRows {
    /// Drawn column by column from the study's expectations, or the action's `dummy_data_file`.
    #[default]
    Expectations,
    /// Patients with events are simulated; a `dummy_data_file` still wins.
    Simulated,
    /// Patient tables in this folder of the study, for every action.
    Tables(String),
}

/// The pattern of an output path; `*` stands for any run of characters except `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Takes any text; validity is decided by `load` (P510-P519) and again at collection.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One declared output of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The level it is declared at.
    pub level: PrivacyLevel,
    /// Shown to people, means nothing.
    pub name: String,
    /// What is collected.
    pub pattern: Pattern,
    /// Where the pattern stands in the file.
    #[serde(skip)]
    pub span: Span,
}

/// The runtime or reusable action a command names: `python:latest`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RuntimeRef {
    /// Before the first `:`.
    pub name: String,
    /// After it: `v2`, `latest`, `v0.0.24`, `dev`.
    pub tag: String,
}

impl fmt::Display for RuntimeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

/// A non-empty `config:`; holds the JSON text of spec project-yaml.md 7.2, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Config(pub String);

/// Where a built-in action lists those of its outputs that have a row for each patient: a JSON array of paths beneath the
/// workspace. They are highly sensitive whatever was declared (spec jobs.md 11, study-definitions.md 11).
pub const PATIENT_ROWS: &str = ".cloister/patient-rows.json";

/// Commands with rules of their own (spec project-yaml.md 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecialCommand {
    /// `ehrql`/`databuilder` `generate-dataset`.
    GenerateDataset,
    /// `ehrql`/`databuilder` `generate-measures`.
    EhrqlMeasures,
    /// Any use of `sqlrunner`.
    Sqlrunner,
    /// `cohortextractor generate_cohort`.
    GenerateCohort,
    /// `cohortextractor generate_codelist_report`.
    GenerateCodelistReport,
}

/// Whether database actions read patients or make dummy data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// A laptop, or a backend whose data source is `dummy`.
    Dummy,
    /// A backend over patient records.
    Real,
}

/// A command as it will run: nothing but words, the first one `name:tag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expansion {
    /// The words (spec project-yaml.md 7.4).
    pub words: Vec<String>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its name.
    pub name: ActionName,
    /// The words of `run`, the first one `name:tag` as written.
    pub words: Vec<String>,
    /// The first word, split.
    pub runtime: RuntimeRef,
    /// The reusable action by which it runs, once that was looked up; `words` and `runtime` are then what it makes of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reusable: Option<ReusableAction>,
    /// Declared outputs in written order.
    pub outputs: Vec<Output>,
    /// Needed actions in written order, repeats removed.
    pub needs: Vec<ActionName>,
    /// The non-empty `config:`.
    pub config: Option<Config>,
    /// `dummy_data_file`, with `/` as separator.
    pub dummy_data_file: Option<String>,
    /// Where the value of `dummy_data_file` stands.
    #[serde(skip)]
    pub dummy_data_file_span: Option<Span>,
    /// Where its name stands.
    #[serde(skip)]
    pub span: Span,
    /// Where each word of `run` stands; same length as `words`.
    #[serde(skip)]
    pub word_spans: Vec<Span>,
}

/// A project.yaml in which no rule is broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// Its version.
    pub version: Version,
    /// Dummy patients.
    pub population: Population,
    /// Not of the file: a choice of the person who runs it.
    #[serde(skip)]
    pub dummy: DummyRows,
    /// In file order, a user-defined `run_all` included.
    pub actions: Vec<Action>,
    /// Position in `actions` by name.
    #[serde(skip)]
    pub index: BTreeMap<ActionName, usize>,
}

impl Project {
    /// The action of that name.
    pub fn action(&self, name: &ActionName) -> Option<&Action> {
        self.index.get(name).map(|&i| &self.actions[i])
    }
}
