//! The variables of a study while it is being checked: those done, those to come, and what is wrong so far.
//! A faulty variable stays in its place, so that others that use it are not blamed for it.

use std::collections::{BTreeMap, HashMap, HashSet};

use cohorts::DatePrecision;
use jiff::civil::Date;

use super::call::{Call, precision_of};
use super::plan::{Entry, Made, argument, function, plan};
use super::{CheckOptions, build, dates};
use crate::fault::Fault;
use crate::model::{ColumnType, Part, Query, Scalar, Study, Variable, VariableId};
use crate::recording::{CodelistId, Recording, StudyCall, Value};

/// Faults for which near names are looked for.
const SUGGESTIONS: usize = 500;

pub(crate) struct Scope<'a> {
    pub(super) recording: &'a Recording,
    pub(crate) options: &'a CheckOptions,
    pub(crate) call: &'a StudyCall,
    /// The study's own, once it is read.
    pub(crate) index_date: Option<Date>,
    pub(crate) variables: Vec<Variable>,
    /// Beside `variables`: whether it is as it should be.
    sound: Vec<bool>,
    done: HashMap<String, VariableId>,
    /// All names, those to come among them.
    names: Vec<String>,
    later: HashSet<String>,
    /// Precisions that a `date_of` gives to its source (2.7).
    imposed: BTreeMap<String, DatePrecision>,
    /// Codelists that were looked at already, and whether they are sound.
    pub(super) lists: HashMap<CodelistId, bool>,
    /// Codelists whose shape was looked at.
    pub(super) odd: HashSet<CodelistId>,
    pub(crate) faults: Vec<Fault>,
}

/// What a name leads to.
pub(crate) enum Found {
    /// An earlier variable; whether it is sound.
    Earlier(VariableId, bool),
    Later,
    Unknown,
}

impl<'a> Scope<'a> {
    pub(super) fn new(recording: &'a Recording, options: &'a CheckOptions, call: &'a StudyCall) -> Self {
        Self {
            recording,
            options,
            call,
            index_date: None,
            variables: Vec::new(),
            sound: Vec::new(),
            done: HashMap::new(),
            names: Vec::new(),
            later: HashSet::new(),
            imposed: BTreeMap::new(),
            lists: HashMap::new(),
            odd: HashSet::new(),
            faults: Vec::new(),
        }
    }

    /// The study; sound only when no fault was found.
    pub(super) fn study(&mut self) -> Study {
        self.index_date = dates::index_date(self);
        let entries = plan(self.call, &mut self.faults);
        self.names = entries.iter().map(|entry| entry.name.clone()).collect();
        self.later = self.names.iter().cloned().collect();
        self.impose(&entries);
        for entry in &entries {
            self.entry(entry);
        }
        self.check_population();
        crate::lint::study(self, &entries);
        Study {
            variables: std::mem::take(&mut self.variables),
            index_date: self.index_date,
            default_expectations: self.call.default_expectations.clone(),
        }
    }

    /// A date_of sets the precision of its source; the last one counts.
    fn impose(&mut self, entries: &[Entry<'_>]) {
        for entry in entries.iter().filter(|entry| entry.made == Made::Call && entry.call.function == "value_from") {
            let Some(function) = function(entry.call).filter(|f| f.part.as_deref() == Some("date")) else { continue };
            if let Some(Value::Str(source)) = argument(entry.call, "source")
                && let Some(precision) = precision_of(function, entry.call)
            {
                self.imposed.insert(source.clone(), precision);
            }
        }
    }

    pub(super) fn imposed(&self, name: &str) -> Option<DatePrecision> {
        self.imposed.get(name).copied()
    }

    fn entry(&mut self, entry: &Entry<'a>) {
        let made = match &entry.made {
            Made::Call => Call::new(self, entry.call).and_then(|mut call| build::build(&mut call)),
            Made::Fixed { day } => crate::model::dates::iso_day(day)
                .map(|day| (Query::Fixed(Scalar::Date(day)), ColumnType::Date(DatePrecision::Day))),
            Made::Companion { of } => self.companion(entry, of),
        };
        let sound = made.is_some();
        let (query, kind) = made.unwrap_or((Query::AllPatients, ColumnType::Bool));
        let expectations = match entry.made {
            Made::Fixed { .. } => Value::Null,
            _ => argument(entry.call, "return_expectations").cloned().unwrap_or(Value::Null),
        };
        self.done.insert(entry.name.clone(), VariableId(self.variables.len()));
        self.later.remove(&entry.name);
        self.sound.push(sound);
        self.variables.push(Variable {
            name: entry.name.clone(),
            called: entry.call.called.clone().unwrap_or_else(|| entry.call.function.clone()),
            hidden: entry.hidden,
            kind,
            query,
            expectations,
            src: entry.call.src,
            via: entry.call.via.clone(),
            name_src: entry.call.name_src,
        });
    }

    fn companion(&mut self, entry: &Entry<'_>, of: &str) -> Option<(Query, ColumnType)> {
        let Found::Earlier(source, sound) = self.find(of) else {
            let message = format!("the date `{}` stands before `{of}`, whose date it is", entry.name);
            self.faults.push(
                Fault::new("SD106", message)
                    .at(entry.call)
                    .variable(&entry.name)
                    .fix(format!("remove the other definition of `{}`, or move it below `{of}`", entry.name)),
            );
            return None;
        };
        let precision = function(entry.call).and_then(|function| precision_of(function, entry.call))?;
        let query = Query::ValueFrom { source, part: Part::Date };
        sound.then_some((query, ColumnType::Date(precision)))
    }

    pub(crate) fn find(&self, name: &str) -> Found {
        match self.done.get(name) {
            Some(&id) => Found::Earlier(id, self.sound[id.0]),
            None if self.later.contains(name) => Found::Later,
            None => Found::Unknown,
        }
    }

    pub(crate) fn is_sound(&self, id: VariableId) -> bool {
        self.sound.get(id.0).copied().unwrap_or(false)
    }

    pub(crate) fn variable(&self, id: VariableId) -> &Variable {
        &self.variables[id.0]
    }

    /// Names that look like this one: of earlier variables, else of any.
    pub(super) fn nearest(&self, name: &str) -> Vec<String> {
        // Looking through all names for every fault of a huge study would take minutes.
        if self.faults.len() > SUGGESTIONS {
            return Vec::new();
        }
        let earlier = pipeline::nearest(name, self.done.keys().map(String::as_str));
        if earlier.is_empty() { pipeline::nearest(name, self.names.iter().map(String::as_str)) } else { earlier }
    }

    fn check_population(&mut self) {
        let (Some(population), Some(true)) = (self.variables.last(), self.sound.last()) else { return };
        if !matches!(population.kind, ColumnType::Bool | ColumnType::Int) {
            self.faults.push(
                Fault::new("SD105", "the population is neither yes-or-no nor a whole number")
                    .at(&self.call.population)
                    .fix("write `population=patients.satisfying(\"…\", …)`, or `patients.all()`"),
            );
        }
    }
}
