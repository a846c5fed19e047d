//! That no question of planning or scheduling costs more the longer the history is: none reads a whole table.
//! And that the table of moves is the one of the spec, written out in `cases/codes.txt`.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row;

use super::{State, StatusCode, attempts, change, read};

#[tokio::test]
async fn no_question_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&folder.path().join("state.sqlite")).await.unwrap();
    let questions = [
        read::LATEST,
        read::LATEST_ENDED,
        read::PINS,
        read::OUTPUTS,
        read::HISTORY,
        read::ONE,
        read::OF_REQUEST,
        read::OPEN,
        attempts::WAITS,
        change::NEWEST,
        change::DEPENDANTS,
    ];
    for question in questions {
        let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"));
        let rows = sqlx::query(explained).fetch_all(&state.readers).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let whole = |step: &&String| {
            // What was asked is as long as the question; open jobs are what there is to do, not what was done.
            let bounded = ["VIRTUAL TABLE", "USING INDEX job_open", "SCAN CONSTANT ROW"];
            step.starts_with("SCAN") && !bounded.iter().any(|b| step.contains(b))
        };
        assert_eq!(steps.iter().find(whole), None, "{question}\n{steps:#?}");
        assert!(steps.iter().all(|step| !step.contains("AUTOMATIC")), "{question}\n{steps:#?}");
    }
}

#[test]
fn codes_move_as_the_table_says() {
    let table = include_str!("../../cases/codes.txt");
    let mut groups: BTreeMap<&str, Vec<StatusCode>> = BTreeMap::new();
    let mut allowed: BTreeSet<(StatusCode, StatusCode)> = BTreeSet::new();
    let mut described = BTreeSet::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (left, right) = line.split_once(['=', '>']).unwrap();
        let codes = |words: &str| -> Vec<StatusCode> {
            let of = |word: &str| groups.get(word).cloned().unwrap_or_else(|| vec![word.parse().unwrap()]);
            words.split_whitespace().flat_map(of).collect()
        };
        let right = codes(right);
        if line.contains('=') {
            groups.insert(left.trim(), right);
            continue;
        }
        for from in codes(left) {
            described.insert(from);
            allowed.extend(right.iter().filter(|to| **to != from).map(|to| (from, *to)));
        }
    }
    for &from in StatusCode::ALL {
        assert_eq!(described.contains(&from), from.state().is_active(), "{from}");
        for &to in StatusCode::ALL {
            assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from} -> {to}");
        }
    }
}

#[test]
fn names_of_codes_are_those_that_others_store() {
    for &code in StatusCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        assert_eq!(code.as_str().parse(), Ok(code));
    }
    assert!("waiting_on_new_tasks".parse::<StatusCode>().is_err());
}
