//! One study, one recording, whichever Python reads it: only places within a line need 3.11.
//! Spec study-definitions.md 15.

use std::path::Path;

use serde_json::Value;
use study::record::{Request, modules, record};

use crate::rig::{Rig, pythons};

/// The recording with places spelled out, without their columns if `plain`, and without the version of Python.
fn comparable(json: &[u8], plain: bool) -> Value {
    let mut value: Value = serde_json::from_slice(json).unwrap();
    let mut sources = value["sources"].take();
    for source in sources.as_array_mut().unwrap() {
        if plain {
            source.as_array_mut().unwrap().truncate(2);
        }
    }
    value["recorder"]["python"].take();
    value.as_object_mut().unwrap().remove("sources");
    spell_out(&mut value, "", &sources);
    value
}

fn spell_out(value: &mut Value, key: &str, sources: &Value) {
    match value {
        Value::Number(index) if matches!(key, "src" | "name_src" | "via" | "frames") => {
            *value = sources[index.as_u64().unwrap() as usize].clone();
        }
        Value::Array(items) => items.iter_mut().for_each(|item| spell_out(item, key, sources)),
        Value::Object(entries) => entries.iter_mut().for_each(|(key, value)| spell_out(value, key, sources)),
        _ => {}
    }
}

const PLACES: &str = r#"
from cohortextractor import (
    Measure, StudyDefinition, codelist, combine_codelists, filter_codes_by_category, patients
)

codes = codelist([("a", "1"), ("b", "2"), ("c", "2")], system="ctv3")


def event(name,
          **period):
    return patients.with_these_clinical_events(
        codes, returning="category",
        **period)


def outer(names):
    return {name: event(name, on_or_before="2020-01-01") for name in names}


def generated(names):
    yield from ((name + "_2", event(name)) for name in names)


per_category = {
    "in_" + category: patients.with_these_clinical_events(
        filter_codes_by_category(
            codes, [category]
        )
    )
    for category in ("1", "2")
}
nested = {
    a + b: [
        patients.fixed_value(a + b) for c in ("x",)
    ][0]
    for a in ("p", "q") for b in ("r", "s")
}
either = lambda *names: (
    patients
    .maximum_of(*names)
)

study = StudyDefinition(
    default_expectations={"date": {"earliest": "1900-01-01", "latest": "today"}},
    population=patients.satisfying("registered AND (age > 17)",
        registered = patients.registered_as_of("index_date"), age=(
            patients.age_as_of("index_date")),
    ),
    index_date="2020-01-01", sex=patients.sex(return_expectations={"rate": "universal", "category": {"ratios": {"M": 1.0, "F": 3e-5}}}),
    **outer(["one", "two"]), **per_category, **dict(generated(["three"])), **nested,
    latest=either("one", "two"), é_name=patients.sex(
    ),
)
measures = [
    Measure(id="m_%s" % group, numerator="one", denominator="population", group_by=group)
    for group in ("sex", ["sex", "two"])
] + [Measure("n", "population",
             "one")]
"#;

#[test]
fn every_python_gives_the_same_recording() {
    let pythons = pythons();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies");
    let own = Rig::new();
    own.study(PLACES);
    let mut roots = vec![own.root()];
    roots.extend(std::fs::read_dir(repository).unwrap().map(|entry| entry.unwrap().path()));
    let mut compared = 0;
    for root in roots {
        for module in modules(&root).unwrap_or_default() {
            let mut first: [Option<(u32, Value)>; 2] = [None, None];
            for (minor, python) in &pythons {
                let rig = Rig::with(*minor, python);
                let request = Request { root: &root, module: &module, params: &[], backend: "expectations" };
                let recorded = record(&request, &rig.child());
                let recorded = recorded.unwrap_or_else(|error| panic!("3.{minor}: {}: {error}", root.display()));
                assert_eq!(recorded.recording.sources[0].span.is_some(), *minor >= 11);
                for (plain, first) in [true, false].into_iter().zip(&mut first) {
                    if !plain && *minor < 11 {
                        continue;
                    }
                    let found = comparable(&recorded.json, plain);
                    match first {
                        None => *first = Some((*minor, found)),
                        Some((other, expected)) => {
                            let (found, expected) = (format!("{found:#}"), format!("{expected:#}"));
                            let line = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
                            if let Some(line) = line {
                                let part = |text: &str| -> String {
                                    text.lines().skip(line.saturating_sub(25)).take(40).collect::<Vec<_>>().join("\n")
                                };
                                panic!("3.{minor}:\n{}\n3.{other}:\n{}", part(&found), part(&expected));
                            }
                            compared += 1;
                        }
                    }
                }
            }
        }
    }
    if pythons.len() < 2 {
        eprintln!("SKIPPED: one Python only");
    } else {
        assert!(compared > 6, "{compared}");
    }
}
