//! Days that do not depend on a patient: ends of expectations and of periods.
//! Spec study-definitions.md 5 and 10.1.

use jiff::civil::{Date, date};

use super::Settings as Run;
use super::problem::Problem;
use super::settings::text;
use crate::model::DateExpr;
use crate::recording::Value;

/// Days from 1970-01-01, as Arrow counts them.
pub(crate) fn day_number(day: Date) -> i32 {
    let hours = day.duration_since(date(1970, 1, 1)).as_hours();
    (hours / 24) as i32
}

/// `earliest` or `latest`: a day, or a date expression without columns.
pub(crate) fn evaluate(value: &Value, run: &Run) -> Result<Date, Problem> {
    match value {
        Value::Date(day) => Ok(*day),
        Value::Str(written) => expression(written, run),
        other => Err(Problem::new("SD301", format!("{} is no date", text(other)), "write it as \"YYYY-MM-DD\"")),
    }
}

fn expression(written: &str, run: &Run) -> Result<Date, Problem> {
    let name: String = written.split_whitespace().collect();
    match name.as_str() {
        "today" => Ok(run.today),
        "index_date" => run.index_date.ok_or_else(|| {
            Problem::new(
                "SD304",
                "the study has no index_date",
                "give StudyDefinition an index_date, or the command --index-date-range",
            )
        }),
        day => day
            .parse()
            .map_err(|_| Problem::new("SD301", format!("\"{written}\" is no date"), "write it as \"YYYY-MM-DD\"")),
    }
}

/// A date expression whose base is no column.
pub(crate) fn resolve(expr: &DateExpr, run: &Run) -> Result<Date, Problem> {
    expression(&expr.text, run)
}
