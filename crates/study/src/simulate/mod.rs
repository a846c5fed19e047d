//! Simulated patients: tables made so that a study finds what it expects, run by the real engine.
//! Spec study-definitions.md 10.2; honest limits in the room's README.

mod births;
mod care_home;
mod census;
mod crowd;
mod dice;
mod fits;
mod life;
mod missed;
mod parallel;
mod person;
mod plant;
mod report;
mod scene;
mod solve;
mod store;
mod wish;

use std::collections::BTreeSet;

use jiff::civil::Date;
use query::reference::{Answer, Bindings, PatientRow, Rows, RunFault, Tables, Value, run};
use query::{Graph, Inline};

pub use census::Census;
pub use report::{ColumnShare, Report};
pub use store::Store;

use crate::Flavour;
use crate::fault::Fault;
use crate::lower::{INDEX_DATE, LowerError, lower};
use crate::model::{Study, Variable};
use crate::recording::Recording;
use crowd::Crowd;
use scene::Scene;

/// Patients that are simulated at most: what a study finds in them is held in memory.
const MOST: u64 = 1_000_000;

/// Share of patients with untidy rows, unless the user says another.
pub const MESS: f64 = 0.05;

/// What simulated patients are made for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How many patients the population is to have, at one of the index dates at least.
    pub patients: u64,
    /// [`crate::expectations::SEED`] unless the user gives one.
    pub seed: u64,
    /// Of the command; none: the study's own, if it has one.
    pub index_dates: Vec<Date>,
    /// Of other files of the same study: the same lives serve them all.
    pub other_dates: Vec<Date>,
    /// Day of the run, for studies that say `today`.
    pub today: Date,
    /// Share of patients with untidy rows as well, [`MESS`] by default.
    pub mess: f64,
    /// Whether the rows of the tables are wanted, and not only what the study finds in them.
    pub tables: bool,
    /// What the other studies of the repository expect of the same people.
    pub census: Census,
}

/// Why there are no simulated patients.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The study cannot run over tables.
    #[error(transparent)]
    Lower(#[from] LowerError),
    /// More patients than can be held.
    #[error("{wanted} patients cannot be simulated, at most {MOST}; the default dummy data have no such limit")]
    TooMany {
        /// Asked for.
        wanted: u64,
    },
    /// It fails on the rows that were made, as it could on real ones.
    #[error("the study stops on simulated patients: {0}")]
    Run(#[from] RunFault),
}

/// Simulated patients and what a study finds in them.
#[derive(Debug, Clone)]
pub struct Simulation {
    store: Store,
    index_dates: Vec<Option<Date>>,
    answers: Vec<Answer>,
    inside: u64,
    lints: Vec<Fault>,
    reports: Vec<Report>,
}

/// Rows of the files of the workspace that a study takes values from.
pub type ValueFiles = Vec<(Inline, Rows)>;

/// As [`simulate_with`], for a study without value files.
///
/// # Errors
/// As [`simulate_with`].
pub fn simulate(study: &Study, recording: &Recording, request: &Request) -> Result<Simulation, SimulateError> {
    simulate_with(study, recording, request, &Vec::new())
}

/// Makes patients until the population has as many as are wanted, and keeps about a tenth of near misses.
///
/// With value files the patients are those of the files and a tenth of others, whatever number is wanted.
///
/// # Errors
/// Where the study cannot run over tables, or stops on the rows that were made.
pub fn simulate_with(
    study: &Study,
    recording: &Recording,
    request: &Request,
    files: &ValueFiles,
) -> Result<Simulation, SimulateError> {
    let columns: Vec<String> = study.columns().map(|id| study[id].name.clone()).collect();
    let dates = request.index_dates.len().max(1);
    let mut answers = vec![Answer { columns, rows: Vec::new(), counts: Vec::new() }; dates];
    let mut simulation = simulate_each(study, recording, request, files, &mut |date, rows| {
        if let Some(answer) = answers.get_mut(date) {
            answer.rows.extend(rows);
        }
    })?;
    simulation.answers = answers;
    Ok(simulation)
}

/// As [`simulate_with`], handing over the rows of the files as they are made: the place of the index date in the
/// request and some rows, patients ascending. Nothing of them is kept.
///
/// # Errors
/// As [`simulate_with`]; rows handed over before are of no use then.
pub fn simulate_each(
    study: &Study,
    recording: &Recording,
    request: &Request,
    files: &ValueFiles,
    each: &mut dyn FnMut(usize, Vec<PatientRow>),
) -> Result<Simulation, SimulateError> {
    let graph = lower(study, recording, Flavour::Tpp)?;
    let listed = listed(files);
    let wanted = if files.is_empty() { request.patients } else { listed.len() as u64 };
    if wanted > MOST {
        return Err(SimulateError::TooMany { wanted });
    }
    let scene = Scene::new(study, recording, request, listed);
    let asked = scene.asked.iter().filter_map(|place| scene.runs.get(*place));
    let index_dates: Vec<Option<Date>> = asked.map(|run| run.index_date).collect();
    let mut reports = vec![Report::expected(&scene); index_dates.len()];
    let mut crowd = Crowd::new(&scene, &graph, files, wanted);
    while let Some(batch) = crowd.next()? {
        for (date, rows) in batch {
            reports[date].count(&rows);
            each(date, rows);
        }
    }
    reports.iter_mut().for_each(Report::reached);
    let counts = (crowd.inside, wanted, crowd.looked);
    let lints = match crowd.inside < wanted && (files.is_empty() || crowd.inside == 0) {
        true => {
            let missed = crowd::tables(&scene, &crowd.missed);
            let date = index_dates.first().copied().flatten();
            vec![missed::lint(study, recording, counts, missed, files, date)?]
        }
        false => Vec::new(),
    };
    let store = if request.tables { crowd.store() } else { Store::default() };
    Ok(Simulation { store, index_dates, answers: Vec::new(), inside: crowd.inside, lints, reports })
}

fn with_files(store: Store, files: &ValueFiles) -> Tables {
    let mut tables = store.into_tables();
    files.iter().for_each(|(file, rows)| tables.insert_inline(file.clone(), rows.clone()));
    tables
}

/// The patients of value files, ascending.
fn listed(files: &ValueFiles) -> Vec<i64> {
    let mut ids: BTreeSet<i64> = BTreeSet::new();
    for (_, rows) in files {
        let place = rows.columns.iter().position(|column| column == "patient_id");
        ids.extend(rows.rows.iter().filter_map(|row| match place.and_then(|place| row.get(place)) {
            Some(Value::Int(id)) => Some(*id),
            _ => None,
        }));
    }
    ids.into_iter().collect()
}

/// The same population, without columns: other variables are computed only where it asks for them.
fn without_columns(study: &Study) -> Study {
    let hide = |variable: &Variable| Variable { hidden: true, ..variable.clone() };
    Study { variables: study.variables.iter().map(hide).collect(), ..study.clone() }
}

/// What a graph answers at an index date.
fn answer(graph: &Graph, tables: &Tables, index_date: Option<Date>) -> Result<Answer, RunFault> {
    let mut bindings = Bindings::new();
    if graph.parameters().contains_key(INDEX_DATE) {
        bindings.insert(INDEX_DATE.to_owned(), index_date.map_or(Value::Null, Value::Date));
    }
    run(graph, tables, &bindings)
}

impl Simulation {
    /// All rows, as a folder of tables takes them; none unless the request wants them.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The dates of the request; one `None` for a study that has no index date.
    pub fn index_dates(&self) -> &[Option<Date>] {
        &self.index_dates
    }

    /// How many patients are in the population at one of the dates.
    pub fn inside(&self) -> u64 {
        self.inside
    }

    /// SD620, when fewer are inside than wanted.
    pub fn lints(&self) -> &[Fault] {
        &self.lints
    }

    /// The rows of the file for an index date; `None` for a date that was not asked for, or where the rows were handed
    /// over.
    pub fn answer(&self, index_date: Option<Date>) -> Option<&Answer> {
        self.index_dates.iter().position(|date| *date == index_date).and_then(|place| self.answers.get(place))
    }

    /// Expected and reached shares, column by column, for each index date.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }
}
