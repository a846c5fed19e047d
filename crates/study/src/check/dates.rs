//! Dates of arguments: understood, their names looked up, fixed ones worked out for every index date.
//! Spec study-definitions.md 5; faults SD301-SD306.

use std::ops::Range;

use cohorts::DatePrecision;
use jiff::civil::Date;

use super::scope::{Found, Scope};
use super::shown;
use crate::fault::{Fault, did_you_mean};
use crate::model::dates::{DateName, DateSyntax, parse};
use crate::model::{ColumnType, DateBase, DateExpr, DateFault, DateFunction};
use crate::recording::Value;

/// The study's own index date.
pub(super) fn index_date(scope: &mut Scope<'_>) -> Option<Date> {
    let value = &scope.call.index_date;
    if matches!(value, Value::Null) {
        return None;
    }
    let found = text(value).and_then(|text| date(scope, &text, None)).and_then(|expr| {
        let day = expr.resolve(None, scope.options.today);
        day.map_err(|fault| Box::new(resolved(&expr, None, &fault))).map(|day| (day, expr))
    });
    match found {
        Ok((Some(day), _)) => return Some(day),
        Ok((None, expr)) => {
            let fault =
                Fault::new("SD301", "index_date cannot depend on a column").part(&expr.text, 0..expr.text.len());
            scope.faults.push(fault.argument("index_date").src(scope.call.src));
        }
        Err(fault) => scope.faults.push(fault.argument("index_date").src(scope.call.src)),
    }
    None
}

/// A date of an argument as text.
pub(super) fn text(value: &Value) -> Result<String, Box<Fault>> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Date(day) => Ok(day.to_string()),
        other => Err(Box::new(Fault::new("SD301", format!("{} is no date", shown(other))).fix(FORMS))),
    }
}

const FORMS: &str = "write \"YYYY-MM-DD\", or an expression such as \"index_date - 2 years\" or \
\"last_day_of_month(index_date)\"";

/// A date as written, with its names looked up; columns must be defined before `of`.
pub(super) fn date(scope: &Scope<'_>, text: &str, of: Option<&str>) -> Result<DateExpr, Box<Fault>> {
    let words = parse(text).map_err(|syntax| Box::new(unreadable(text, syntax)))?;
    let base = match words.name {
        DateName::Day(day) => DateBase::Day(day),
        DateName::Word(word, range) => base(scope, text, &word, range, of)?,
    };
    Ok(DateExpr { base, function: words.function, offset: words.offset, text: text.to_owned() })
}

/// Works a fixed date out for every index date of the run.
pub(super) fn checked(scope: &Scope<'_>, expr: DateExpr) -> Result<DateExpr, Box<Fault>> {
    let options = scope.options;
    if options.index_dates.is_empty() || !expr.is_on_index_date() {
        return match expr.resolve(scope.index_date, options.today) {
            // An index date that could not be read was told already.
            Err(DateFault::NoIndexDate) if !matches!(scope.call.index_date, Value::Null) => Ok(expr),
            Err(fault) => Err(Box::new(resolved(&expr, scope.index_date, &fault))),
            Ok(_) => Ok(expr),
        };
    }
    for day in &options.index_dates {
        if let Err(fault) = expr.resolve(Some(*day), options.today) {
            return Err(Box::new(resolved(&expr, Some(*day), &fault)));
        }
    }
    Ok(expr)
}

fn base(
    scope: &Scope<'_>,
    text: &str,
    word: &str,
    range: Range<usize>,
    of: Option<&str>,
) -> Result<DateBase, Box<Fault>> {
    let whole = text.to_owned();
    let fault = |code, message: String, fix: Option<String>| {
        Err(Box::new(Fault::new(code, message).part(&whole, range.clone()).maybe(fix)))
    };
    match scope.find(word) {
        Found::Earlier(id, sound) => {
            let kind = scope.variable(id).kind;
            match kind {
                _ if !sound => {}
                ColumnType::Date(DatePrecision::Month | DatePrecision::Day) => {}
                ColumnType::Date(DatePrecision::Year) => {
                    let message = format!("`{word}` gives years only and cannot be used as a date");
                    let fix = format!("add date_format=\"YYYY-MM-DD\" to `{word}`");
                    return fault("SD306", message, Some(fix));
                }
                _ => {
                    let message = format!("`{word}` is no column of dates");
                    let fix = format!(
                        "use a date column, such as one with returning=\"date\" and date_format=\"YYYY-MM-DD\", or the date of `{word}`"
                    );
                    return fault("SD306", message, Some(fix));
                }
            }
            Ok(DateBase::Column(id))
        }
        Found::Later => {
            let own = of.is_some_and(|of| of == word);
            let message = if own {
                format!("`{word}` uses itself")
            } else {
                format!("`{word}` is defined later than the date that uses it")
            };
            let fix = if own {
                "name another column".to_owned()
            } else {
                format!("move `{word}` up, before the variable that uses it")
            };
            fault("SD106", message, Some(fix))
        }
        Found::Unknown if word == "index_date" => Ok(DateBase::IndexDate),
        Found::Unknown if word == "today" => Ok(DateBase::Today),
        Found::Unknown => {
            let mut near = scope.nearest(word);
            near.extend(pipeline::nearest(word, ["index_date", "today"]));
            let fix = did_you_mean(&near)
                .unwrap_or_else(|| "columns that are defined before, index_date and today are possible".to_owned());
            fault("SD302", format!("there is no column `{word}`"), Some(fix))
        }
    }
}

fn unreadable(text: &str, syntax: DateSyntax) -> Fault {
    let fault = |code, message: String, range| Fault::new(code, message).part(text, range);
    match syntax {
        DateSyntax::Unreadable(range) => fault("SD301", format!("{text:?} is no date"), range).fix(FORMS),
        DateSyntax::NoSuchDay(range) => fault("SD301", format!("there is no day {}", text.replace(' ', "")), range)
            .fix("choose a day of the calendar, YYYY-MM-DD"),
        DateSyntax::TooFar(range) => fault("SD301", "this is beyond any calendar".to_owned(), range),
        DateSyntax::UnknownFunction(name, range) => {
            let known = DateFunction::ALL.map(DateFunction::name);
            let near = did_you_mean(&pipeline::nearest(&name, known));
            let all = || format!("there are {}", known.join(", "));
            fault("SD302", format!("there is no date function `{name}`"), range).fix(near.unwrap_or_else(all))
        }
        DateSyntax::UnknownUnit(unit, count, range) => {
            let weeks = matches!(unit.as_str(), "week" | "weeks" | "w");
            let message =
                if weeks { "there are no weeks in dates".to_owned() } else { format!("there is no unit `{unit}`") };
            let fix = if weeks {
                format!("write `{} days`", i64::from(count.unsigned_abs()) * 7)
            } else {
                did_you_mean(&pipeline::nearest(&unit, ["days", "months", "years"]))
                    .unwrap_or_else(|| "units are days, months and years".to_owned())
            };
            fault("SD303", message, range).fix(fix)
        }
    }
}

/// A fixed date that has no day.
fn resolved(expr: &DateExpr, index_date: Option<Date>, fault: &DateFault) -> Fault {
    let on = match index_date.filter(|_| expr.is_on_index_date()) {
        Some(day) => format!(" when index_date is {day}"),
        None => String::new(),
    };
    let whole = 0..expr.text.len();
    match fault {
        DateFault::NoIndexDate => Fault::new("SD304", "index_date is used, but the study has none")
            .part(&expr.text, whole)
            .fix("add index_date=\"YYYY-MM-DD\" to StudyDefinition, or run with --index-date-range"),
        DateFault::NoSuchDay(day) => Fault::new("SD301", format!("there is no day {day}: {}{on}", expr.text))
            .part(&expr.text, whole)
            .fix("begin from a day that every month has (1 to 28), or count days instead of months or years"),
        DateFault::OutOfRange => {
            Fault::new("SD301", format!("{}{on} lies outside the years 1 to 9999", expr.text)).part(&expr.text, whole)
        }
    }
}
