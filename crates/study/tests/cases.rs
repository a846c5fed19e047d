//! Studies over tables: every case file gives what it expects, by the lowered graph and by the naive reference.
//! `CASE=events/ cargo nextest run -p study cases` runs those whose name holds the word.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, reason = "the modules below are this program's own")]

mod naive;
mod over;
mod random;
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::Date;
use over as run;
use study::fault::Severity;
use study::functions::{self, ArgumentKind, Form};
use study::recording::{Recording, Value};
use support::case::{Case, Expect};
use support::tables::Table;
use support::{case, recorder};

fn cases() -> Vec<Case> {
    let mut cases = case::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    // `tests/faults` plays those, which stop before there are rows
    cases.retain(|case| !case.name.starts_with("faults/"));
    cases
}

#[test]
fn every_case_gives_what_the_rules_say() {
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut cases = cases();
    // What a check tells, and at which place, is the business of tests/faults.
    cases.retain(|case| case.name.contains(&wanted) && !case.name.starts_with("faults/"));
    assert!(!cases.is_empty(), "no case is named {wanted}");
    let recorded = recorder::record(&cases);
    let mut failed = Vec::new();
    for (case, recordings) in cases.iter().zip(recorded) {
        let mut wrong = Vec::new();
        for recording in recordings {
            match recording {
                Ok(recording) => wrong.extend(play(case, recording)),
                Err(why) => wrong.push(why),
            }
        }
        if !wrong.is_empty() {
            failed.push(format!("== cases/{}.case: {}\n{}", case.name, case.title, wrong.join("\n")));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases fail\n\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

/// What the cases ask: functions, what they return, and arguments that differ from their defaults.
fn asked(variable: &study::recording::Variable, found: &mut BTreeSet<String>) {
    let called = variable.called.as_deref().unwrap_or(&variable.function);
    found.insert(called.to_owned());
    let mut returning = false;
    for (name, value) in &variable.args {
        found.insert(format!("{called}({name}=)"));
        if let ("returning", Value::Str(word)) = (name.as_str(), value) {
            returning = true;
            found.insert(format!("{called} -> {word}"));
        }
    }
    let function = functions::table().called(called);
    let default = function.and_then(|f| f.parameter("returning")).and_then(|p| p.default.as_ref());
    if let (false, Some(Value::Str(word))) = (returning, default) {
        found.insert(format!("{called} -> {word}"));
    }
    for extra in &variable.extra {
        asked(extra, found);
    }
}

#[test]
fn every_function_and_all_that_it_takes_and_returns_is_in_a_case() {
    let mut found = BTreeSet::new();
    for recording in recorder::record(&cases()).into_iter().flatten().flatten() {
        let Some(study) = recording.study else { continue };
        asked(&study.population, &mut found);
        study.variables.iter().for_each(|variable| asked(variable, &mut found));
    }
    let mut wanted = Vec::new();
    for function in functions::table().functions() {
        wanted.push(function.name.clone());
        wanted.extend(function.returning().iter().map(|r| format!("{} -> {}", function.name, r.name)));
        for parameter in function.parameters.iter().filter(|p| p.form == Form::Plain) {
            // `returning` is told above; an expression is recorded as the categories that it stands for
            let told = ["returning", "expression"].contains(&parameter.name.as_str());
            if parameter.kind != ArgumentKind::Expectations && !told {
                wanted.push(format!("{}({}=)", function.name, parameter.name));
            }
        }
    }
    wanted.retain(|word| !found.contains(word));
    assert!(wanted.is_empty(), "no case asks\n{}", wanted.join("\n"));
}

#[test]
fn the_same_recording_gives_the_same_graph_which_reads_back() {
    for recording in recorder::record(&cases()).into_iter().flatten().flatten() {
        let Some(study) = run::checked(&recording, &[]).study else { continue };
        let graph = run::graph(&study, &recording).unwrap();
        let again = run::graph(&study.clone(), &recording.clone()).unwrap();
        assert_eq!(graph.to_json(), again.to_json());
        assert_eq!(query::Graph::from_json(graph.to_json().as_ref()).unwrap(), graph);
    }
}

/// What is wrong with a case.
fn play(case: &Case, mut recording: Recording) -> Vec<String> {
    if let Some(today) = case.run.today {
        recording.date = today;
    }
    let checked = run::checked(&recording, &case.run.index_dates);
    let said: Vec<(String, Option<u32>, String, Severity)> = checked
        .faults
        .iter()
        .map(|fault| {
            let line = fault.src.and_then(|src| Some(recording.sources.get(src.0 as usize)?.line));
            let words = [&fault.message, fault.excerpt.as_deref().unwrap_or(""), fault.fix.as_deref().unwrap_or("")];
            (fault.code.to_owned(), line, words.join("\n"), fault.severity)
        })
        .collect();
    let told = |code: &str, line: &Option<u32>, fragments: &[String], severity| {
        said.iter().any(|(c, l, words, s)| {
            c == code && *s == severity && (line.is_none() || l == line) && fragments.iter().all(|f| words.contains(f))
        })
    };
    let all =
        || said.iter().map(|(c, l, words, _)| format!("  {c} line {l:?}: {words}")).collect::<Vec<_>>().join("\n");
    let mut wrong = Vec::new();
    for expect in &case.expects {
        match expect {
            Expect::Fault { code, line, fragments } if code.starts_with('S') => {
                if !told(code, line, fragments, Severity::Fault) {
                    wrong.push(format!("no fault {code} at {line:?} with {fragments:?}, but\n{}", all()));
                }
            }
            Expect::Lint { code, line, fragments } => {
                if !told(code, line, fragments, Severity::Lint) {
                    wrong.push(format!("no lint {code} at {line:?} with {fragments:?}, but\n{}", all()));
                }
            }
            Expect::Fault { code, .. } => match &checked.study {
                Some(study) => wrong.extend(over_tables(case, study, &recording, None, &Err(code.clone()))),
                None => wrong.push(format!("the study has faults\n{}", all())),
            },
            Expect::Rows { date, csv } => match &checked.study {
                Some(study) => wrong.extend(over_tables(case, study, &recording, *date, &Ok(csv.clone()))),
                None => wrong.push(format!("the study has faults\n{}", all())),
            },
        }
    }
    wrong
}

/// Runs a study both ways for one date.
fn over_tables(
    case: &Case,
    study: &study::model::Study,
    recording: &Recording,
    date: Option<Date>,
    expected: &run::Ran,
) -> Vec<String> {
    let mut folder = case.tables.clone();
    run::fill_keys(&mut folder);
    let date = date.or(case.run.index_dates.first().copied()).or(study.index_date);
    let world = naive::World { study, recording, folder: &folder, files: &case.files, index_date: date };
    let naively = run::naively(&world);
    let by_graph = run::graph(study, recording).and_then(|graph| {
        let mut tables = run::tables(&folder);
        run::add_files(&mut tables, &graph, &case.files)?;
        run::lowered(study, &graph, &tables, date)
    });
    let mut wrong = Vec::new();
    for (who, found) in [("the lowered graph", by_graph), ("the naive reference", naively)] {
        if found != *expected {
            wrong.push(format!("{who} gives for {date:?}\n{}", difference(expected, &found)));
        }
    }
    wrong
}

/// Rows of which a cell differs, with the names of the columns.
fn difference(expected: &run::Ran, found: &run::Ran) -> String {
    let (Ok(expected), Ok(found)) = (expected, found) else {
        return format!("  expected {expected:?}\n  found    {found:?}");
    };
    let (Ok(a), Ok(b)) = (Table::parse(expected), Table::parse(found)) else {
        return format!("{expected}\n{found}");
    };
    if a.columns != b.columns || a.rows.len() != b.rows.len() {
        return format!("  expected\n{expected}  found\n{found}");
    }
    let mut lines = Vec::new();
    for (x, y) in a.rows.iter().zip(&b.rows) {
        for ((column, x_cell), y_cell) in a.columns.iter().zip(x).zip(y) {
            if x_cell != y_cell {
                let (x_cell, y_cell) = (x_cell.as_deref().unwrap_or(""), y_cell.as_deref().unwrap_or(""));
                let id = x[0].as_deref().unwrap_or("");
                lines.push(format!("  patient {id}, {column}: expected `{x_cell}`, found `{y_cell}`"));
            }
        }
    }
    lines.join("\n")
}
