//! Every code that the protocol knows has a sentence of its own; every other has a neutral one.
//! The lists come from the protocol's types, so that a new code without words fails here.

use serde_json::{Value, json};

use super::*;
use crate::store::read::JobRow;

fn a_job(status: &str, code: &str, params: Value) -> JobRow {
    JobRow {
        identifier: "iffh6wyvqzyqr6h3".into(),
        action: "plot".into(),
        position: 0,
        db: false,
        weight: 1,
        status: status.into(),
        code: code.into(),
        params,
        attempt: 1,
        image: None,
        engine: None,
        created_at: 0,
        updated_at: 0,
        started_at: None,
        finished_at: None,
        runtime_s: None,
        needs: vec![],
        attempts: vec![],
    }
}

fn around() -> Around {
    Around { backend: "North".into(), ..Around::default() }
}

fn told(status: &str, code: &str, params: Value) -> Said {
    job(&a_job(status, code, params), &around())
}

/// The words of a closed set, read from its schema.
fn codes_of<T: schemars::JsonSchema>() -> Vec<String> {
    let schema = schemars::schema_for!(T).to_value();
    let mut found = Vec::new();
    collect(&schema, &mut found);
    found
}

fn collect(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("enum", Value::Array(words)) => {
                        found.extend(words.iter().filter_map(|w| w.as_str().map(String::from)));
                    }
                    ("const", Value::String(word)) => found.push(word.clone()),
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|s| collect(s, found)),
        _ => {}
    }
}

#[test]
fn every_reason_of_a_refusal_has_words() {
    let refused = codes_of::<protocol::fact::words::RefusedReason>();
    assert!(refused.len() > 15, "{refused:?}");
    for code in refused.iter().chain(&codes_of::<protocol::fact::words::NothingReason>()) {
        let said = reason(code, "North");
        assert!(!said.sentence.contains("does not know"), "{code}");
    }
    assert!(reason("from_the_future", "North").sentence.contains("“from_the_future”"));
}

#[test]
fn every_end_and_wait_of_a_job_has_words() {
    for code in [
        "created",
        "waiting_on_dependencies",
        "waiting_on_workers",
        "waiting_on_db_workers",
        "paused",
        "waiting_db_maintenance",
        "waiting_on_reboot",
        "waiting_on_new_task",
        "waiting_on_image",
        "waiting_on_code",
        "waiting_on_disk",
    ] {
        let said = told("pending", code, json!({}));
        assert!(!said.sentence.is_empty() && !said.sentence.contains("does not know"), "{code}");
    }
    for code in [
        "dependency_failed",
        "nonzero_exit",
        "unmatched_patterns",
        "cancelled_by_user",
        "killed_by_admin",
        "timed_out",
        "job_error",
        "internal_error",
        "stale_codelists",
    ] {
        let said = told("failed", code, json!({}));
        assert!(!said.sentence.is_empty() && !said.sentence.contains("does not know"), "{code}");
    }
    for reason in codes_of::<protocol::fact::codes::JobErrorReason>() {
        let said = told("failed", "job_error", json!({"reason": reason}));
        assert!(!said.advice.is_empty() || reason == "refused_by_policy", "{reason}");
    }
    for rule in codes_of::<protocol::fact::codes::PolicyRule>() {
        let said = told("failed", "job_error", json!({"reason": "refused_by_policy", "rule": rule}));
        assert!(!said.advice.is_empty(), "{rule}");
    }
}

#[test]
fn values_are_told() {
    let memory = told("failed", "nonzero_exit", json!({"exit": "out_of_memory", "limit_mb": 4096}));
    assert!(memory.sentence.contains("4096 MB"));
    let time = told("failed", "timed_out", json!({"limit_s": 604_800}));
    assert!(time.sentence.contains("7 days"));
    let blocked = told("pending", "waiting_on_dependencies", json!({"blocked_by": ["iffh6wyvqzyqr6h3"]}));
    assert_eq!(blocked.jobs, ["iffh6wyvqzyqr6h3"]);
    let again = told("pending", "waiting_on_new_task", json!({"attempt": 2, "attempts": 5, "retry_at": 1_804_151_707}));
    assert_eq!(
        again.sentence,
        "Attempt 2 of 5 ended for a passing reason. The next one begins at 4 Mar 2027 09:15:07 UTC."
    );
    assert!(told("succeeded", "succeeded", json!({"excluded": true})).sentence.contains("held back"));
    for code in [2, 3, 4, 5, 6, 10, 11, 12, 13, 14] {
        let said = told("failed", "nonzero_exit", json!({"exit": "error", "engine_exit": code}));
        assert_ne!(said.sentence, "The action's program stopped with an error.", "{code}");
    }
}

#[test]
fn what_is_not_known_is_shown_as_it_is() {
    for status in ["pending", "running", "succeeded", "failed", "paused_for_ever"] {
        assert!(told(status, "quantum_flux", json!([1])).sentence.contains("“quantum_flux”"), "{status}");
    }
    assert_eq!(word("paused_for_ever", ""), "Paused for ever");
    assert_eq!(state("failed", "cancelled_by_user"), State::Cancelled);
    assert_eq!([1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal).join(" "), "1st 2nd 3rd 4th 11th 12th 13th 21st 112th");
}
