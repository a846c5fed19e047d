//! The table of functions: what `patients` offers, with parameters, defaults and results, as data.
//! Spec study-definitions.md 7; checks of arguments and the user documentation read it, and a test compares the recorder.

mod document;
mod load;
mod signature;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cohorts::DatePrecision;

use crate::model::{ColumnType, System};
use crate::recording::Value;
pub use document::document;
use load::load;

/// All functions with what they may return.
#[derive(Debug)]
pub struct Table {
    functions: Vec<Function>,
    isaric: BTreeMap<String, TypeWord>,
}

/// One function of `patients`.
#[derive(Debug)]
pub struct Function {
    /// As studies call it.
    pub name: String,
    /// The query type that it leaves in a recording; the name for most.
    pub query: String,
    /// Which fact of another column it gives, for those of query `value_from`.
    pub part: Option<String>,
    /// Its group in the documentation.
    pub group: Group,
    /// How many of 42 public studies use it.
    pub uses: u32,
    /// Whether it must be there, or should.
    pub mark: Mark,
    /// Whether it is offered on EMIS; all are offered on TPP.
    pub emis: bool,
    /// For one that is not offered at all: what to use instead.
    pub unavailable: Option<String>,
    /// For users.
    pub summary: String,
    /// In order; positional use occurs.
    pub parameters: Vec<Parameter>,
    /// What the column holds.
    pub returns: Returns,
    /// What the period applies to, for those that have one.
    pub period: Option<String>,
    /// A keyword of a study.
    pub example: Option<String>,
}

/// Groups of functions, the parts of section 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// 7.1.
    Person,
    /// 7.2.
    Events,
    /// 7.3.
    Hospital,
    /// 7.4.
    Computed,
}

/// How much a function matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// `[M]`.
    Must,
    /// `[S]`.
    Should,
}

/// One parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it collects arguments.
    pub form: Form,
    /// `None`: required, or one that collects.
    pub default: Option<Value>,
    /// What is accepted.
    pub kind: ArgumentKind,
    /// Systems of codes that are accepted; none: any.
    pub systems: Vec<System>,
    /// The only texts that are accepted; none: any.
    pub choices: Vec<String>,
    /// For users.
    pub says: String,
    /// What to write instead of it, for old ones.
    pub deprecated: Option<String>,
}

/// How a parameter takes arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// One.
    Plain,
    /// `*names`.
    Positional,
    /// `**extra`.
    Keywords,
}

/// Kinds of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ArgumentKind {
    Categories,
    Codelist,
    Date,
    DateFormat,
    Dict,
    Episodes,
    Expectations,
    Expression,
    Extra,
    Flag,
    Integer,
    Names,
    Number,
    Pair,
    Path,
    Returning,
    Source,
    Text,
    Texts,
    Value,
}

/// What a column of a function holds.
#[derive(Debug)]
pub enum Returns {
    /// Always this.
    Always(TypeWord),
    /// As `returning` says, in the order of the documentation.
    Choice(Vec<Returned>),
    /// As the keys of the categories say.
    Keys,
    /// As the inputs.
    Inputs,
    /// As the value.
    Value,
    /// As `returning_type` says.
    ReturningType,
    /// As the ISARIC column that `returning` names.
    Isaric,
}

/// A value of `returning`.
#[derive(Debug)]
pub struct Returned {
    /// As written.
    pub name: String,
    /// Its type.
    pub kind: TypeWord,
    /// How many of 42 public studies use it, where it was counted.
    pub uses: Option<u32>,
    /// For users.
    pub says: String,
}

/// A type before the date format is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TypeWord {
    Bool,
    Int,
    Float,
    Str,
    Date,
    /// Numbers that are labels, with what stands for a missing one.
    Category(i64),
}

impl TypeWord {
    /// The type of a column with this precision of dates.
    pub fn column(self, precision: DatePrecision) -> ColumnType {
        match self {
            Self::Bool => ColumnType::Bool,
            Self::Int => ColumnType::Int,
            Self::Float => ColumnType::Float,
            Self::Str => ColumnType::Str,
            Self::Date => ColumnType::Date(precision),
            Self::Category(missing) => ColumnType::IntCategory { missing },
        }
    }

    /// For users.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int | Self::Category(_) => "int",
            Self::Float => "float",
            Self::Str => "str",
            Self::Date => "date",
        }
    }
}

impl Function {
    /// A parameter by its name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// The values of `returning`; none for functions without that choice.
    pub fn returning(&self) -> &[Returned] {
        match &self.returns {
            Returns::Choice(choices) => choices,
            _ => &[],
        }
    }

    /// Its section of study-definitions.md.
    pub const fn section(&self) -> &'static str {
        self.group.section()
    }
}

impl Group {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Person, Self::Events, Self::Hospital, Self::Computed];

    /// Its section of study-definitions.md.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Person => "7.1",
            Self::Events => "7.2",
            Self::Hospital => "7.3",
            Self::Computed => "7.4",
        }
    }

    /// For users.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Person => "Person, registration, place",
            Self::Events => "GP events, medications, vaccinations",
            Self::Hospital => "Deaths, hospital, tests",
            Self::Computed => "Computed, and from files",
        }
    }
}

impl Table {
    /// All functions, in the order of the documentation.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// A public function by its name.
    pub fn called(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|f| f.name == name)
    }

    /// The type of a column of the ISARIC table; every column that the table does not list is text.
    pub fn isaric(&self, column: &str) -> TypeWord {
        self.isaric.get(column).copied().unwrap_or(TypeWord::Str)
    }
}

/// The table, compiled in and parsed once.
#[allow(clippy::expect_used, reason = "the files are compiled in, and a test parses them")]
pub fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| load().expect("the function table is sound"));
    &TABLE
}

#[cfg(test)]
mod tests;
