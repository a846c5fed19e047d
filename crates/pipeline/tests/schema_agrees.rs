//! The JSON Schema and `load` agree: what loads validates, what the schema rejects has an error of P1, P2, P5 or P7.
//! Spec project-yaml.md 12.2; a file that cannot be read at all (P0) is outside the schema. Inputs: the examples of the pages, the
//! mistakes, the cases, the seeds, and files put together from fragments.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail here")]

#[path = "world/yaml.rs"]
mod yaml;

use jsonschema::Validator;
use pipeline::explain::{self, Block, ExampleKind};
use pipeline::{Severity, load, schema};
use proptest::prelude::*;

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema::project()).expect("the schema compiles")
}

/// What the schema says of a text, and why the two disagree if they do.
fn judge(validator: &Validator, text: &str) -> (bool, Option<String>) {
    let Some(value) = yaml::to_json(text) else { return (false, None) };
    let valid = validator.is_valid(&value);
    let loaded = load(text.as_bytes(), "project.yaml");
    let errors: Vec<&str> =
        loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code.0).collect();
    let known = |code: &&str| ["P0", "P1", "P2", "P5", "P7"].iter().any(|family| code.starts_with(family));
    let agrees = valid || errors.iter().any(known);
    let why = || {
        let said: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        format!("schema: {said:?}; load: {errors:?}")
    };
    (valid, (!agrees).then(why))
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema::project()));
}

#[test]
fn pages_agree() {
    let validator = validator();
    let mut wrong = String::new();
    for code in explain::codes() {
        for block in explain::page(code).unwrap().blocks {
            let Block::Example { kind, text } = block else { continue };
            if kind == ExampleKind::Text {
                continue;
            }
            let (valid, why) = judge(&validator, &text);
            if let Some(why) = why {
                wrong += &format!("{code} {kind:?}: {why}\n");
            }
            if matches!(kind, ExampleKind::Good | ExampleKind::ResolveGood) && !valid {
                wrong += &format!("{code} {kind:?}: not valid\n");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_schema_rejects_what_an_editor_should_mark() {
    let codes = [
        "P101", "P102", "P103", "P110", "P112", "P120", "P121", "P122", "P126", "P201", "P202", "P203", "P204", "P205",
        "P206", "P501", "P502", "P503", "P504", "P510", "P511", "P512", "P513", "P514", "P515", "P516", "P517", "P518",
        "P701",
    ];
    let validator = validator();
    for code in codes {
        let page = explain::page(code).unwrap();
        let failing = page.blocks.iter().find_map(|b| match b {
            Block::Example { kind: ExampleKind::Fail, text } => Some(text),
            _ => None,
        });
        let value = yaml::to_json(failing.unwrap()).unwrap();
        assert!(!validator.is_valid(&value), "{code}");
    }
}

#[test]
fn mistakes_cases_and_seeds_agree() {
    let validator = validator();
    for folder in ["/mistakes", "/cases", "/cases/seeds"].map(|name| format!("{}{name}", env!("CARGO_MANIFEST_DIR"))) {
        agree_in(&validator, &folder);
    }
}

fn agree_in(validator: &Validator, folder: &str) {
    let mut wrong = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (valid, why) = judge(validator, &text);
        if let Some(why) = why {
            wrong += &format!("{}: {why}\n", path.display());
        }
        // What no JSON can say (a tag, .nan) is not given to a schema.
        if !valid && yaml::to_json(&text).is_some() && load(text.as_bytes(), "").project.is_some() {
            wrong += &format!("{}: loads, but is not valid\n", path.display());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

const VERSIONS: &[&str] = &[
    "1", "2", "3", "4", "5", "'3.0'", "\"4.\"", "' 5 '", "3.5", "4.5", "1.8", "0", "6", "\"3e0\"", "null", "true", "x",
    "'4e0'", "[3]",
];
const EXPECTATIONS: &[&str] = &[
    "",
    "expectations:\n",
    "expectations: {population_size: 10}\n",
    "expectations: {population_size: '10'}\n",
    "expectations: {population_size: -1}\n",
    "expectations: {population_size: -0.5}\n",
    "expectations: 5\n",
    "expectations: {population_size: 1, x: 2}\n",
    "expectations: {}\n",
    "extra: 1\n",
];
const NAMES: &[&str] = &["a", "run_all", "42", "-5", "'a b'", "a/b", "..", "é", "null", "\"a\\tb\""];
const KEYS: &[&str] = &[
    "",
    "needs: []\n",
    "needs: a\n",
    "needs: [1, 2.5]\n",
    "config:\n",
    "config: {a: 1}\n",
    "config: []\n",
    "x: 1\n",
    "dummy_data_file: d.csv\n",
    "dummy_data_file: 5\n",
    "matrix: {v: [1, 2]}\n",
    "name: n\n",
];
const RUNS: &[&str] = &["python:v1 a.py", "''", "r:latest x.R", "[a]", "5", "\"cohortextractor:v1 generate_cohort\""];
const LEVELS: &[&str] = &["highly_sensitive", "moderately_sensitive", "minimally_sensitive", "high"];
const PATHS: &[&str] = &[
    "a.csv",
    "out/a.rds",
    "out/a",
    "out/*",
    "a.*",
    "a.c*",
    "a.c*v",
    "/a.csv",
    "C:/a.csv",
    "a\\b.csv",
    "a//b.csv",
    "./a.csv",
    "../a.csv",
    "a/../b.csv",
    "..a.csv",
    "a..csv",
    ".csv",
    ".a.csv",
    "metadata/a.csv",
    "metadata",
    "metadata.csv",
    "x/.GIT/a.csv",
    ".github/a.csv",
    "a/",
    "a?.csv",
    "a[1].csv",
    "a**.csv",
    "a b.csv",
    "x/.csv",
    "a.csv.",
    "A.CSV",
    "a.tar.gz",
    "~/a.csv",
    "'*.csv'",
    "''",
    "5",
    "null",
    "[a]",
    "\"a\\u0007.csv\"",
    "'a.csv '",
    "a:/b.csv",
    "1:/b.csv",
    "out/${v}.csv",
    "out/${v}",
];

prop_compose! {
    fn file()(
        version in 0..VERSIONS.len(), expectations in 0..EXPECTATIONS.len(), name in 0..NAMES.len(), key in 0..KEYS.len(),
        run in 0..RUNS.len(), level in 0..LEVELS.len(), path in 0..PATHS.len(),
        plain in proptest::collection::vec(any::<bool>(), 6),
    ) -> String {
        // Half of each part is the plain one, so that many files have one fault or none.
        let pick = |i: usize, list: &'static [&'static str], at: usize, usual: &'static str| {
            if plain[i] { usual } else { list[at] }
        };
        let v = VERSIONS[version];
        let three = v.contains('3') && !v.contains("3.5");
        let usual = if three { "expectations: {population_size: 10}\n" } else { "" };
        let (e, n, k) = (pick(0, EXPECTATIONS, expectations, usual), pick(1, NAMES, name, "a"), pick(2, KEYS, key, ""));
        let (r, l) = (pick(3, RUNS, run, "python:v1 a.py"), pick(4, LEVELS, level, "moderately_sensitive"));
        let p = pick(5, PATHS, path, "a.csv");
        let k = if k.is_empty() { String::new() } else { format!("    {k}") };
        format!("version: {v}\n{e}actions:\n  {n}:\n    run: {r}\n{k}    outputs:\n      {l}:\n        f: {p}\n")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn fragments_agree(text in file()) {
        static VALIDATOR: std::sync::LazyLock<Validator> = std::sync::LazyLock::new(validator);
        prop_assert_eq!(judge(&VALIDATOR, &text).1, None, "{}", text);
    }
}
