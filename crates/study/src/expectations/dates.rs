//! Days that do not depend on a patient: ends of expectations and of periods.
//! Spec study-definitions.md 5 and 10.1.

use std::ops::Range;

use jiff::civil::{Date, date};

use super::Settings as Run;
use super::problem::Problem;
use super::settings::text;
use crate::model::dates::{DateBase, DateExpr, DateFault, DateFunction, DateName, DateSyntax, parse};
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
        other => Err(Problem::new("SD301", format!("{} is no date", text(other)), DAY)),
    }
}

const DAY: &str = "write it as \"YYYY-MM-DD\", or as an expression such as \"index_date - 1 year\"";

fn expression(written: &str, run: &Run) -> Result<Date, Problem> {
    let words = parse(written).map_err(|fault| unreadable(written, fault))?;
    let base = match words.name {
        DateName::Day(day) => DateBase::Day(day),
        DateName::Word(name, range) => match name.as_str() {
            "index_date" => DateBase::IndexDate,
            "today" => DateBase::Today,
            _ => {
                let message = format!("expectations cannot use \"{name}\"");
                let problem =
                    Problem::new("SD302", message, "use a day, index_date or today: dummy dates hang on no column");
                return Err(meant(problem, written, range));
            }
        },
    };
    let expr = DateExpr { base, function: words.function, offset: words.offset, text: written.to_owned() };
    resolve(&expr, run)?.ok_or_else(|| Problem::new("SD302", format!("\"{written}\" hangs on a column"), DAY))
}

/// The day of an expression; `None` when it hangs on a column.
pub(crate) fn resolve(expr: &DateExpr, run: &Run) -> Result<Option<Date>, Problem> {
    expr.resolve(run.index_date, run.today).map_err(|fault| {
        let (code, fix) = match fault {
            DateFault::NoIndexDate => {
                ("SD304", "give StudyDefinition an index_date, or the command --index-date-range")
            }
            DateFault::NoSuchDay(_) | DateFault::OutOfRange => ("SD301", "start from a day that every month has"),
        };
        meant(Problem::new(code, fault.to_string(), fix), &expr.text, 0..expr.text.len())
    })
}

fn unreadable(written: &str, fault: DateSyntax) -> Problem {
    let known = || DateFunction::ALL.map(DateFunction::name).join(", ");
    let (code, message, fix, range) = match fault {
        DateSyntax::Unreadable(range) => ("SD301", format!("\"{written}\" is no date"), DAY.to_owned(), range),
        DateSyntax::NoSuchDay(range) => ("SD301", format!("there is no day {written}"), DAY.to_owned(), range),
        DateSyntax::TooFar(range) => {
            ("SD301", format!("\"{written}\" lies outside the calendar"), DAY.to_owned(), range)
        }
        DateSyntax::UnknownFunction(name, range) => {
            ("SD302", format!("dates have no function {name}"), format!("functions are {}", known()), range)
        }
        DateSyntax::UnknownUnit(unit, count, range) => {
            let fix = match unit.as_str() {
                "week" | "weeks" => format!("write {} days", i64::from(count) * 7),
                _ => "units are days, months and years".to_owned(),
            };
            ("SD303", format!("dates have no unit {unit}"), fix, range)
        }
    };
    meant(Problem::new(code, message, fix), written, range)
}

fn meant(problem: Problem, written: &str, range: Range<usize>) -> Problem {
    Problem { excerpt: Some((written.to_owned(), Some((range.start, range.end)))), ..problem }
}
