//! Which columns dummy data has, in which order, and how each is made.
//! Spec study-definitions.md 9.2 (order of columns) and 10.1.

use std::collections::BTreeMap;

use cohorts::{Field, Kind};

use super::Settings as Run;
use super::draw::{self, Draw};
use super::files::FileColumns;
use super::period;
use super::problem::Problem;
use super::settings::Settings;
use super::stream::{Key, Purpose};
use crate::fault::{Fault, Severity};
use crate::model::{ColumnType, Extreme, Part, Query, Scalar, Study, Variable, VariableId};
use crate::recording::Recording;

/// How one column is made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Make {
    /// A column of the value files.
    File(usize),
    /// Drawn, then emptied.
    Drawn(Drawn),
    /// The same values as an earlier column.
    Same(usize),
    /// One value in every row.
    Fixed(Scalar),
    /// Over earlier columns, row by row.
    Extreme(Extreme, Vec<usize>),
}

/// Values of one stream, with exactly some of the rows emptied by another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) draw: Draw,
    pub(crate) values: Key,
    /// How many rows are emptied, and which; `None`: none.
    pub(crate) empty: Option<(u64, Key)>,
    /// Days outside are emptied too.
    pub(crate) within: Option<(i32, i32)>,
}

/// A column that is made, whether or not it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) field: Field,
    pub(crate) make: Make,
}

/// Columns in the order in which they are made, and which of them are written in which order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<Column>,
    /// Indices into `columns`; `None` is patient_id.
    pub(crate) written: Vec<Option<usize>>,
}

/// A column of a value file without the file.
pub(crate) const UNREAD: &str = "D511";

/// All faults at once; lints beside a plan.
pub(crate) fn plan(study: &Study, recording: &Recording, run: &Run, files: Option<&FileColumns>) -> (Plan, Vec<Fault>) {
    let patients = files.map_or(run.patients, |files| files.patients.len() as u64);
    let mut planner = Planner {
        study,
        recording,
        run,
        patients,
        files,
        plan: Plan::default(),
        places: BTreeMap::new(),
        faults: Vec::new(),
        told: Vec::new(),
    };
    for id in needed(study) {
        planner.add(id);
    }
    planner.order();
    (planner.plan, planner.faults)
}

/// Whether a variable is a column of a value file.
pub(crate) fn from_file(query: &Query) -> bool {
    matches!(query, Query::ValueFromFile { .. } | Query::InFile { .. })
}

/// The visible columns, and hidden ones that aggregates among them read, in processing order.
pub(crate) fn needed(study: &Study) -> Vec<VariableId> {
    let mut needed = vec![false; study.variables.len()];
    for id in study.columns() {
        needed[id.0] = true;
    }
    for place in (0..needed.len()).rev() {
        if let (true, Query::Aggregate { of, .. }) = (needed[place], &study.variables[place].query) {
            for input in of {
                needed[input.0] = true;
            }
        }
    }
    (0..needed.len()).filter(|place| needed[*place]).map(VariableId).collect()
}

struct Planner<'a> {
    study: &'a Study,
    recording: &'a Recording,
    run: &'a Run,
    patients: u64,
    files: Option<&'a FileColumns>,
    plan: Plan,
    /// Where the column of a variable is.
    places: BTreeMap<VariableId, usize>,
    faults: Vec<Fault>,
    /// The same, before the name of a companion is added.
    told: Vec<Fault>,
}

impl Planner<'_> {
    fn add(&mut self, id: VariableId) {
        let variable = &self.study[id];
        match self.make(id, variable) {
            Ok((make, kind)) => {
                self.places.insert(id, self.plan.columns.len());
                self.plan.columns.push(Column { field: Field { name: variable.name.clone(), kind }, make });
            }
            Err(problems) => problems.into_iter().for_each(|problem| self.tell(problem, variable)),
        }
    }

    /// Faults of a companion are those of its source, whose settings it takes; they are told once.
    fn tell(&mut self, problem: Problem, variable: &Variable) {
        let source = match variable.query {
            Query::ValueFrom { source, part: Part::Date } => Some(&self.study[source]),
            _ => None,
        };
        let mut fault = problem.at(source.unwrap_or(variable));
        if self.told.contains(&fault) {
            return;
        }
        self.told.push(fault.clone());
        if source.is_some() {
            fault.message = format!("{} (for its date, {})", fault.message, variable.name);
        }
        self.faults.push(fault);
    }

    fn make(&mut self, id: VariableId, variable: &Variable) -> Result<(Make, Kind), Vec<Problem>> {
        let kind = kind_of(variable.kind);
        match &variable.query {
            query if from_file(query) => {
                let place = self.files.and_then(|files| files.columns.iter().position(|(column, _)| *column == id));
                let place = place.ok_or_else(|| {
                    vec![Problem::new(UNREAD, "its file was not read", "give the columns of value files")]
                })?;
                Ok((Make::File(place), kind))
            }
            Query::AllPatients => Ok((Make::Fixed(Scalar::Bool(true)), kind)),
            Query::Fixed(value) => Ok((Make::Fixed(value.clone()), kind)),
            Query::Aggregate { which, of } => {
                // An input that is missing here has a fault of its own.
                let places: Option<Vec<usize>> = of.iter().map(|input| self.places.get(input).copied()).collect();
                let places = places.ok_or_else(Vec::new)?;
                let kind = self.shared_kind(&places, kind)?;
                Ok((Make::Extreme(*which, places), kind))
            }
            Query::ValueFrom { source, part: Part::Date } => self.companion(*source, kind),
            _ => self.drawn(variable, variable).map(|(make, drawn)| (make, drawn.unwrap_or(kind))),
        }
    }

    /// The kind of an aggregate's values is that of its inputs, labels drawn for numbers among them.
    fn shared_kind(&self, places: &[usize], own: Kind) -> Result<Kind, Vec<Problem>> {
        let kinds: Vec<Kind> = places.iter().map(|place| self.plan.columns[*place].field.kind).collect();
        let Some(first) = kinds.first() else { return Ok(own) };
        match kinds.iter().all(|kind| std::mem::discriminant(kind) == std::mem::discriminant(first)) {
            true if matches!(own, Kind::Date(_)) => Ok(own),
            true => Ok(*first),
            false => {
                let fix = "give the ratios of all of them as numbers, or of all of them as texts";
                Err(vec![Problem::new("SD205", "its inputs have dummy values of different types", fix)])
            }
        }
    }

    /// The date of a source: drawn once under the source's name, so that all companions agree; where the source is a
    /// date itself, the source's own.
    fn companion(&mut self, source: VariableId, kind: Kind) -> Result<(Make, Kind), Vec<Problem>> {
        let of = &self.study[source];
        if let (ColumnType::Date(_), Some(place)) = (of.kind, self.places.get(&source)) {
            return Ok((Make::Same(*place), kind));
        }
        // The period is the source's: applied to a source that is a date, and not to dates beside another value, which
        // is there exactly where its date is.
        let query = if matches!(of.kind, ColumnType::Date(_)) { of.query.clone() } else { Query::Sex };
        let dated = Variable { kind: ColumnType::Date(cohorts::DatePrecision::Day), query, ..of.clone() };
        self.drawn(of, &dated).map(|(make, _)| (make, kind))
    }

    /// Values of `variable`'s type from the settings of `named`, whose name is that of the streams.
    fn drawn(&mut self, named: &Variable, variable: &Variable) -> Result<(Make, Option<Kind>), Vec<Problem>> {
        let settings =
            Settings::new(&self.study.default_expectations, &named.expectations).map_err(|problem| vec![problem])?;
        let (lints, mut problems): (Vec<_>, Vec<_>) =
            settings.unknown().partition(|problem| problem.severity == Severity::Lint);
        lints.into_iter().for_each(|lint| self.tell(lint, named));
        let mut keep = |problem| {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        };
        let incidence = settings.incidence().map_err(&mut keep);
        let draw = draw::draw(variable, &settings, self.recording, self.run)
            .map_err(|found| found.into_iter().for_each(&mut keep));
        let within = period::fixed(&variable.query, variable.kind, self.run).map_err(&mut keep);
        let (Ok(incidence), Ok((draw, kind)), Ok(within), true) = (incidence, draw, within, problems.is_empty()) else {
            return Err(problems);
        };
        let key = |purpose, settings: &[u8]| Key::new(self.run.seed, purpose, &named.name, settings, self.patients);
        let empty = incidence
            .map(|share| (((1.0 - share) * self.patients as f64) as u64, key(Purpose::Presence, &share.to_le_bytes())));
        let values = key(Purpose::Values, &draw.settings());
        if let Some(lint) = within.and_then(|within| draw.loss(within)) {
            self.faults.push(lint.at(named));
        }
        Ok((Make::Drawn(Drawn { draw, values, empty, within }), kind))
    }

    /// Files, dates, others, fixed values, aggregates; patient_id last, or first with files.
    fn order(&mut self) {
        let visible: Vec<(VariableId, usize)> =
            self.study.columns().filter_map(|id| Some((id, *self.places.get(&id)?))).collect();
        let group = |id: VariableId| match (&self.study[id].query, self.study[id].kind) {
            (query, _) if from_file(query) => 0,
            (Query::Fixed(_), _) => 3,
            (Query::Aggregate { .. }, _) => 4,
            (Query::Categorised(_) | Query::CareHome { .. }, _) => 2,
            (_, ColumnType::Date(_)) => 1,
            _ => 2,
        };
        let columns = (0..5).flat_map(|wanted| visible.iter().filter(move |(id, _)| group(*id) == wanted));
        self.plan.written = columns.map(|(_, place)| Some(*place)).collect();
        match self.files {
            Some(_) => self.plan.written.insert(0, None),
            None => self.plan.written.push(None),
        }
    }
}

/// As in a real file.
fn kind_of(kind: ColumnType) -> Kind {
    match kind {
        ColumnType::Bool => Kind::Bool,
        ColumnType::Int => Kind::Int,
        ColumnType::Float => Kind::Float,
        ColumnType::Str => Kind::Str,
        ColumnType::Date(precision) => Kind::Date(precision),
        ColumnType::IntCategory { missing } => Kind::IntCategory { missing: Some(missing) },
    }
}
