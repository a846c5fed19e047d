//! The package in other Pythons: a plain library on their path, which records nothing.
//! Spec study-definitions.md 1.1, last line.

use std::fs;
use std::path::Path;
use std::process::Command;

use study::record::PACKAGE;

use crate::rig::{Rig, pythons};

const SCRIPT: &str = r#"
import sys
sys.path[:0] = ["analysis"]
import cohortextractor
from cohortextractor import Measure, codelist_from_csv, params
from cohortextractor import patients, codelistlib, study_definition, measure, exceptions, tpp_backend
from cohortextractor.tpp_backend import quote, codelist_to_sql
from study_definition import codes, measures, study

print(cohortextractor.__version__, sorted(cohortextractor.__all__))
print(codes, codes.system, codes.has_categories, codes[0], len(codes))
for one in measures:
    print(one.id, one.numerator, one.denominator, one.group_by, one.small_number_suppression)
print(tuple(study.population) == patients.all(), study.index_date)
print(codelist_to_sql(codes), quote(1), quote("a.b-c_d"))
try:
    quote("a'b")
except ValueError:
    print("refused")
for name in ("to_file", "to_dicts", "csv_to_df", "to_sql"):
    try:
        getattr(study, name)("x")
    except NotImplementedError as error:
        print(name, "cloister" in str(error))
try:
    params["x"]
except exceptions.MissingParameterError as error:
    print(error.human_name, error.args)
print(patients.sex(), cohortextractor._place.sources)
"#;

const STUDY: &str = r#"
from cohortextractor import *
from cohortextractor import patients

codes = codelist_from_csv("codelists/list.csv", system="ctv3")
study = StudyDefinition(population=patients.all(), index_date="2020-01-01")
measures = [
    Measure("a", denominator="population", numerator="x", group_by="population"),
    Measure("b", "population", "x", small_number_suppression=True),
]
"#;

const SAID: &str = "1.0.0 ['Measure', 'StudyDefinition', 'codelist', 'codelist_from_csv', 'combine_codelists', \
'filter_codes_by_category', 'params']
['a', 'b'] ctv3 False a 2
a x population ['population'] False
b x population [] True
True 2020-01-01
'a','b' 1 'a.b-c_d'
refused
to_file True
to_dicts True
csv_to_df True
to_sql True
Missing parameter error ('x',)
('sex', {'return_expectations': None}) []
";

#[test]
fn every_python_imports_it_as_a_library() {
    let rig = Rig::new();
    let folder = rig.folder.path().join("library");
    for (name, text) in PACKAGE {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    rig.study(STUDY);
    rig.write("analysis/script.py", SCRIPT);
    for (minor, python) in pythons() {
        let output = Command::new(python)
            .args(["-B", "analysis/script.py"])
            .current_dir(rig.root())
            .env_clear()
            .env("PYTHONPATH", &folder)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, SAID, "3.{minor}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!rig.root().join(".cloister").exists());
}

#[test]
fn every_file_of_the_package_is_part_of_the_program() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorder");
    let mut found = vec!["__main__.py".to_owned()];
    for entry in fs::read_dir(source.join("cohortextractor")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            found.push(path.strip_prefix(&source).unwrap().to_string_lossy().into_owned());
        }
    }
    found.sort();
    let names: Vec<&str> = PACKAGE.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, names);
    for (name, text) in PACKAGE {
        assert_eq!(fs::read_to_string(source.join(name)).unwrap(), *text);
    }
}
