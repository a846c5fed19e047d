//! A study after the rules of study-definitions.md 2: nested variables laid flat, in processing order, typed.
//! Later rooms (lowering, dummy data, the reference) read this and nothing of Python.

pub mod dates;
mod expression;
mod query;
mod uses;

use jiff::civil::Date;

pub use dates::{DateBase, DateExpr, DateFault, DateFunction, DateUnit, Offset, Period};
pub use expression::{Arithmetic, CareHomeColumn, Cases, Comparison, Expr, ExprType, Scalar};
pub use query::*;

use crate::recording::{CodelistId, SourceId, Value};
use cohorts::DatePrecision;

/// A variable by its place in [`Study::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableId(pub usize);

/// A study that has no fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// In processing order: each refers only to earlier ones; the population is last, with its nested variables before it.
    pub variables: Vec<Variable>,
    /// Of the study, if it has one.
    pub index_date: Option<Date>,
    /// As written.
    pub default_expectations: Value,
}

/// One variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// As in the file.
    pub name: String,
    /// The public function, for messages.
    pub called: String,
    /// Hidden ones are no columns of the file.
    pub hidden: bool,
    /// Type of its values.
    pub kind: ColumnType,
    /// What is asked.
    pub query: Query,
    /// `return_expectations` as written; for `<name>_date` companions those of their source.
    pub expectations: Value,
    /// Place of the call.
    pub src: SourceId,
    /// Outer lines.
    pub via: Vec<SourceId>,
    /// The keyword, when written literally.
    pub name_src: Option<SourceId>,
}

/// Type of a column, with what stands for a missing value (2.8, 2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Missing is 0.
    Bool,
    /// Missing is 0.
    Int,
    /// Missing is 0.0.
    Float,
    /// Missing is ''.
    Str,
    /// Missing is ''; values are days cut to the precision.
    Date(DatePrecision),
    /// Numbers that are labels (IMD, rural/urban, groups of ethnicity from SUS); dictionary in feather.
    IntCategory {
        /// -1 for index_of_multiple_deprivation, else 0.
        missing: i64,
    },
}

impl Study {
    /// The population.
    pub fn population(&self) -> VariableId {
        VariableId(self.variables.len().saturating_sub(1))
    }

    /// The columns of a real file after patient_id, in definition order: the visible variables without the population.
    pub fn columns(&self) -> impl Iterator<Item = VariableId> + '_ {
        let population = self.population();
        let ids = (0..self.variables.len()).map(VariableId);
        ids.filter(move |id| *id != population && !self.variables[id.0].hidden)
    }
}

impl std::ops::Index<VariableId> for Study {
    type Output = Variable;

    fn index(&self, id: VariableId) -> &Variable {
        &self.variables[id.0]
    }
}

/// Which codes are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// The list, in [`crate::recording::Recording::codelists`].
    pub list: CodelistId,
    /// Its system.
    pub system: System,
}

/// Systems of codes that mean something (section 6); the model has checked which one a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum System {
    /// CodedEvent.
    Ctv3,
    /// CodedEvent_SNOMED, and dm+d for medications.
    Snomed,
    /// ICD-10.
    Icd10,
    /// OPCS-4.
    Opcs4,
}

impl System {
    /// By the name that studies give it; `None` for a system that means nothing to the engine.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ctv3" => Self::Ctv3,
            "snomed" => Self::Snomed,
            "icd10" => Self::Icd10,
            "opcs4" => Self::Opcs4,
            _ => return None,
        })
    }

    /// As studies write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ctv3 => "ctv3",
            Self::Snomed => "snomed",
            Self::Icd10 => "icd10",
            Self::Opcs4 => "opcs4",
        }
    }
}

/// A measure whose id is sound; whether its columns are there is said by the files (section 11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// Part of the names of its files.
    pub id: String,
    /// A column.
    pub numerator: String,
    /// A column.
    pub denominator: String,
    /// One row for what.
    pub groups: MeasureGroups,
    /// Whether numbers up to 5 are emptied.
    pub small_number_suppression: bool,
    /// The call.
    pub src: SourceId,
}

/// What a row of a measure stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeasureGroups {
    /// One patient: such a file must not be released (SD705).
    Patient,
    /// Everybody.
    Population,
    /// Patients with the same values in these columns.
    Columns(Vec<String>),
}
