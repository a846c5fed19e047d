//! Lays a study flat: nested variables before their owner, companions behind their variable, fixed days before their use,
//! the population last. Spec study-definitions.md 2.1-2.4 and 2.6.

use std::collections::{HashMap, HashSet};

use super::truthy;
use crate::fault::Fault;
use crate::functions::{Function, table};
use crate::model::dates::iso_day;
use crate::recording::{StudyCall, Value, Variable};

/// Variables with hidden ones (section 14).
const MOST: usize = 20_000;
/// Variables nested in each other (section 14).
const DEEPEST: usize = 50;
/// Characters of a name: what the database in use today can hold.
const LONGEST_NAME: usize = 128;

/// A variable to be.
pub(crate) struct Entry<'a> {
    pub(crate) name: String,
    pub(crate) hidden: bool,
    pub(crate) made: Made,
    /// The call that it comes from.
    pub(crate) call: &'a Variable,
}

/// How it comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Made {
    /// By its call.
    Call,
    /// By `include_date_of_match` or `include_measurement_date` of a variable.
    Companion { of: String },
    /// By an ISO date among the names of an aggregate.
    Fixed { day: String },
}

/// The function of a call, by its public name or, for tuples written by hand, by what they hold.
pub(crate) fn function(call: &Variable) -> Option<&'static Function> {
    let query = call.function.as_str();
    if let Some(found) = call.called.as_deref().and_then(|name| table().called(name))
        && found.query == query
    {
        return Some(found);
    }
    let text = |key: &str| match argument(call, key) {
        Some(Value::Str(text)) => text.as_str(),
        _ => "",
    };
    match query {
        "value_from" => {
            let part = text("returning");
            table().functions().iter().find(|f| f.query == query && f.part.as_deref() == Some(part))
        }
        "aggregate_of" => {
            let least = text("aggregate_function").eq_ignore_ascii_case("min");
            table().called(if least { "minimum_of" } else { "maximum_of" })
        }
        _ => table().called(query),
    }
}

/// An argument that was given.
pub(crate) fn argument<'a>(call: &'a Variable, name: &str) -> Option<&'a Value> {
    call.args.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The names that an aggregate takes, its nested variables among them; days are given as texts.
pub(crate) fn aggregate_names(call: &Variable) -> Vec<&Value> {
    let given = ["column_names", "names"].iter().find_map(|key| argument(call, key));
    let mut names: Vec<&Value> = match given {
        Some(Value::List(names)) => names.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    };
    names.retain(|name| !matches!(name, Value::Null));
    names
}

/// Variables in processing order.
pub(crate) fn plan<'a>(study: &'a StudyCall, faults: &mut Vec<Fault>) -> Vec<Entry<'a>> {
    let mut planner =
        Planner { entries: Vec::new(), places: HashMap::new(), taken: HashSet::new(), faults, full: false, fixed: 0 };
    let all = study.variables.iter().chain([&study.population]);
    let mut open: Vec<&Variable> = all.clone().collect();
    while let Some(variable) = open.pop() {
        planner.taken.insert(variable.name.clone());
        open.extend(&variable.extra);
    }
    for variable in all {
        planner.variable(variable, false, 0);
    }
    planner.entries
}

struct Planner<'a, 'f> {
    entries: Vec<Entry<'a>>,
    places: HashMap<String, usize>,
    /// Names that a `fixed_value_K` must not take.
    taken: HashSet<String>,
    faults: &'f mut Vec<Fault>,
    full: bool,
    /// Where the search for a free `fixed_value_K` goes on.
    fixed: u32,
}

impl<'a> Planner<'a, '_> {
    fn variable(&mut self, call: &'a Variable, hidden: bool, depth: usize) {
        if depth > DEEPEST || self.entries.len() >= MOST {
            if !self.full {
                self.full = true;
                let what = if depth > DEEPEST { "50 levels of nested variables" } else { "20,000 variables" };
                self.faults.push(Fault::new("SD007", format!("the study has more than {what}")).at(call));
            }
            return;
        }
        for nested in &call.extra {
            self.variable(nested, true, depth + 1);
        }
        if call.function == "aggregate_of" {
            for name in aggregate_names(call) {
                let day = match name {
                    Value::Str(text) if iso_day(text).is_some() => text.clone(),
                    Value::Date(day) => day.to_string(),
                    _ => continue,
                };
                let name = self.free_name();
                self.add(Entry { name, hidden: true, made: Made::Fixed { day }, call });
            }
        }
        self.check_name(call);
        self.add(Entry { name: call.name.clone(), hidden, made: Made::Call, call });
        let Some(function) = function(call) else { return };
        for (option, suffix) in [("include_date_of_match", "date"), ("include_measurement_date", "date_measured")] {
            if function.parameter(option).is_some() && argument(call, option).is_some_and(truthy) {
                let made = Made::Companion { of: call.name.clone() };
                self.add(Entry { name: format!("{}_{suffix}", call.name), hidden, made, call });
            }
        }
    }

    /// The first `fixed_value_K` that nothing is called.
    fn free_name(&mut self) -> String {
        loop {
            self.fixed += 1;
            let name = format!("fixed_value_{}", self.fixed);
            if !self.taken.contains(&name) {
                return name;
            }
        }
    }

    fn add(&mut self, entry: Entry<'a>) {
        let Some(&place) = self.places.get(&entry.name) else {
            self.places.insert(entry.name.clone(), self.entries.len());
            self.entries.push(entry);
            return;
        };
        let earlier = &mut self.entries[place];
        let name = &entry.name;
        let companion = |entry: &Entry<'_>| matches!(entry.made, Made::Companion { .. });
        if companion(earlier) || companion(&entry) {
            let message = format!("`{name}` is defined twice: by a call, and as the date of another variable");
            self.faults.push(
                Fault::new("SD918", message)
                    .at(entry.call)
                    .variable(name)
                    .other(earlier.call.src, "the first definition, whose place it takes")
                    .fix("the later definition wins; rename one of them, or leave out the option that adds the date"),
            );
            *earlier = entry;
            return;
        }
        self.faults.push(
            Fault::new("SD102", format!("`{name}` is defined twice"))
                .at(entry.call)
                .other(earlier.call.src, "first defined here")
                .fix("rename one of them; nested variables share the names of the whole study"),
        );
    }

    fn check_name(&mut self, call: &Variable) {
        let name = &call.name;
        let mut chars = name.chars();
        let begins = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if name == "patient_id" {
            self.faults.push(
                Fault::new("SD101", "`patient_id` is the name of the column of patients")
                    .at(call)
                    .fix("choose another name; the column patient_id is always there"),
            );
        } else if !begins || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let shown: String = name.chars().take(60).collect();
            self.faults.push(
                Fault::new("SD103", format!("`{shown}` cannot be the name of a column"))
                    .at(call)
                    .fix("letters A-Z and a-z, digits and `_` are possible, and no digit at the beginning"),
            );
        } else if name.len() > LONGEST_NAME {
            self.faults.push(
                Fault::new("SD103", format!("`{}…` is {} characters long", &name[..40], name.len()))
                    .at(call)
                    .fix("a name has at most 128 characters (and only 32 of them in Stata files)"),
            );
        }
    }
}
