//! The serialised form against hostile bytes: what is refused, in which words, and that nothing ever panics.
//! That it means the same as the graph is shown for every case in `cases.rs` and for drawn graphs in `properties.rs`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

use proptest::prelude::*;
use query::reference::{Bindings, Rows, Tables, run};
use query::*;
use serde_json::{Value as Json, json};

fn graph() -> Graph {
    let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
    b.at(Some("analysis/study_definition.py:7".into()));
    let events = b.table("codedevent");
    let (code, date) = (b.column(events, "ctv3code"), b.column(events, "ConsultationDate"));
    let list = b.codelist("ctv3", ["b", "a", "a"]);
    let wanted = b.is_in(code, list, Collation::Exact);
    let rows = b.filter(events, wanted);
    let index = b.parameter("index_date", Type::Date);
    let one = b.value(1);
    let later = b.date_add(Unit::Months, index, one, Overflow::Clamp);
    let day = b.day(date);
    let before = b.lt(day, later);
    let rows = b.filter(rows, before);
    let count = b.count(rows);
    b.variable("n", count, false);
    let all = b.value(true);
    b.finish(all)
}

/// The document after a change.
fn changed(change: impl FnOnce(&mut Json)) -> Result<Graph, Vec<Fault>> {
    let mut document: Json = serde_json::from_slice(&graph().to_json()).unwrap();
    change(&mut document);
    Graph::from_json(&serde_json::to_vec(&document).unwrap())
}

fn refused(wanted: &str, change: impl FnOnce(&mut Json)) {
    let faults = changed(change).expect_err(wanted);
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.iter().all(|f| f.code == Code::D304), "{said:?}");
    assert!(said.iter().any(|s| s.contains(wanted)), "{wanted:?} in {said:?}");
}

#[test]
fn the_form_is_that_of_the_specification() {
    let text = String::from_utf8(graph().to_json()).unwrap();
    let document: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(document["format"], "cloister-query");
    assert_eq!(document["version"], 1);
    assert_eq!(document["ties"], "v1");
    assert_eq!(document["parameters"], json!({"index_date": "date"}));
    assert_eq!(document["nodes"]["0"], json!({"op": "table", "table": "CodedEvent"}));
    assert_eq!(document["nodes"]["1"], json!({"op": "column", "frame": 0, "column": "CTV3Code"}));
    assert_eq!(document["nodes"]["7"], json!({"op": "value", "value": {"int": "1"}}));
    assert_eq!(document["nodes"]["10"], json!({"op": "lt", "left": 9, "right": 8, "collation": "exact"}));
    assert_eq!(document["source"]["0"], "analysis/study_definition.py:7");
    let (sha256, list) = document["codelists"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(list, &json!({"system": "ctv3", "items": ["a", "b"]}));
    assert_eq!(document["nodes"]["3"], json!({"op": "codelist", "codelist": sha256}));
    assert!(text.starts_with("{\"catalogue\":"), "keys are sorted");
    assert!(!text.contains([' ', '\n']), "no white space");
    assert_eq!(graph().sha256().len(), 64);
    assert!(validate(&graph(), Catalogue::tpp()).is_empty());
}

#[test]
fn what_the_format_does_not_have_is_refused() {
    refused("only cloister-query version 1", |d| d["version"] = json!(2));
    refused("only cloister-query version 1", |d| d["format"] = json!("ehrql"));
    refused("unknown field `more`", |d| d["more"] = json!(1));
    refused("missing field `roots`", |d| drop(d.as_object_mut().unwrap().remove("roots")));
    refused("unknown field `events`", |d| d["roots"]["events"] = json!([]));
    refused("unknown variant `guess`", |d| d["nodes"]["0"] = json!({"op": "guess"}));
    refused("unknown operation compare", |d| {
        d["nodes"]["10"] = json!({"op": "compare", "comparison": "lt", "left": 9, "right": 8, "collation": "exact"});
    });
    refused("unknown key comparison", |d| d["nodes"]["10"]["comparison"] = json!("gt"));
    refused("unknown field `extra`", |d| d["nodes"]["0"]["extra"] = json!(1));
    refused("unknown variant `sideways`", |d| d["nodes"]["8"]["overflow"] = json!("sideways"));
    refused("refers to node 1, which is not before", |d| d["nodes"]["1"]["frame"] = json!(1));
    refused("refers to node 900", |d| d["nodes"]["1"]["frame"] = json!(900));
    refused("numbered from 0 without gap", |d| {
        let node = d["nodes"].as_object_mut().unwrap().remove("0").unwrap();
        d["nodes"]["00"] = node;
    });
    refused("a root refers to node 900", |d| d["roots"]["dataset"]["population"] = json!(900));
    refused("which is no node", |d| d["source"]["900"] = json!("x:1"));
    refused("\"5.0\" is no int", |d| d["nodes"]["7"]["value"] = json!({"int": "5.0"}));
    refused("\"05\" is no int", |d| d["nodes"]["7"]["value"] = json!({"int": "05"}));
    refused("\"inf\" is no float", |d| d["nodes"]["7"]["value"] = json!({"float": "inf"}));
    refused("\"1\" is no float", |d| d["nodes"]["7"]["value"] = json!({"float": "1"}));
    refused("is no date", |d| d["nodes"]["7"]["value"] = json!({"date": "2023-02-29"}));
    refused("is no date", |d| d["nodes"]["7"]["value"] = json!({"date": "-000001-01-01"}));
    refused("an object with one type", |d| d["nodes"]["7"]["value"] = json!({"int": "5", "str": "5"}));
    refused("in ascending order", |d| {
        d["nodes"]["7"] = json!({"op": "values", "type": "int", "values": [{"int": "2"}, {"int": "1"}]});
    });
    refused("its name is not its sha256", |d| {
        let (_, list) = d["codelists"].as_object_mut().unwrap().iter_mut().next().unwrap();
        list["items"] = json!(["a", "c"]);
    });
    for bytes in [&b""[..], b"{", b"[]", b"\xff", b"{\"format\":\"cloister-query\",\"version\":1}"] {
        assert!(Graph::from_json(bytes).is_err());
    }
    assert!(Graph::from_json(&[b'['; 100_000]).is_err());
}

#[test]
fn all_faults_come_at_once() {
    let faults = changed(|d| {
        d["nodes"]["0"] = json!({"op": "guess"});
        d["nodes"]["7"] = json!({"op": "value"});
        d["source"]["900"] = json!("x:1");
    });
    assert_eq!(faults.expect_err("three faults").len(), 3);
}

#[test]
fn a_graph_can_name_only_tables_of_the_catalogue() {
    let forged = changed(|d| d["nodes"]["0"]["table"] = json!("codedevent")).unwrap();
    assert_eq!(validate(&forged, Catalogue::tpp())[0].code, Code::D304);
    let forged = changed(|d| d["nodes"]["3"]["codelist"] = json!("0")).unwrap();
    assert_eq!(validate(&forged, Catalogue::tpp())[0].code, Code::D304);
    // what validation refuses ends in a fault, too, when it is run all the same
    assert!(run(&forged, &tables(), &bindings()).is_err());
}

fn tables() -> Tables {
    let mut tables = Tables::default();
    let columns = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    tables.insert("Patient", Rows { columns: columns(&["Patient_ID"]), rows: vec![vec![Value::Int(1)]] });
    let row = vec![Value::Int(1), Value::text("a"), Value::DateTime("2021-01-01T00:00:00".parse().unwrap())];
    let columns = columns(&["Patient_ID", "CTV3Code", "ConsultationDate"]);
    tables.insert("CodedEvent", Rows { columns, rows: vec![row] });
    tables
}

fn bindings() -> Bindings {
    [("index_date".to_owned(), Value::Date("2021-01-01".parse().unwrap()))].into()
}

/// A chain of so many nodes.
fn chain(length: usize) -> Graph {
    let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
    let one = b.value(1);
    let mut sum = one;
    for at in 0..length {
        sum = if at % 2 == 0 { b.add(sum, one) } else { b.case([], Some(sum)) };
        if at % 2 == 1 {
            let truth = b.is_null(sum);
            sum = b.case([(truth, one)], Some(sum));
        }
    }
    b.variable("sum", sum, false);
    let all = b.value(true);
    b.finish(all)
}

/// Filters that depend on one another through the patient.
fn nested(filters: usize) -> Graph {
    let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
    let events = b.table("CodedEvent");
    let patient = b.column(events, "Patient_ID");
    let mut sum = b.max(patient);
    for _ in 0..filters {
        let known = b.le(patient, sum);
        let kept = b.filter(events, known);
        let kept = b.column(kept, "Patient_ID");
        sum = b.sum(kept);
    }
    b.variable("n", sum, false);
    let all = b.value(true);
    b.finish(all)
}

#[test]
fn depth_is_limited_and_reached_without_overflow() {
    let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
    let one = b.value(1);
    let sum = (0..9_999).fold(one, |sum, _| b.add(sum, one));
    b.variable("sum", sum, false);
    let all = b.value(true);
    let deep = b.finish(all);
    assert!(validate(&deep, Catalogue::tpp()).is_empty());
    assert_eq!(Graph::from_json(&deep.to_json()).unwrap(), deep);
    assert_eq!(run(&deep, &tables(), &bindings()).unwrap().rows[0].values, [Value::Int(10_000)]);
    // the deepest way through frames: each filter asks what the one before keeps, four nodes each
    let deep = nested(2_400);
    assert!(validate(&deep, Catalogue::tpp()).is_empty());
    assert_eq!(run(&deep, &tables(), &bindings()).unwrap().rows[0].values, [Value::Int(1)]);
    assert_eq!(validate(&nested(2_600), Catalogue::tpp()).iter().map(|f| f.code).collect::<Vec<_>>(), [Code::D304]);
    let deeper = chain(10_001);
    assert!(validate(&deeper, Catalogue::tpp()).iter().any(|f| f.code == Code::D304 && f.message.contains("deep")));
    assert!(run(&deeper, &tables(), &bindings()).is_err());
}

#[test]
fn hostile_growth_ends() {
    // rows double with every union, texts with every concat
    let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
    let mut frame = b.table("CodedEvent");
    for _ in 0..40 {
        let code = b.column(frame, "CTV3Code");
        frame = b.union(&["CTV3Code"], vec![(frame, vec![code]), (frame, vec![code])]);
    }
    let count = b.count(frame);
    let all = b.value(true);
    b.variable("n", count, false);
    let rows = b.finish(all);
    assert!(validate(&rows, Catalogue::tpp()).is_empty());
    let fault = run(&rows, &tables(), &bindings()).unwrap_err();
    assert_eq!(fault.code, query::reference::RunCode::D309);

    let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
    let mut text = b.str("ab");
    for _ in 0..60 {
        text = b.concat([text, text]);
    }
    b.variable("text", text, false);
    let all = b.value(true);
    let answer = run(&b.finish(all), &tables(), &bindings()).unwrap();
    assert_eq!(answer.rows[0].values, [Value::Null]);
    assert_eq!(answer.counts.len(), 1);

    let mut b = Builder::new(Catalogue::tpp(), Ties::V1, Universe::Patients);
    let events = b.table("CodedEvent");
    let on = [("Patient_ID", "Patient_ID")];
    let mut frame = events;
    for at in 0..20 {
        frame = b.join(frame, events, &Joined { on: &on, kind: JoinKind::Inner, name: &format!("j{at}") });
    }
    let any = b.exists(frame);
    let faults = validate(&b.finish(any), Catalogue::tpp());
    assert_eq!(faults.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::D309]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// One byte or one number of the document changed: read, refused or run, never a panic.
    #[test]
    fn damaged_documents(at in any::<prop::sample::Index>(), byte in any::<u8>(), by in 0_usize..12) {
        let whole = graph().to_json();
        let mut bytes = whole.clone();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = Graph::from_json(&bytes).map(|g| (validate(&g, Catalogue::tpp()), run(&g, &tables(), &bindings())));
        let text = String::from_utf8(whole).unwrap();
        let places: Vec<usize> = text.char_indices().filter(|c| c.1.is_ascii_digit()).map(|c| c.0).collect();
        let place = places[at.index(places.len())];
        let text = format!("{}{by}{}", &text[..place], &text[place + 1..]);
        if let Ok(graph) = Graph::from_json(text.as_bytes()) {
            let faults = validate(&graph, Catalogue::tpp());
            let answer = run(&graph, &tables(), &bindings());
            if faults.iter().all(|f| f.severity == Severity::Warning) {
                // a parameter's name may have been hit
                prop_assert!(answer.is_ok() || answer.unwrap_err().to_string().contains("binding"));
            }
        }
    }
}
