//! Random messages, made from the published schemas: whatever a schema allows is read and written back as it was, or
//! refused by a rule that spans fields; and the same in a signed fact. Spec protocol.md 9 (c), 11.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

mod common;

use common::kinds;
use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, Union};
use proptest::string::string_regex;
use protocol::json::{self, Limits};
use protocol::shape::BadShape;
use serde_json::{Map, Value, json};

/// Values that a schema allows.
fn values(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(one) = schema.get("const") {
        return Just(one.clone()).boxed();
    }
    if let Some(Value::Array(closed)) = schema.get("enum") {
        return prop::sample::select(closed.clone()).boxed();
    }
    let branches = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let one_of = branches.map(|list| Union::new(list.iter().map(values)).boxed());
    let Some(kind) = schema.get("type") else {
        return one_of.unwrap_or_else(|| panic!("no type: {schema}"));
    };
    let kinds: Vec<&str> = kind
        .as_array()
        .map_or_else(|| vec![kind.as_str().unwrap()], |l| l.iter().map(|v| v.as_str().unwrap()).collect());
    Union::new(kinds.into_iter().map(|kind| match kind {
        "null" => Just(Value::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" => {
            let (least, greatest) = (schema["minimum"].as_u64().unwrap(), schema["maximum"].as_u64().unwrap());
            prop_oneof![Just(least), Just(greatest), least..=greatest, least..=greatest.min(least + 3)]
                .prop_map(Value::from)
                .boxed()
        }
        "string" => texts(schema),
        "array" => {
            let (least, greatest) =
                (schema["minItems"].as_u64().unwrap() as usize, schema["maxItems"].as_u64().unwrap());
            let most = (greatest as usize).min(least + 2);
            prop::collection::vec(values(&schema["items"]), least..=most).prop_map(Value::from).boxed()
        }
        "object" => objects(schema),
        other => panic!("{other}"),
    }))
    .boxed()
    .prop_flat_map({
        // A flattened enum stands beside the properties: its fields are added.
        move |value| match (&one_of, &value) {
            (Some(more), Value::Object(_)) => {
                let value = value.clone();
                more.clone()
                    .prop_map(move |more| {
                        let mut whole = value.as_object().unwrap().clone();
                        whole.extend(more.as_object().unwrap().clone());
                        Value::Object(whole)
                    })
                    .boxed()
            }
            _ => Just(value).boxed(),
        }
    })
    .boxed()
}

fn texts(schema: &Value) -> BoxedStrategy<Value> {
    let pattern = schema["pattern"].as_str().unwrap();
    if schema["x-what"] == "moment" {
        let micros = 0i64..4_000_000_000_000_000;
        return micros
            .prop_map(|m| json!(protocol::text::time::Moment::from_microseconds(m).unwrap().floored().to_string()))
            .boxed();
    }
    let longest = schema["maxLength"].as_u64().unwrap() as usize;
    let bare = pattern.strip_prefix('^').unwrap().strip_suffix('$').unwrap();
    let right = regex::Regex::new(pattern).unwrap();
    string_regex(bare)
        .unwrap()
        .prop_filter_map("a text cut to its greatest length", move |text| {
            let text: String = text.chars().take(longest).collect();
            right.is_match(&text).then(|| Value::from(text))
        })
        .boxed()
}

fn objects(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(names) = schema.get("propertyNames") {
        let entry = (values(names), values(&schema["additionalProperties"]));
        return prop::collection::vec(entry, 1..4)
            .prop_map(|entries| {
                Value::Object(entries.into_iter().map(|(k, v)| (k.as_str().unwrap().to_owned(), v)).collect())
            })
            .boxed();
    }
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let fields: Vec<BoxedStrategy<Option<(String, Value)>>> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, field)| {
            let name = name.clone();
            let always = required.contains(&name.as_str());
            (values(field), any::<bool>())
                .prop_map(move |(value, there)| (always || there).then(|| (name.clone(), value)))
                .boxed()
        })
        .collect();
    fields
        .prop_map(|fields| {
            // An empty list that may be absent is written by its absence.
            Value::Object(fields.into_iter().flatten().collect::<Map<String, Value>>())
        })
        .boxed()
}

/// Without the empty lists that a writer leaves out.
fn written(value: &Value, again: &Value) -> Value {
    match (value, again) {
        (Value::Object(map), Value::Object(kept)) => Value::Object(
            map.iter()
                .filter(|(name, v)| kept.contains_key(*name) || **v != json!([]))
                .map(|(name, v)| (name.clone(), written(v, kept.get(name).unwrap_or(&Value::Null))))
                .collect(),
        ),
        (Value::Array(list), Value::Array(kept)) if list.len() == kept.len() => {
            Value::Array(list.iter().zip(kept).map(|(a, b)| written(a, b)).collect())
        }
        _ => value.clone(),
    }
}

#[test]
fn what_a_schema_allows_is_read_and_written_as_it_was() {
    use proptest::test_runner::{Config, TestRunner};
    let limits = Limits { bytes: 4 << 20, depth: 12, values: 100_000 };
    for kind in kinds() {
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(40) });
        let (read, refused) = (std::cell::Cell::new(0u32), std::cell::Cell::new(0u32));
        let result = runner.run(&values(&kind.schema), |body| {
            let text = json::canonical(&body).unwrap();
            let received = json::read(text.as_bytes(), &limits).unwrap();
            match (kind.again)(&received) {
                Ok(again) => {
                    prop_assert_eq!(&written(&body, &again), &again);
                    prop_assert_eq!((kind.again)(&again).unwrap(), again);
                    read.set(read.get() + 1);
                }
                Err(BadShape::Rule(_)) => refused.set(refused.get() + 1),
                // Only an empty list that should be absent is another spelling of the same.
                Err(BadShape::Unlisted) => {
                    prop_assert!(text.contains("[]"), "{}: {}", kind.name, text);
                    refused.set(refused.get() + 1);
                }
                Err(BadShape::Field) => {
                    prop_assert!(false, "{}: the schema is laxer than the reader: {}", kind.name, text)
                }
            }
            Ok(())
        });
        result.unwrap_or_else(|e| panic!("{}: {e}", kind.name));
        // Rules that tie a job's id to its action, a part to its order, or fields to a code refuse most of what is random.
        let tied = [
            "facts/request.accepted",
            "facts/request.nothing_to_do",
            "facts/request.refused",
            "messages/call_refused",
            "messages/declaration",
            "messages/backend_hello",
            "messages/site_hello",
        ];
        assert!(read.get() > 0 || tied.contains(&kind.name.as_str()), "{}: {} refused", kind.name, refused.get());
    }
}
