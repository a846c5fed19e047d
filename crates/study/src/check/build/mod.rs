//! Each function's call understood: arguments become a query, with the type of the column.
//! Spec study-definitions.md 7. Every argument is read before any is given up, so that all faults are told at once.

mod computed;
mod events;
mod hospital;
mod person;
mod results;

use super::call::Call;
use crate::fault::Fault;
use crate::functions::Group;
use crate::model::{ColumnType, Query, RowFact};

type Built = Option<(Query, ColumnType)>;

/// The query of a call and the type of its column; `None` when a fault was told.
pub(super) fn build(call: &mut Call<'_, '_>) -> Built {
    match call.function.group {
        Group::Person => person::build(call),
        Group::Events => events::build(call),
        Group::Hospital => hospital::build(call),
        Group::Computed => computed::build(call),
    }
}

/// `returning` of the many functions that give a flag, a day or a number of rows.
fn row_fact(call: &mut Call<'_, '_>) -> Option<(RowFact, ColumnType)> {
    let (word, kind) = call.returning()?;
    let fact = match word {
        "date" => RowFact::Date,
        "number_of_matches_in_period" => RowFact::NumberOfMatches,
        _ => RowFact::BinaryFlag,
    };
    Some((fact, kind))
}

/// `episode_defined_as`: the days between two rows of one episode. Only with `returning="number_of_episodes"`.
fn episodes(call: &mut Call<'_, '_>, returning: &str) -> Option<u32> {
    use crate::recording::Value;
    let value = call.value("episode_defined_as").clone();
    if returning != "number_of_episodes" {
        if !matches!(value, Value::Null) {
            let message = "`episode_defined_as` is given, but no episodes are counted";
            call.fault(
                Fault::new("SD203", message)
                    .argument("episode_defined_as")
                    .fix("write returning=\"number_of_episodes\", or leave it out"),
            );
            return None;
        }
        return Some(0);
    }
    let picks = ["find_first_match_in_period", "find_last_match_in_period", "include_date_of_match"];
    let clear = call.exclude(&picks, "with returning=\"number_of_episodes\"");
    let days = match &value {
        Value::Null => Some(0),
        Value::Str(text) => text
            .strip_prefix("series of events each <= ")
            .and_then(|rest| rest.strip_suffix(" days apart"))
            .filter(|days| days.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|days| days.parse().ok()),
        _ => None,
    };
    if days.is_none() {
        call.fault(
            Fault::new("SD212", format!("{} does not define episodes", super::shown(&value)))
                .argument("episode_defined_as")
                .fix("write \"series of events each <= 14 days apart\", with your number of days"),
        );
    }
    clear.and(days)
}
