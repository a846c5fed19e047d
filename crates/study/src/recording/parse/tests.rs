//! Hand-made recordings, each broken in one way, and random ones: never a panic, never a guess.

use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::recording::{CodelistId, CodelistItems, SourceId, SourceSpan, Value};

const SHA: &str = "0a92fd86f7a7a71e8425fb3dde5c3f12fc5772ced458990c481150919b1e2703";

/// A small recording that uses every key.
fn sample() -> serde_json::Value {
    json!({
        "schema": "cloister.recording/1",
        "recorder": {"version": "1.0.0", "python": "3.11.9"},
        "module": "study_definition_x",
        "file": "analysis/study_definition_x.py",
        "date": "2021-05-04",
        "params": {"given": {"k": "v"}, "read": ["k", "other"]},
        "sources": [["analysis/study_definition_x.py", 3, 4, 5, 6], ["analysis/a.py", 1, null, null, null]],
        "codelists": {"c0a92fd86f7a7a71e": {
            "system": "ctv3", "categorised": false, "items": ["b", "a", "b"], "sha256": SHA,
            "origin": [{"fn": "codelist", "file": null, "column": null, "category_column": null, "src": 1}]
        }},
        "study": {
            "src": 0, "index_date": "2020-01-01", "default_expectations": {"$map": []},
            "population": variable("population"),
            "variables": [variable("bp")]
        },
        "measures": [{"id": "m", "numerator": "bp", "denominator": "population", "group_by": [],
            "small_number_suppression": true, "src": 0}],
        "files_read": [{"path": "codelists/a.csv", "sha256": SHA, "bytes": 3, "kind": "data"}],
        "faults": [{"code": "SD010", "kind": "TypeError", "message": "m", "src": null}],
        "exception": null
    })
}

fn variable(name: &str) -> serde_json::Value {
    json!({
        "name": name, "fn": "with_these_clinical_events", "called": null,
        "args": {
            "codelist": {"$codelist": "c0a92fd86f7a7a71e"}, "between": [null, {"$date": "2021-05-04"}],
            "x": {"$map": [[null, 1.5], [true, -2]]}, "y": {"$float": "inf"}, "z": {"$unsupported": "set"}
        },
        "extra": [], "src": 0, "via": [1], "name_src": null
    })
}

fn parse(value: &serde_json::Value) -> Result<Recording, RecordingError> {
    Recording::parse(value.to_string().as_bytes())
}

#[test]
fn a_recording_is_read() {
    let recording = parse(&sample()).unwrap();
    assert_eq!((recording.module.as_str(), recording.date), ("study_definition_x", date(2021, 5, 4)));
    assert_eq!(recording.params_given, [("k".to_owned(), "v".to_owned())]);
    assert_eq!(recording.sources[0].span, Some(SourceSpan { column: 4, end_line: 5, end_column: 6 }));
    assert_eq!(recording.sources[1].span, None);
    let list = &recording.codelists[&CodelistId("c0a92fd86f7a7a71e".to_owned())];
    assert_eq!(list.items, CodelistItems::Plain(["b", "a", "b"].map(|c| Value::Str(c.to_owned())).to_vec()));
    let variable = &recording.study.as_ref().unwrap().variables[0];
    assert_eq!(variable.via, [SourceId(1)]);
    let expected = [
        ("codelist", Value::Codelist(CodelistId("c0a92fd86f7a7a71e".to_owned()))),
        ("between", Value::List(vec![Value::Null, Value::Date(date(2021, 5, 4))])),
        ("x", Value::Map(vec![(Value::Null, Value::Float(1.5)), (Value::Bool(true), Value::Int(-2))])),
        ("y", Value::Float(f64::INFINITY)),
        ("z", Value::Unsupported("set".to_owned())),
    ];
    assert_eq!(variable.args, expected.map(|(name, value)| (name.to_owned(), value)));
    assert!(!recording.files_read[0].code && recording.measures.unwrap()[0].small_number_suppression);
    // `printf abc | sha256sum`
    assert_eq!(Recording::id(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/// Every object of the sample, by its place.
fn objects(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(entries) => {
            found.push(at.clone());
            entries.iter().for_each(|(key, value)| objects(value, format!("{at}/{key}"), found));
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| objects(value, format!("{at}/{n}"), found));
        }
        _ => {}
    }
}

#[test]
fn every_key_is_needed_and_no_other_is_allowed() {
    let mut places = Vec::new();
    objects(&sample(), String::new(), &mut places);
    let free = |at: &str| at.ends_with("/args") || at.ends_with("/given") || at == "/codelists";
    let mut tried = 0;
    for at in places.iter().filter(|at| !free(at)) {
        let keys: Vec<String> = sample().pointer(at).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut broken = sample();
            broken.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(matches!(parse(&broken), Err(RecordingError::Shape(_))), "{at} without {key}");
            tried += 1;
        }
        let mut broken = sample();
        broken.pointer_mut(at).unwrap().as_object_mut().unwrap().insert("more".to_owned(), json!(null));
        assert!(matches!(parse(&broken), Err(RecordingError::Shape(_))), "{at} with more");
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn values_that_cannot_be_are_refused() {
    let cases: &[(&str, serde_json::Value, &str)] = &[
        ("/schema", json!("cloister.recording/2"), "of the schema 'cloister.recording/2'"),
        ("/module", json!("os"), "a `module`"),
        ("/module", json!("study_definition_"), "a `module`"),
        ("/module", json!("study_definition_a/b"), "a `module`"),
        ("/file", json!("/etc/passwd"), "a path"),
        ("/file", json!("analysis/../x"), "a path"),
        ("/file", json!("analysis//x"), "a path"),
        ("/file", json!(""), "a path"),
        ("/file", json!("a\u{0}b"), "a path"),
        ("/sources/0/0", json!("../x"), "a path"),
        ("/files_read/0/path", json!("./x"), "a path"),
        ("/codelists/c0a92fd86f7a7a71e/origin/0/file", json!("/x"), "a path"),
        ("/date", json!("2021-5-4"), "a `date`"),
        ("/date", json!("2021-02-29"), "a `date`"),
        ("/sources/0/1", json!(0), "a line"),
        ("/sources/0/1", json!(-1), "schema"),
        ("/sources/0/2", json!(null), "a place among `sources`"),
        ("/sources/0/3", json!(2), "a place among `sources`"),
        ("/sources/0", json!(["a.py", 1, null, null]), "schema"),
        ("/study/src", json!(2), "points to source 2, and there are 2"),
        ("/study/variables/0/via", json!([0, 7]), "points to source 7"),
        ("/measures/0/src", json!(9), "points to source 9"),
        ("/exception", json!({"kind": "E", "message": "", "frames": [5]}), "points to source 5"),
        ("/study/variables/0/args/codelist", json!({"$codelist": "c1"}), "codelist 'c1', which it does not hold"),
        ("/study/index_date", json!([[{"$codelist": "c2"}]]), "codelist 'c2'"),
        ("/codelists/c0a92fd86f7a7a71e/sha256", json!("0a92"), "a sha256"),
        ("/codelists/c0a92fd86f7a7a71e/sha256", json!("f".repeat(64)), "an id of a codelist"),
        ("/codelists/c0a92fd86f7a7a71e/categorised", json!(true), "no pair"),
        ("/files_read/0/kind", json!("other"), "schema"),
        ("/faults/0/code", json!("SD1"), "a code of a fault"),
        ("/faults/0/code", json!("XX999"), "a code of a fault"),
        ("/study/index_date", json!({"a": 1}), "schema"),
        ("/study/index_date", json!({}), "schema"),
        ("/study/index_date", json!({"$date": "2021-02-30"}), "schema"),
        ("/study/index_date", json!({"$date": "2021-02-03", "$map": []}), "schema"),
        ("/study/index_date", json!({"$float": "1"}), "schema"),
        ("/study/index_date", json!({"$map": [[1]]}), "schema"),
        ("/study/index_date", json!({"$map": {"a": 1}}), "schema"),
    ];
    for (at, value, words) in cases {
        let mut broken = sample();
        *broken.pointer_mut(at).unwrap() = value.clone();
        let error = parse(&broken).expect_err(at).to_string();
        assert!(error.contains(words), "{at}: {error}");
    }
}

#[test]
fn text_that_is_no_such_json_is_refused() {
    let sample = sample().to_string();
    let with = |from: &str, to: &str| Recording::parse(sample.replacen(from, to, 1).as_bytes());
    // Twice the same key, in an object of the schema and in one of free names.
    assert!(with("\"module\":", "\"module\":\"study_definition\",\"module\":").is_err());
    assert!(with("\"k\":\"v\"", "\"k\":\"v\",\"k\":\"w\"").is_err());
    // Whole numbers of 64 bits, and no more.
    let number = |text: &str| with("\"2020-01-01\"", text).map(|recording| recording.study.unwrap().index_date);
    assert_eq!(number("9223372036854775807"), Ok(Value::Int(i64::MAX)));
    assert_eq!(number("-9223372036854775808"), Ok(Value::Int(i64::MIN)));
    for text in ["9223372036854775808", "-9223372036854775809", "1000000000000000000000000", "-0"] {
        assert!(matches!(number(text), Err(RecordingError::Number { .. })), "{text}");
    }
    assert_eq!(number("3.0"), Ok(Value::Float(3.0)));
    assert_eq!(number("1e+16"), Ok(Value::Float(1e16)));
    assert!(number("NaN").is_err() && number("01").is_err());
    // Something after the end, and something missing.
    assert!(Recording::parse(format!("{sample} 1").as_bytes()).is_err());
    assert!(Recording::parse(&sample.as_bytes()[..sample.len() - 1]).is_err());
    assert!(with("analysis", "analy\u{1}sis").is_err());
    assert!(Recording::parse(b"").is_err());
    assert!(Recording::parse(b"\xff\xfe").is_err());
    // Messages hold no control characters of a hostile text, and end.
    let long = format!("{{\"schema\":\"cloister.recording/1\",\"\\u001b[31m{}\":1}}", "x".repeat(10_000));
    let message = Recording::parse(long.as_bytes()).unwrap_err().to_string();
    assert!(message.len() < 400 && !message.contains('\u{1b}'), "{message}");
}

#[test]
fn depth_and_sizes_have_limits() {
    let sample = sample().to_string();
    // The value of `index_date` stands two levels deep.
    let nested = |depth: usize| {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        Recording::parse(sample.replacen("\"2020-01-01\"", &text, 1).as_bytes())
    };
    assert!(nested(DEEPEST - 2).is_ok());
    assert!(matches!(nested(DEEPEST - 1), Err(RecordingError::TooDeep { .. })));
    assert!(matches!(nested(3_000_000), Err(RecordingError::TooDeep { .. })));
    let maps = |depth: usize| {
        let text = format!("{}1{}", "{\"$map\":[[1,".repeat(depth), "]]}".repeat(depth));
        Recording::parse(sample.replacen("\"2020-01-01\"", &text, 1).as_bytes())
    };
    assert!(maps((DEEPEST - 2) / 3).is_ok());

    let nested_variables = |depth: usize| {
        let mut one = variable("x");
        for _ in 0..depth {
            let mut outer = variable("x");
            outer["extra"] = json!([one]);
            one = outer;
        }
        let mut recording = serde_json::from_str::<serde_json::Value>(&sample).unwrap();
        recording["study"]["variables"] = json!([one]);
        parse(&recording)
    };
    assert!(nested_variables(DEEPEST_VARIABLES).is_ok());
    assert!(matches!(nested_variables(DEEPEST_VARIABLES + 1), Err(RecordingError::VariableTooDeep { .. })));

    let many = |count: usize| {
        let one = variable("x").to_string();
        let all = vec![one; count].join(",");
        let start = sample.find("\"variables\":[").unwrap() + "\"variables\":[".len();
        let end = sample.find("]},\"measures\"").unwrap();
        Recording::parse(format!("{}{all}{}", &sample[..start], &sample[end..]).as_bytes())
    };
    // The population is one of them.
    assert!(many(MOST_VARIABLES - 1).is_ok());
    assert_eq!(many(MOST_VARIABLES), Err(RecordingError::TooManyVariables));
    let large = RecordingError::TooLarge { bytes: LARGEST + 1 };
    assert_eq!(Recording::parse(&vec![b' '; LARGEST + 1]), Err(large.clone()));
    assert!(large.is_size() && !RecordingError::NoCodelist(String::new()).is_size());
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        ".{0,12}".prop_map(|s| json!(s)),
        Just(json!("c0a92fd86f7a7a71e")),
        Just(json!("2021-05-04")),
    ];
    let key = prop_oneof![
        Just("$map"),
        Just("$date"),
        Just("$codelist"),
        Just("$float"),
        Just("src"),
        Just("name"),
        Just("extra"),
    ];
    leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::Array),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|entries| entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// Every place of the sample, objects or not.
fn every_place() -> Vec<String> {
    fn places(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
        found.push(at.clone());
        match value {
            serde_json::Value::Object(entries) => {
                entries.iter().for_each(|(key, value)| places(value, format!("{at}/{key}"), found));
            }
            serde_json::Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, value)| places(value, format!("{at}/{n}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(&sample(), String::new(), &mut found);
    found
}

/// What was taken keeps its promises: every reference leads somewhere.
fn sound(recording: &Recording) -> bool {
    let study = recording.study.iter();
    let variables = study.flat_map(|study| study.variables.iter().chain([&study.population]));
    variables.into_iter().all(|variable| {
        (variable.src.0 as usize) < recording.sources.len()
            && variable.args.iter().all(|(_, value)| match value {
                Value::Codelist(id) => recording.codelists.contains_key(id),
                _ => true,
            })
    }) && !recording.file.starts_with('/')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_value_anywhere_is_taken_or_refused(at in 0_usize..10_000, value in any_json()) {
        let places = every_place();
        let mut changed = sample();
        *changed.pointer_mut(&places[at % places.len()]).unwrap() = value;
        if let Ok(recording) = parse(&changed) {
            prop_assert!(sound(&recording));
        }
    }

    #[test]
    fn damaged_bytes_are_taken_or_refused(
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let mut bytes = sample().to_string().into_bytes();
        for (at, byte, how) in damages {
            // The first byte may have been the last one left.
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if let Ok(recording) = Recording::parse(&bytes) {
            prop_assert!(sound(&recording));
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Recording::parse(&bytes).is_err());
    }

    #[test]
    fn brackets_and_quotes_are_refused(text in r#"[\[\]{}":,\\0-9a-z]{0,200}"#) {
        prop_assert!(Recording::parse(text.as_bytes()).is_err());
    }
}
