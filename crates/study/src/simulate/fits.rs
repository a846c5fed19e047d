//! Whether a person can be what a population asks for, before any event is planted: people are not bent, others are taken.
//! Spec study-definitions.md 10.2.4.

use query::Value;

use super::births::age;
use super::census::is_death;
use super::person::Person;
use super::plant::span;
use super::scene::Scene;
use super::solve::{Demand, Demands};
use crate::expectations::dates::day_number;
use crate::model::{ColumnType, DateExpr, Query, VariableId};

/// Choices among the alternatives of a population that are tried with a person.
const TRIES: u64 = 4;

/// What the population asks of this person, and whether the person can be so.
pub(crate) fn demands(scene: &Scene, person: &Person) -> (Demands, bool) {
    let solve = |nth| super::solve::demands(scene.study, &mut scene.solving.nth(person.key, nth));
    let first = solve(0);
    if fit(scene, person, &first) {
        return (first, true);
    }
    match (1..TRIES).map(solve).find(|demands| fit(scene, person, demands)) {
        Some(demands) => (demands, true),
        None => (first, false),
    }
}

fn fit(scene: &Scene, person: &Person, demands: &Demands) -> bool {
    demands.iter().all(|(id, demand)| fits(scene, person, *id, demand))
}

fn fits(scene: &Scene, person: &Person, id: VariableId, demand: &Demand) -> bool {
    let query = &scene.study[id].query;
    if let Query::AgeAsOf(day) = query {
        return at_some_date(scene, |index| {
            let Some(day) = resolved(scene, day, index) else { return true };
            demand.takes(age(person.born, day) as f64)
        });
    }
    if is_death(query) {
        // A register may leave out a death, but cannot make one up.
        let Some(present) = demand.present else { return true };
        return at_some_date(scene, |index| {
            let Some((from, to)) = span(scene, query, index, |_, _| None) else { return !present };
            let dead = person.died.is_some_and(|died| (from..=to).contains(&day_number(died)));
            dead == present || (dead && super::plant::may_be_left_out(query))
        });
    }
    let Some(fact) = person.fact(query) else { return true };
    if matches!(query, Query::CareHome { .. }) {
        return demand.present.is_none_or(|present| present == fact.is_some());
    }
    let text = match fact {
        None => String::new(),
        Some(Value::Str(text)) => text.to_string(),
        Some(Value::Int(number)) => number.to_string(),
        Some(_) => return true,
    };
    let missing = match scene.study[id].kind {
        ColumnType::IntCategory { missing } => missing as f64,
        _ => 0.0,
    };
    let number = text.trim().parse().unwrap_or(missing);
    demand.present.is_none_or(|present| present != text.is_empty())
        && (demand.numbers.is_empty() || demand.takes(number))
        && demand.takes_text(&text)
}

/// The population is to hold at one of the dates.
fn at_some_date(scene: &Scene, holds: impl Fn(usize) -> bool) -> bool {
    scene.asked.iter().any(|index| holds(*index))
}

fn resolved(scene: &Scene, day: &DateExpr, index: usize) -> Option<jiff::civil::Date> {
    let run = scene.runs.get(index)?;
    day.resolve(run.index_date, run.today).ok().flatten()
}
