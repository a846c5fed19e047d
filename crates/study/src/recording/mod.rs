//! What the recorder wrote down about one study module, for all index dates: schema `cloister.recording/1`.
//! Spec study-definitions.md 1.3.

mod parse;

use std::collections::BTreeMap;

use jiff::civil::Date;

pub use parse::{DEEPEST, DEEPEST_VARIABLES, LARGEST, MOST_CODES, MOST_VARIABLES, RecordingError};

/// An index into [`Recording::sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// `c` and the first 16 hex digits of a SHA-256 over the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodelistId(pub String);

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Version of the recorder.
    pub recorder: String,
    /// Version of Python, such as `3.11.9`.
    pub python: String,
    /// `study_definition_x`.
    pub module: String,
    /// Relative to the root of the repository.
    pub file: String,
    /// Day of recording: Python code may have used it.
    pub date: Date,
    /// `--param` values, by key.
    pub params_given: Vec<(String, String)>,
    /// Keys that the study read.
    pub params_read: Vec<String>,
    /// Places in the study's Python code.
    pub sources: Vec<Source>,
    /// Codelists, each once.
    pub codelists: BTreeMap<CodelistId, Codelist>,
    /// `None` when the module has no `study`.
    pub study: Option<StudyCall>,
    /// `None` when the module has no `measures`.
    pub measures: Option<Vec<Measure>>,
    /// Files that were read, by path.
    pub files_read: Vec<FileRead>,
    /// Faults found while recording that did not stop it.
    pub faults: Vec<RecordedFault>,
    /// The study's Python failed.
    pub exception: Option<Exception>,
}

/// A place in the study's Python code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Relative to the root of the repository.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Bytes from 0, end line, end bytes; `None` before Python 3.11.
    pub span: Option<SourceSpan>,
}

/// Where in its lines a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceSpan {
    /// Bytes from 0.
    pub column: u32,
    /// From 1.
    pub end_line: u32,
    /// Bytes from 0, exclusive.
    pub end_column: u32,
}

/// A list of codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Codelist {
    /// `ctv3`, `snomed`, `icd10`, `opcs4`, or any other name.
    pub system: String,
    /// In order, with repeats.
    pub items: CodelistItems,
    /// Which calls made it.
    pub origin: Vec<Origin>,
}

/// The codes of a list. Values that are no text are kept as they are: SD403 is said later.
#[derive(Debug, Clone, PartialEq)]
pub enum CodelistItems {
    /// Codes.
    Plain(Vec<Value>),
    /// Codes with their categories.
    Categorised(Vec<(Value, Value)>),
}

/// Where a list came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `codelist_from_csv` and so on.
    pub function: String,
    /// For lists of files.
    pub file: Option<String>,
    /// For lists of files.
    pub column: Option<String>,
    /// For lists of files.
    pub category_column: Option<String>,
    /// The call.
    pub src: SourceId,
}

/// The `StudyDefinition(...)` call.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyCall {
    /// The call.
    pub src: SourceId,
    /// As written.
    pub index_date: Value,
    /// As written.
    pub default_expectations: Value,
    /// The population.
    pub population: Variable,
    /// In the order of the keywords.
    pub variables: Vec<Variable>,
}

/// A call of a function of `patients` under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// The keyword.
    pub name: String,
    /// Query type of the tuple, such as `categorised_as`.
    pub function: String,
    /// The public function, such as `satisfying`; `None` for a tuple written by hand.
    pub called: Option<String>,
    /// Arguments that differ from the default, as written.
    pub args: Vec<(String, Value)>,
    /// Nested variables.
    pub extra: Vec<Variable>,
    /// Innermost line of the repository that called the function.
    pub src: SourceId,
    /// Up to five outer lines.
    pub via: Vec<SourceId>,
    /// The keyword in the StudyDefinition call, when written there literally.
    pub name_src: Option<SourceId>,
}

/// A value of Python.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    Null,
    /// `True`, `False`.
    Bool(bool),
    /// Whole numbers of 64 bits; larger ones are refused.
    Int(i64),
    /// Numbers with a point, NaN and infinities too.
    Float(f64),
    /// Text.
    Str(String),
    /// Lists and tuples.
    List(Vec<Value>),
    /// Dictionaries, in order.
    Map(Vec<(Value, Value)>),
    /// A codelist.
    Codelist(CodelistId),
    /// A date, or a datetime at midnight.
    Date(Date),
    /// The name of a type that cannot be recorded.
    Unsupported(String),
}

/// A measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// As given.
    pub id: String,
    /// A column.
    pub numerator: String,
    /// A column.
    pub denominator: String,
    /// Columns; none: one row per patient.
    pub group_by: Vec<String>,
    /// Whether small numbers are emptied.
    pub small_number_suppression: bool,
    /// The call.
    pub src: SourceId,
}

/// A file that was open during recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRead {
    /// Relative to the root.
    pub path: String,
    /// Hex.
    pub sha256: String,
    /// Length.
    pub bytes: u64,
    /// Whether it is Python code.
    pub code: bool,
}

/// A fault found in Python that did not stop the recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFault {
    /// Such as `SD010`.
    pub code: String,
    /// Name of a Python exception class.
    pub kind: String,
    /// In words.
    pub message: String,
    /// Where.
    pub src: Option<SourceId>,
}

/// The study's Python failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Name of the class.
    pub kind: String,
    /// What it said.
    pub message: String,
    /// Lines of the repository, innermost last.
    pub frames: Vec<SourceId>,
}
