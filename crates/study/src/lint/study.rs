//! Lints of a study as a whole: its columns, periods, population and index dates.
//! Spec study-definitions.md 13, SD908, SD909, SD911, SD912, SD914, SD916, SD919 and SD920.

use std::collections::HashSet;

use cohorts::DatePrecision;

use crate::check::plan::{Entry, Made, argument, function};
use crate::check::scope::Scope;
use crate::check::truthy;
use crate::fault::Fault;
use crate::model::{ColumnType, DateBase, DateExpr, Query, Variable, VariableId};
use crate::recording::Value;

/// All of them; `entries` are those of the variables.
pub(crate) fn study(scope: &mut Scope<'_>, entries: &[Entry<'_>]) {
    let mut found = Vec::new();
    let sound = |i: usize| scope.is_sound(VariableId(i));
    let population = scope.variables.len().saturating_sub(1);
    let used: HashSet<VariableId> = scope.variables.iter().flat_map(Variable::uses).collect();
    for (i, (variable, entry)) in scope.variables.iter().zip(entries).enumerate() {
        if !sound(i) {
            continue;
        }
        let fault = |code, message: String| Fault::new(code, message).at(entry.call).variable(&variable.name);
        formats(variable, entry, &fault, &mut found);
        if i != population && variable.hidden && entry.made == Made::Call && !used.contains(&VariableId(i)) {
            found.push(
                fault("SD916", "nothing uses this nested variable".to_owned())
                    .fix("leave it out, or name it in the expression"),
            );
        }
        for date in dates(variable).filter(|date| date.base == DateBase::Today) {
            found.push(
                fault("SD911", "the result changes with the day of the run".to_owned())
                    .part(&date.text, 0..date.text.len())
                    .fix("write a fixed day, or index_date"),
            );
        }
        found.extend(backwards(scope, variable).map(|(message, text)| {
            fault("SD909", message).part(&text, 0..text.len()).fix("exchange the two days; as it is, nothing matches")
        }));
    }
    let all_sound = (0..scope.variables.len()).all(sound);
    if all_sound && !registered(&scope.variables) {
        found.push(
            Fault::new("SD912", "the population does not ask who is registered")
                .at(&scope.call.population)
                .fix("add `registered=patients.registered_as_of(\"index_date\")` and `registered AND …`"),
        );
    }
    let dates_given = scope.options.index_dates.len();
    if scope.options.dummy_file && dates_given > 1 {
        found.push(
            Fault::new("SD914", "the same dummy data file stands for every index date")
                .src(scope.call.src)
                .fix("leave --dummy-data-file out, and dummy data are made for each date"),
        );
    }
    if all_sound && dates_given > 0 && !on_index_date(scope) {
        found.push(
            Fault::new("SD920", "index dates are given, but nothing in the study depends on index_date")
                .src(scope.call.src)
                .fix("use \"index_date\" in dates and periods, or leave --index-date-range out"),
        );
    }
    scope.faults.extend(found);
}

/// SD908 and SD919.
fn formats(
    variable: &Variable,
    entry: &Entry<'_>,
    fault: &dyn Fn(&'static str, String) -> Fault,
    found: &mut Vec<Fault>,
) {
    let Some(function) = function(entry.call).filter(|f| f.parameter("date_format").is_some()) else { return };
    let given = argument(entry.call, "date_format").filter(|value| !matches!(value, Value::Null));
    let on = |name: &str| argument(entry.call, name).is_some_and(truthy);
    if variable.kind == ColumnType::Date(DatePrecision::Year) && !variable.hidden && given.is_none() {
        found.push(
            fault("SD908", "without date_format this column gives years only".to_owned())
                .fix("add date_format=\"YYYY-MM-DD\" (or \"YYYY\", if years are meant)"),
        );
    }
    let companions = ["include_date_of_match", "include_measurement_date"].iter().any(|name| on(name));
    let dated = matches!(variable.kind, ColumnType::Date(_)) || companions || entry.made != Made::Call;
    let measured = matches!(variable.query, Query::MostRecentBmi { .. } | Query::RecordedValue { .. });
    if given.is_some() && !dated && (measured || !function.returning().is_empty()) {
        found.push(
            fault("SD919", "date_format has no effect: the column holds no dates".to_owned())
                .argument("date_format")
                .fix("leave it out"),
        );
    }
}

/// Every date that a variable asks for.
fn dates(variable: &Variable) -> impl Iterator<Item = &DateExpr> {
    let period = variable.query.period().into_iter().flat_map(|period| period.from.iter().chain(&period.to));
    period.chain(variable.query.dates())
}

/// SD909: a period whose first day is after its last, for the study's index date or one of those given.
fn backwards(scope: &Scope<'_>, variable: &Variable) -> Option<(String, String)> {
    let period = variable.query.period()?;
    let (from, to) = (period.from.as_ref()?, period.to.as_ref()?);
    let given = &scope.options.index_dates;
    let days: Vec<_> =
        if given.is_empty() { vec![scope.index_date] } else { given.iter().copied().map(Some).collect() };
    days.into_iter().find_map(|index_date| {
        let day = |expr: &DateExpr| expr.resolve(index_date, scope.options.today).ok().flatten();
        let (first, last) = (day(from)?, day(to)?);
        (first > last).then(|| (format!("the period begins on {first} and ends before, on {last}"), from.text.clone()))
    })
}

/// Whether the population asks, directly or through its columns, who is registered, or takes its people from a file.
fn registered(variables: &[Variable]) -> bool {
    let mut open = vec![VariableId(variables.len().saturating_sub(1))];
    let mut seen = HashSet::new();
    while let Some(id) = open.pop() {
        let Some(variable) = variables.get(id.0).filter(|_| seen.insert(id)) else { continue };
        if matches!(variable.query, Query::Registered { .. } | Query::InFile { .. } | Query::ValueFromFile { .. }) {
            return true;
        }
        open.extend(variable.uses());
    }
    false
}

fn on_index_date(scope: &Scope<'_>) -> bool {
    scope
        .variables
        .iter()
        .any(|variable| dates(variable).any(DateExpr::is_on_index_date) || mentions(&variable.expectations))
        || mentions(&scope.call.default_expectations)
}

/// Whether expectations are moved by the index date.
fn mentions(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.contains("index_date"),
        Value::List(items) => items.iter().any(mentions),
        Value::Map(entries) => entries.iter().any(|(_, value)| mentions(value)),
        _ => false,
    }
}
