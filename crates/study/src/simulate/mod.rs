//! Simulated patients: tables made so that a study finds what it expects, run by the real engine.
//! Spec study-definitions.md 10.2; honest limits in the room's README.

mod dice;
mod missed;
mod parallel;
mod person;
mod plant;
mod report;
mod scene;
mod solve;
mod store;
mod wish;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::Date;
use query::reference::{Answer, Bindings, Count, Rows, RunFault, Tables, Value, run};
use query::{Graph, Inline};

pub use report::{ColumnShare, Report};
pub use store::Store;

use crate::Flavour;
use crate::fault::Fault;
use crate::lower::{INDEX_DATE, LowerError, lower};
use crate::model::{Study, Variable};
use crate::recording::Recording;
use person::Person;
use scene::Scene;

/// Candidates per patient wanted, at most.
const CANDIDATES: u64 = 20;

/// Patients that are simulated at most: all their rows are held in memory.
const MOST: u64 = 200_000;

/// Patients whose tables are made and asked at once.
const TOGETHER: u64 = 500;

/// What simulated patients are made for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// How many patients the population is to have, at one of the index dates at least.
    pub patients: u64,
    /// [`crate::expectations::SEED`] unless the user gives one.
    pub seed: u64,
    /// Of the command; none: the study's own, if it has one.
    pub index_dates: Vec<Date>,
    /// Day of the run, for studies that say `today`.
    pub today: Date,
    /// Share of patients with untidy rows as well, 0.05 by default.
    pub mess: f64,
}

/// Why there are no simulated patients.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The study cannot run over tables.
    #[error(transparent)]
    Lower(#[from] LowerError),
    /// More patients than the reference interpreter can hold.
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
    /// Patients by the hundreds, in order.
    stores: Vec<Store>,
    files: ValueFiles,
    graph: Graph,
    index_dates: Vec<Option<Date>>,
    inside: u64,
    lints: Vec<Fault>,
    report: Report,
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
    let graph = lower(study, recording, Flavour::Tpp)?;
    let population = lower(&without_columns(study), recording, Flavour::Tpp)?;
    let listed = listed(files);
    let wanted = if files.is_empty() { request.patients } else { listed.len() as u64 };
    if wanted > MOST {
        return Err(SimulateError::TooMany { wanted });
    }
    let scene = Scene::new(study, recording, request, listed);
    let index_dates: Vec<Option<Date>> = scene.runs.iter().map(|run| run.index_date).collect();
    let most = if files.is_empty() { wanted.saturating_mul(CANDIDATES) } else { wanted + wanted.div_ceil(10) };
    let (mut kept, mut missed): (Vec<Person>, Vec<Person>) = (Vec::new(), Vec::new());
    let (mut made, mut inside) = (0, 0);
    while inside < wanted && made < most {
        let lacking = wanted - inside;
        let reached = if made == 0 { 1.0 } else { (inside as f64 / made as f64).max(0.05) };
        let batch = ((lacking as f64 / reached * 1.05) as u64 + 16).min(10_000).min(most - made);
        let parts: Vec<(u64, u64)> = (made..made + batch)
            .step_by(TOGETHER as usize)
            .map(|from| (from, (from + TOGETHER).min(made + batch)))
            .collect();
        made += batch;
        let candidates = parallel::each(&parts, |(from, to)| candidates(&scene, &population, files, *from..*to));
        let candidates = candidates.into_iter().collect::<Result<Vec<_>, _>>()?;
        for (person, is_inside) in candidates.into_iter().flatten() {
            match is_inside {
                true if inside < wanted => {
                    inside += 1;
                    kept.push(person);
                }
                true => {}
                false if (missed.len() as u64) < wanted.div_ceil(10).max(50) => missed.push(person),
                false => {}
            }
        }
    }
    let lints = match inside < wanted && (files.is_empty() || inside == 0) {
        true => vec![missed::lint(
            study,
            recording,
            (inside, wanted, made),
            &missed,
            files,
            index_dates.first().copied().flatten(),
        )?],
        false => Vec::new(),
    };
    missed.truncate(wanted.div_ceil(10) as usize);
    kept.extend(missed);
    kept.sort_by_key(|person| person.number);
    let parts: Vec<&[Person]> = kept.chunks(TOGETHER as usize).collect();
    let stores = parallel::each(&parts, |part| Store::together(part.iter().map(|person| &person.store)));
    let report = Report::expected(&scene);
    Ok(Simulation { stores, files: files.clone(), graph, index_dates, inside, lints, report })
}

/// Patients by number, and whether they are in the population at one of the dates.
fn candidates(
    scene: &Scene,
    population: &Graph,
    files: &ValueFiles,
    numbers: Range<u64>,
) -> Result<Vec<(Person, bool)>, RunFault> {
    let people: Vec<Person> = numbers.map(|number| plant::patient(scene, number)).collect();
    let tables = with_files(Store::together(people.iter().map(|person| &person.store)), files);
    let mut ids = BTreeSet::new();
    for run in &scene.runs {
        ids.extend(answer(population, &tables, run.index_date)?.rows.iter().map(|row| row.patient_id));
    }
    Ok(people
        .into_iter()
        .map(|person| {
            let inside = ids.contains(&person.id);
            (person, inside)
        })
        .collect())
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
    /// All rows, as a folder of tables takes them.
    pub fn store(&self) -> Store {
        Store::together(&self.stores)
    }

    /// All rows, as the reference interpreter takes them. Value files of the study are not among them.
    pub fn tables(&self) -> Tables {
        self.store().into_tables()
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

    /// The rows of the file for an index date: over its own tables and value files, worked out on all processors.
    ///
    /// # Errors
    /// Where the study stops on these rows.
    pub fn answer(&self, index_date: Option<Date>) -> Result<Answer, RunFault> {
        let part = |store: &Store| answer(&self.graph, &with_files(store.clone(), &self.files), index_date);
        let parts = parallel::each(&self.stores, part);
        let mut whole = Answer { columns: Vec::new(), rows: Vec::new(), counts: Vec::new() };
        let mut counts: BTreeMap<_, Count> = BTreeMap::new();
        for part in parts {
            let part = part?;
            whole.columns = part.columns;
            whole.rows.extend(part.rows);
            for count in part.counts {
                let sum = counts.get(&count.node).map_or(0, |known| known.patients);
                counts.insert(count.node, Count { patients: count.patients + sum, ..count });
            }
        }
        whole.counts = counts.into_values().collect();
        Ok(whole)
    }

    /// The same over tables that hold more than the simulation made: [`Simulation::tables`] with a study's value files.
    ///
    /// # Errors
    /// Where the study stops on these rows.
    pub fn answer_over(&self, tables: &Tables, index_date: Option<Date>) -> Result<Answer, RunFault> {
        answer(&self.graph, tables, index_date)
    }

    /// Expected and reached shares, column by column.
    pub fn report(&self, answer: &Answer) -> Report {
        self.report.reached(answer)
    }
}
