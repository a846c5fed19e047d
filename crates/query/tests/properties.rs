//! Drawn graphs over drawn rows: sound graphs have no fault and never panic, their serialised form is the same graph, and
//! what does not concern a patient changes nothing about it (warehouse.md 10).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

mod drawn;

use std::collections::{BTreeMap, BTreeSet};

use drawn::{Script, bindings, graph, tables};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRng, TestRunner};
use query::reference::{Answer, RunCode, RunFault, Tables, run};
use query::{Catalogue, Graph, Severity, Value, validate};

/// Rows of an answer by patient, so that faults of other patients do not matter.
fn by_patient(answer: &Answer) -> BTreeMap<i64, &Vec<Value>> {
    answer.rows.iter().map(|row| (row.patient_id, &row.values)).collect()
}

fn ask(graph: &Graph, tables: &Tables) -> Result<Answer, RunFault> {
    run(graph, tables, &bindings())
}

/// Faults that data may cause.
fn of_data(fault: &RunFault) -> bool {
    matches!(fault.code, RunCode::D510 | RunCode::D511 | RunCode::D512 | RunCode::D513 | RunCode::D514)
}

fn script(length: usize) -> impl Strategy<Value = Script> {
    proptest::collection::vec(any::<u32>(), 20..length).prop_map(Script::new)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    /// A drawn graph is sound, its serialised form is itself, and running it ends in rows or in a fault of the data.
    #[test]
    fn sound(asked in script(240), data in script(120)) {
        let graph = graph(asked);
        let faults = validate(&graph, Catalogue::tpp());
        prop_assert!(faults.iter().all(|f| f.severity == Severity::Warning), "{:?}", faults);
        let json = graph.to_json();
        let back = Graph::from_json(&json).unwrap();
        prop_assert_eq!(&back, &graph);
        prop_assert_eq!(back.to_json(), json);
        match ask(&graph, &tables(data)) {
            Ok(answer) => {
                prop_assert!(answer.rows.is_sorted_by(|a, b| a.patient_id < b.patient_id));
                for row in &answer.rows {
                    prop_assert!(row.values.iter().all(|v| !matches!(v, Value::Float(x) if !x.is_finite())));
                }
            }
            Err(fault) => prop_assert!(of_data(&fault), "{}", fault),
        }
    }

    /// Removing a patient leaves the others as they are; asking again gives the same; a graph has one meaning.
    #[test]
    fn patients_are_independent(asked in script(160), data in script(120), gone in 1_i64..6) {
        let graph = graph(asked);
        let all = tables(data);
        let fewer = drawn::without(&all, gone);
        if let (Ok(whole), Ok(part)) = (ask(&graph, &all), ask(&graph, &fewer)) {
            let mut whole = by_patient(&whole);
            whole.remove(&gone);
            prop_assert_eq!(whole, by_patient(&part));
            prop_assert_eq!(ask(&graph, &all), ask(&graph, &all));
        }
    }

    /// A file's lines may come in any order of patients.
    #[test]
    fn order_of_patients_does_not_matter(asked in script(160), data in script(120)) {
        let graph = graph(asked);
        let tables = tables(data);
        let turned = drawn::by_patient_descending(&tables);
        prop_assert_eq!(ask(&graph, &tables).ok().map(|a| (a.rows, a.counts)), ask(&graph, &turned).ok().map(|a| (a.rows, a.counts)));
    }
}

/// The draws reach every operation, and most runs give something that differs between patients.
#[test]
fn draws_are_worth_something() {
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(Config::default().rng_algorithm));
    let (mut operations, mut telling, mut ended) = (BTreeSet::new(), 0, 0);
    const RUNS: usize = 150;
    for _ in 0..RUNS {
        let asked = script(240).new_tree(&mut runner).unwrap().current();
        let data = script(120).new_tree(&mut runner).unwrap().current();
        let graph = graph(asked);
        let document: serde_json::Value = serde_json::from_slice(&graph.to_json()).unwrap();
        operations
            .extend(document["nodes"].as_object().unwrap().values().map(|n| n["op"].as_str().unwrap().to_owned()));
        if let Ok(answer) = ask(&graph, &tables(data)) {
            ended += 1;
            let columns = 0..answer.columns.len();
            let mut several =
                columns.filter(|at| answer.rows.iter().any(|r| r.values[*at] != answer.rows[0].values[*at]));
            telling += usize::from(several.next().is_some());
        }
    }
    for op in drawn::OPERATIONS.split_whitespace() {
        assert!(operations.contains(op), "{op} was never drawn: {operations:?}");
    }
    assert!(ended * 2 > RUNS, "only {ended} of {RUNS} runs ended without a fault of the data");
    assert!(telling * 2 > ended, "only {telling} of {ended} answers tell patients apart");
}
