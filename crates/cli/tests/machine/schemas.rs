//! Each schema against real output. For the test every object is closed, so that a new field without a word in the
//! schema is a failure.

use jsonschema::Validator;
use serde_json::Value;

use crate::rig::Study;

fn schema(study: &Study, name: &str) -> Value {
    let schema: Value = serde_json::from_str(&study.cloister(&["schema", name]).done().out).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name} is a schema");
    schema
}

/// The schema with nothing allowed that it does not name.
fn closed(mut schema: Value) -> Validator {
    fn close(value: &mut Value) {
        match value {
            Value::Object(object) => {
                if object.get("type") == Some(&"object".into()) && object.contains_key("properties") {
                    object.entry("additionalProperties").or_insert(false.into());
                }
                object.values_mut().for_each(close);
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    jsonschema::draft202012::new(&schema).unwrap()
}

#[track_caller]
fn holds(validator: &Validator, text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let faults: Vec<String> =
        validator.iter_errors(&value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

fn two() -> Study {
    Study::of(
        "  good:\n    run: python:v2 -c \"open('output/good.csv', 'w').write('patient_id')\"\n    outputs:\n      moderately_sensitive: {o: output/good.csv}\n  \
         bad:\n    needs: [good]\n    run: python:v2 analysis/bad.py\n    config: {a: 1}\n    outputs:\n      highly_sensitive: {o: output/bad.csv}\n",
        &[("analysis/bad.py", "import time; time.sleep(1.2)\nraise SystemExit(7)\n")],
    )
}

#[test]
fn check_keeps_to_its_schema() {
    let study = two();
    let validator = closed(schema(&study, "check"));
    holds(&validator, &study.cloister(&["check", "--format", "json"]).out);
    study.write("codelists/codelists.txt", "nonsense\n");
    let faults = "version: '3.0'\nexpectations: {population_size: 10}\nactions:\n  a:\n    need: [b]\n    run: pyton:v1 x\n    outputs: {highly_sensitive: {a: ../x.csv}}\n  a:\n    run: python:v1 analysis/x.py\n    needs: [c]\n    outputs: {highly_sensitiv: {a: x.csv}}\n";
    study.write("project.yaml", faults);
    let out = study.cloister(&["check", "--format", "json"]).failed().out;
    let document: Value = serde_json::from_str(&out).unwrap();
    assert!(document["diagnostics"].as_array().unwrap().len() > 4, "{document:#}");
    holds(&validator, &out);
    study.write("project.yaml", "a: [\n");
    holds(&validator, &study.cloister(&["check", "--format", "json"]).failed().out);
}

#[test]
fn plan_and_events_keep_to_their_schemas() {
    let study = two();
    let plan = closed(schema(&study, "plan"));
    let events = closed(schema(&study, "events"));
    let planned = |words: &[&str]| study.cloister(&[&["plan", "--format", "json"], words].concat()).done().out;
    holds(&plan, &planned(&["--request-id", "aaaaaaaaaaaaaaaa"]));
    let ran = study.run(&["run_all", "--json"]).failed();
    let mut seen = std::collections::BTreeSet::new();
    for line in ran.out.lines() {
        holds(&events, line);
        seen.insert(serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned());
    }
    let all = ["job_finished", "job_progress", "job_state", "run_finished", "run_started"];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), all, "every event was seen");
    holds(&plan, &planned(&[]));
    study.write("analysis/bad.py", "open('output/bad.csv', 'w').write('a')\n");
    study.run(&["run_all"]).done();
    let nothing = planned(&[]);
    assert!(nothing.contains("\"nothing_to_do\":\"all_succeeded\""), "{nothing}");
    holds(&plan, &nothing);
    // Everything that can differ in a study: script, config, command, outputs, input, one file gone.
    study.write("analysis/bad.py", "open('output/bad.csv', 'w').write('b')\n");
    let text = study.read("project.yaml").replace("{a: 1}", "{a: 2}").replace("'patient_id'", "'other'");
    study.write(
        "project.yaml",
        &text.replace("highly_sensitive: {o: output/bad.csv}", "highly_sensitive: {p: output/bad.csv}"),
    );
    let changed = planned(&[]);
    for component in ["command", "config", "code"] {
        assert!(changed.contains(&format!("\"component\":\"{component}\"")), "{component}: {changed}");
    }
    holds(&plan, &changed);
    std::fs::remove_file(study.folder.join("output/good.csv")).unwrap();
    holds(&plan, &planned(&["bad"]));
}

#[test]
fn settings_keep_to_theirs() {
    let study = two();
    let validator = jsonschema::draft202012::new(&schema(&study, "config")).unwrap();
    let toml = |text: &str| serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    let good = "[run]\nconcurrency = \"auto\"\nmemory = \"4G\"\ncpus = 2\nstale = \"keep\"\ntimeout = \"20m\"\n[check]\nallow = [\"P111\"]\n\
                [codelists]\nurl = \"https://a.example\"\nparallel = 4\n[network]\noffline = true\n[ui]\ncolor = \"never\"\n\
                [runtime.\"python:v2\"]\npath = \"/x\"\n";
    assert!(validator.is_valid(&toml(good)));
    for bad in [
        "[run]\ncpus = 0",
        "[run]\nnonsense = 1",
        "[nonsense]\na = 1",
        "[ui]\ncolor = \"red\"",
        "[runtime.\"r:v1\"]\nkind = 1",
    ] {
        assert!(!validator.is_valid(&toml(bad)), "{bad}");
    }
    // What the schema calls a default is one that the program takes.
    let document = schema(&study, "config");
    assert_eq!(document["properties"]["run"]["properties"]["memory"]["default"], "4G");
    assert_eq!(document["properties"]["codelists"]["properties"]["parallel"]["default"], 8);
}
