//! The golden messages: what was once sent is read for ever, and written as it was.
//! Spec protocol.md 10, 11. A change of the wire form is a difference in `golden/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use std::collections::BTreeSet;

use common::{golden, kinds, pointers};
use serde_json::{Value, json};

#[test]
fn every_kind_has_golden_messages_and_they_are_written_as_they_were() {
    let golden = golden();
    let names: BTreeSet<String> = kinds().iter().map(|kind| kind.name.clone()).collect();
    assert_eq!(golden.keys().cloned().collect::<BTreeSet<_>>(), names);
    for kind in kinds() {
        for (i, body) in golden[&kind.name].iter().enumerate() {
            match (kind.again)(body) {
                Ok(again) => assert_eq!(again, *body, "{} {i}", kind.name),
                Err(why) => panic!("{} {i}: {why}: {body}", kind.name),
            }
        }
    }
}

#[test]
fn schema_and_reader_agree() {
    let golden = golden();
    for kind in kinds() {
        let schema = jsonschema::validator_for(&kind.schema).unwrap();
        for body in &golden[&kind.name] {
            assert!(schema.is_valid(body), "{}: {body}\n{:?}", kind.name, schema.iter_errors(body).next());
            if body.to_string().len() > 20_000 {
                continue;
            }
            for place in pointers(body, |_| true) {
                for other in [
                    json!(null),
                    json!(-1),
                    json!(1u64 << 60),
                    json!(""),
                    json!("x y\n"),
                    json!([]),
                    json!({}),
                    json!(true),
                ] {
                    let mut changed = body.clone();
                    *changed.pointer_mut(&place).unwrap() = other;
                    // The reader may be stricter (rules that span fields), never laxer than the published schema.
                    if let Ok(again) = (kind.again)(&changed) {
                        assert!(schema.is_valid(&again), "{}{place}: {again}", kind.name);
                    }
                }
                // Left out: either the field is optional in both or in neither.
                let Some((parent, name)) = place.rsplit_once('/') else { continue };
                let mut less = body.clone();
                if let Value::Object(map) = less.pointer_mut(parent).unwrap() {
                    map.remove(name);
                    if (kind.again)(&less).is_ok_and(|again| again == less) {
                        assert!(schema.is_valid(&less), "{}{place} may be left out by the reader alone", kind.name);
                    }
                }
            }
        }
    }
}
