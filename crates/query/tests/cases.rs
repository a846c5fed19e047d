//! Every file of `cases/` says what its graph answers, worked out by hand from the rule; here the reference is asked.
//! Each graph also goes through its serialised form and back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use query::reference::run;
use query::totals::run_totals;
use query::{Catalogue, Graph, Severity, validate};
use support::{Expected, data, read};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "case") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut found = Vec::new();
    files(&root, &mut found);
    found.sort();
    assert!(!found.is_empty());
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().display().to_string();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// What is wrong with a case, if anything.
fn judge(text: &str) -> Result<(), String> {
    let case = read(text);
    let json = case.graph.to_json();
    let back = Graph::from_json(&json).map_err(|faults| format!("its serialised form is refused: {faults:?}"))?;
    if back != case.graph || back.to_json() != json {
        return Err("the serialised form is another graph".into());
    }
    let faults = validate(&case.graph, Catalogue::tpp());
    if let Expected::Faults(codes, words) = &case.expected {
        let found: Vec<String> = faults.iter().map(|f| f.code.to_string()).collect();
        let said: String = faults.iter().map(|f| format!("{f}\n")).collect();
        return match words.iter().find(|w| !said.contains(w.as_str())) {
            _ if found != *codes => Err(format!("faults {found:?}\n{said}")),
            Some(word) => Err(format!("nobody says {word:?}:\n{said}")),
            None => Ok(()),
        };
    }
    if let Some(fault) = faults.iter().find(|f| f.severity == Severity::Error) {
        return Err(format!("the graph has a fault: {fault}"));
    }
    if !case.totals.is_empty() {
        let totals =
            run_totals(&case.graph, &case.tables, &case.bindings).map_err(|fault| format!("stops: {fault}"))?;
        for (name, expected) in &case.totals {
            let found = data::total_lines(&case.graph, &totals, name);
            if found != *expected {
                return Err(format!("{name} answers\n{}", found.join("\n")));
            }
        }
    }
    match (run(&case.graph, &case.tables, &case.bindings), &case.expected) {
        (Ok(answer), Expected::Rows(rows, counts)) => {
            let found = data::lines(&answer);
            let named = |count: &query::reference::Count| {
                let variables = &case.graph.dataset().variables;
                let name = variables.iter().find(|v| v.series.0 == count.node).map_or("?", |v| v.name.as_str());
                format!("{name}={}", count.patients)
            };
            let counted: Vec<String> = answer.counts.iter().map(named).collect();
            if found != *rows {
                return Err(format!("answers\n{}", found.join("\n")));
            }
            if counted != *counts { Err(format!("counts {counted:?}")) } else { Ok(()) }
        }
        (Err(fault), Expected::Stop(code, words)) => {
            let said = fault.to_string();
            if format!("{:?}", fault.code) != *code || words.iter().any(|w| !said.contains(w.as_str())) {
                return Err(format!("stops with {said}"));
            }
            Ok(())
        }
        (Ok(answer), _) => Err(format!("does not stop:\n{}", data::lines(&answer).join("\n"))),
        (Err(fault), _) => Err(format!("stops: {fault}")),
    }
}

#[test]
fn every_case_holds() {
    let mut wrong = Vec::new();
    for (name, text) in all() {
        if let Err(what) = judge(&text) {
            wrong.push(format!("{name}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_operation_has_a_case() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (_, text) in all() {
        let json: serde_json::Value = serde_json::from_slice(&read(&text).graph.to_json()).unwrap();
        for node in json["nodes"].as_object().unwrap().values() {
            seen.insert(node["op"].as_str().unwrap().to_owned());
        }
    }
    let words = "table inline filter sort pick_first pick_last one_row join union distinct value null values codelist \
        parameter column exists count count_distinct min max sum mean set one_value count_episodes most_frequent \
        sum_of_group_max eq ne lt le gt ge and or not is_null in case coalesce min_of max_of add sub mul div floor_div \
        div_int div_or_stop power neg abs cast round_half_away starts_with contains contains_after_boundary concat \
        replace trim known_parts linked date_add difference year_boundaries_between year month day_of_month first_day_of \
        last_day_of day sample";
    let unseen: Vec<&str> = words.split_whitespace().filter(|w| !seen.contains(*w)).collect();
    assert!(unseen.is_empty(), "no case has {unseen:?}");
    let unknown: Vec<&String> = seen.iter().filter(|s| !words.split_whitespace().any(|w| w == s.as_str())).collect();
    assert!(unknown.is_empty(), "the list lacks {unknown:?}");
}
