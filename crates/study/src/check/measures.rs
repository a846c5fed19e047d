//! Measures of a module: an id that can be a file's name, columns that the study has.
//! Spec study-definitions.md 11; fault SD701. Other actions may add columns to the files, so those only warn.

use std::collections::HashSet;

use super::truthy;
use crate::fault::{Fault, did_you_mean};
use crate::functions::Function;
use crate::model::{Measure, MeasureGroups};
use crate::recording::{self, Recording, Variable};

/// The sound measures; faults are added to those found before.
pub(super) fn check(recording: &Recording, faults: &mut Vec<Fault>) -> Vec<Measure> {
    let columns = columns(recording);
    let mut ids = HashSet::new();
    let mut sound = Vec::new();
    for measure in recording.measures.iter().flatten() {
        if !ids.insert(measure.id.as_str()) {
            let message =
                format!("two measures are called `{}`, and the second would take the first one's file", measure.id);
            faults.push(
                Fault::new("SD701", message).src(measure.src).argument("id").fix("give it another id").only_shown(),
            );
        }
        if let Some(fault) = id(measure) {
            let stops = fault.severity == crate::fault::Severity::Fault;
            faults.push(fault);
            if stops {
                continue;
            }
        }
        if let Some(columns) = &columns {
            unknown_columns(measure, columns, faults);
        }
        sound.push(understood(measure));
    }
    sound
}

fn understood(measure: &recording::Measure) -> Measure {
    let groups = match measure.group_by.as_slice() {
        [] => MeasureGroups::Patient,
        [one] if one == "population" => MeasureGroups::Population,
        columns => MeasureGroups::Columns(columns.to_vec()),
    };
    Measure {
        id: measure.id.clone(),
        numerator: measure.numerator.clone(),
        denominator: measure.denominator.clone(),
        groups,
        small_number_suppression: measure.small_number_suppression,
        src: measure.src,
    }
}

fn id(measure: &recording::Measure) -> Option<Fault> {
    let id = &measure.id;
    let harmful = id.is_empty() || id == "." || id == ".." || id.contains(['/', '\\', '\0', '\n', '\r']);
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain && !harmful {
        return None;
    }
    let fault = Fault::new("SD701", format!("{id:?} is no good id of a measure: it becomes part of a file's name"))
        .src(measure.src)
        .argument("id")
        .fix("use letters, digits and `_`");
    Some(if harmful { fault } else { fault.only_shown() })
}

/// Columns of the study's file, if the module has a study.
fn columns(recording: &Recording) -> Option<HashSet<String>> {
    let study = recording.study.as_ref()?;
    let mut columns: HashSet<String> = study.variables.iter().flat_map(of_variable).collect();
    columns.insert("population".to_owned());
    columns.insert("patient_id".to_owned());
    Some(columns)
}

fn of_variable(variable: &Variable) -> Vec<String> {
    let mut names = vec![variable.name.clone()];
    let on = |option: &str| {
        super::plan::function(variable).and_then(|f: &Function| f.parameter(option)).is_some()
            && super::plan::argument(variable, option).is_some_and(truthy)
    };
    if on("include_date_of_match") {
        names.push(format!("{}_date", variable.name));
    }
    if on("include_measurement_date") {
        names.push(format!("{}_date_measured", variable.name));
    }
    names
}

fn unknown_columns(measure: &recording::Measure, columns: &HashSet<String>, faults: &mut Vec<Fault>) {
    let used = [("numerator", &measure.numerator), ("denominator", &measure.denominator)];
    let groups = measure.group_by.iter().map(|name| ("group_by", name));
    for (argument, name) in used.into_iter().chain(groups) {
        if columns.contains(name) {
            continue;
        }
        let near = did_you_mean(&pipeline::nearest(name, columns.iter().map(String::as_str)));
        let fix = near.unwrap_or_else(|| "define it, or make sure that another action adds it to the files".to_owned());
        faults.push(
            Fault::new("SD701", format!("measure `{}`: the study has no column `{name}`", measure.id))
                .src(measure.src)
                .argument(argument)
                .fix(fix)
                .only_shown(),
        );
    }
}
