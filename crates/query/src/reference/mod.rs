//! The reference interpreter (warehouse.md 10): small, slow, obviously right; one patient, one binding, one node at a
//! time, over plain rows. What an operation means is what stands here, beside warehouse.md 5.2-5.5.
//!
//! It never sees more than it may: the privacy filters of warehouse.md 9 are conditions on patients and on rows, so a
//! caller that has a policy hands over [`Tables`] from which those patients and rows are gone already; the universe is
//! then the rows that are left in the patient table. Nothing in a graph can bring them back.

mod aggregates;
mod dates;
mod fault;
mod frames;
mod links;
mod numbers;
mod patient;
mod prepare;
mod text;
mod truth;

use std::collections::BTreeMap;

pub use crate::run_code::RunCode;
pub use crate::tables::{Rows, Tables};
pub use crate::value::Value;
pub use fault::RunFault;

use crate::graph::{Graph, NodeId};
pub(crate) use patient::Patient;
use prepare::Prepared;

/// One value for each parameter of a graph.
pub type Bindings = BTreeMap<String, Value>;

/// One row of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct PatientRow {
    /// Key of the patient.
    pub patient_id: i64,
    /// One for each delivered variable.
    pub values: Vec<Value>,
}

/// How often a node had no value because its result is out of range (D501 of warehouse.md 5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The node.
    pub node: NodeId,
    /// `file:line` in the study.
    pub source: Option<String>,
    /// Number of patients.
    pub patients: u64,
}

/// What a graph answers for one binding.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Names of the delivered variables.
    pub columns: Vec<String>,
    /// The patients of the population, ids ascending.
    pub rows: Vec<PatientRow>,
    /// D501, by node; only nodes that have any.
    pub counts: Vec<Count>,
}

/// Runs a graph that has no fault over tables, for one binding.
///
/// # Errors
/// The first fault that a patient meets (D510-D514), a column that was not supplied (D305), or a graph that
/// [`crate::validate`] refuses (D304).
pub fn run(graph: &Graph, tables: &Tables, bindings: &Bindings) -> Result<Answer, RunFault> {
    let mut rows = Vec::new();
    let counts = run_each(graph, tables, bindings, &mut |row| rows.push(row))?;
    let visible = graph.dataset.variables.iter().filter(|v| !v.hidden);
    Ok(Answer { columns: visible.map(|v| v.name.clone()).collect(), rows, counts })
}

/// As [`run`], handing over each row as soon as it is made, so that no answer is kept.
///
/// # Errors
/// As [`run`]; rows handed over before a fault are of no use.
pub fn run_each(
    graph: &Graph,
    tables: &Tables,
    bindings: &Bindings,
    each: &mut (dyn FnMut(PatientRow) + Send),
) -> Result<Vec<Count>, RunFault> {
    let data = &graph.dataset;
    let mut counts: BTreeMap<NodeId, u64> = BTreeMap::new();
    walk(graph, tables, bindings, &mut |patient| {
        if patient.variable("population", data.population)?.is_true() {
            let visible = data.variables.iter().filter(|v| !v.hidden);
            let values: Result<Vec<Value>, RunFault> = visible.map(|v| patient.variable(&v.name, v.series)).collect();
            each(PatientRow { patient_id: patient.id, values: values? });
        }
        for node in patient.doubts() {
            *counts.entry(node).or_default() += 1;
        }
        Ok(())
    })?;
    let count = |(node, patients)| Count { node, source: graph.source(node).map(str::to_owned), patients };
    Ok(counts.into_iter().map(count).collect())
}

/// What is done with each patient of the universe.
pub(crate) type Visit<'v> = dyn FnMut(&mut Patient<'_>) -> Result<(), RunFault> + Send + 'v;

/// Goes over the universe, ids ascending.
pub(crate) fn walk(graph: &Graph, tables: &Tables, bindings: &Bindings, visit: &mut Visit<'_>) -> Result<(), RunFault> {
    let prepared = Prepared::new(graph, tables, bindings)?;
    // nodes call one another: the stack grows with the depth of the graph, which is limited
    let stack = (8 << 20) + (prepared.depth as usize) * (64 << 10);
    let work = || {
        let mut patient = Patient::new(&prepared);
        prepared.universe().into_iter().try_for_each(|id| {
            patient.begin(id);
            visit(&mut patient)
        })
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(RunFault::unsound("no memory for a graph of this depth")),
        }
    })
}

/// Whether the population would hold a patient of whom nothing is known (D302 of warehouse.md 5.1), for a binding.
pub(crate) fn holds_unknown(graph: &Graph, bindings: &Bindings) -> Result<bool, RunFault> {
    let mut tables = Tables::default();
    let nobody = Rows { columns: vec![crate::PATIENT_ID.to_owned()], rows: vec![vec![Value::Int(0)]] };
    tables.insert("Patient", nobody);
    let mut graph = graph.clone();
    graph.dataset.variables.clear();
    graph.grouped_sums.clear();
    graph.event_counts.clear();
    graph.universe = crate::graph::Universe::Patients;
    Ok(!run(&graph, &tables, bindings)?.rows.is_empty())
}
