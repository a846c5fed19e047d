//! Dates as studies write them, understood but not yet worked out: an index date or a column gives the day.
//! Spec study-definitions.md 5.

mod parse;
mod resolve;

use jiff::civil::Date;

pub use parse::{DateName, DateSyntax, DateWords, iso_day, parse};
pub use resolve::DateFault;

use super::VariableId;

/// `FUNC(NAME) + N UNIT`, or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateExpr {
    /// What it starts from.
    pub base: DateBase,
    /// Applied first.
    pub function: Option<DateFunction>,
    /// Applied second: strict on fixed days, clamped on columns.
    pub offset: Option<Offset>,
    /// As written, for messages.
    pub text: String,
}

/// What a date expression starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateBase {
    /// A day as written.
    Day(Date),
    /// The index date of the run.
    IndexDate,
    /// The day of the run.
    Today,
    /// An earlier date column: its raw day, not the cut text; missing gives a missing date.
    Column(VariableId),
}

/// First and last days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DateFunction {
    FirstDayOfMonth,
    LastDayOfMonth,
    FirstDayOfYear,
    LastDayOfYear,
    /// 1 April.
    FirstDayOfNhsFinancialYear,
    /// 31 March.
    LastDayOfNhsFinancialYear,
    /// 1 September.
    FirstDayOfSchoolYear,
    /// 31 August.
    LastDayOfSchoolYear,
}

impl DateFunction {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::FirstDayOfMonth,
        Self::LastDayOfMonth,
        Self::FirstDayOfYear,
        Self::LastDayOfYear,
        Self::FirstDayOfNhsFinancialYear,
        Self::LastDayOfNhsFinancialYear,
        Self::FirstDayOfSchoolYear,
        Self::LastDayOfSchoolYear,
    ];

    /// As studies write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstDayOfMonth => "first_day_of_month",
            Self::LastDayOfMonth => "last_day_of_month",
            Self::FirstDayOfYear => "first_day_of_year",
            Self::LastDayOfYear => "last_day_of_year",
            Self::FirstDayOfNhsFinancialYear => "first_day_of_nhs_financial_year",
            Self::LastDayOfNhsFinancialYear => "last_day_of_nhs_financial_year",
            Self::FirstDayOfSchoolYear => "first_day_of_school_year",
            Self::LastDayOfSchoolYear => "last_day_of_school_year",
        }
    }
}

/// `+N UNIT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// May be negative.
    pub count: i32,
    /// Of what.
    pub unit: DateUnit,
}

/// Units of an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DateUnit {
    Days,
    Months,
    Years,
}

/// Calendar days from one to another, both in; an end that is absent is open, an end that is missing matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Period {
    /// Lower end.
    pub from: Option<DateExpr>,
    /// Upper end.
    pub to: Option<DateExpr>,
}
