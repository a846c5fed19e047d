//! What a study finds, what it may write, and that nothing of it comes back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use study::record::{modules, record};
use study::recording::{CodelistItems, Value};

use crate::rig::Rig;

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.symlink_metadata().unwrap() {
            about if about.is_dir() => found.extend(files(&path)),
            about if about.is_file() => found.push((path.clone(), fs::read(&path).unwrap())),
            _ => found.push((path, Vec::new())),
        }
    }
    found.sort();
    found
}

#[test]
fn a_study_may_rewrite_its_own_lists_and_nothing_comes_back() {
    let rig = Rig::new();
    rig.study(
        r#"
import json, os, tempfile
from cohortextractor import *
from cohortextractor import patients

print("printed", 1)
with open("codelists/list.csv") as file:
    text = file.read()
with open("codelists/list.csv", "w") as file:
    file.write(text + "c,C\n")
os.makedirs("output/deep", exist_ok=True)
with open("output/deep/rows.json", "w") as file:
    json.dump({"a": 1}, file)
os.remove("analysis/unused.py")
tempfile.mkstemp()
open(os.path.expanduser("~/cache"), "w").close()
codes = codelist_from_csv("codelists/list.csv", system="ctv3")
study = StudyDefinition(population=patients.all(), x=patients.with_these_clinical_events(codes))
"#,
    );
    rig.write("analysis/unused.py", "");
    rig.write("output/input.csv", "patient_id\n1\n");
    rig.write(".git/config", "a remote");
    let before = files(rig.folder.path());
    for (name, fence) in rig.fences(&Rig::limits()) {
        let recorded = rig.record(&*fence).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recorded.printed, "printed 1\n", "{name}");
        let list = recorded.recording.codelists.values().next().unwrap();
        let codes = ["a", "b", "c"].map(|code| Value::Str(code.to_owned())).to_vec();
        assert_eq!(list.items, CodelistItems::Plain(codes), "{name}");
        let dropped = ["analysis/unused.py", "codelists/list.csv", "output/deep/rows.json"].map(PathBuf::from);
        assert_eq!(recorded.dropped, dropped, "{name}");
        assert_eq!(recorded.dropped_in_all, 3);
        let read: Vec<_> = recorded.recording.files_read.iter().map(|file| (file.path.as_str(), file.code)).collect();
        assert_eq!(read, [("analysis/study_definition.py", true), ("codelists/list.csv", false)], "{name}");
        // As it was before the study rewrote it: `printf 'code,term\na,A\nb,B\n' | sha256sum`.
        let list = &recorded.recording.files_read[1];
        assert_eq!(list.sha256, "d8cbb163588a6655d3529eb6af4c3bd8609d228604c6f4ede78c587283409194");
        assert_eq!(list.bytes, 18);
    }
    assert_eq!(files(rig.folder.path()), before);
}

#[test]
fn links_are_copied_and_never_followed() {
    let rig = Rig::new();
    let secret = rig.folder.path().join("other/secret");
    fs::write(&secret, "MARKED").unwrap();
    symlink(&secret, rig.root().join("analysis/link.txt")).unwrap();
    symlink(rig.folder.path().join("other"), rig.root().join("analysis/folder")).unwrap();
    symlink("study_definition.py", rig.root().join("analysis/study_definition_link.py")).unwrap();
    rig.study(
        r#"
import os
print(os.path.islink("analysis/link.txt"), os.path.islink("analysis/folder"))
for path in ("analysis/link.txt", "analysis/folder/secret"):
    try:
        print(open(path).read())
    except OSError as error:
        print("refused")
"#,
    );
    for (name, fence) in rig.fences(&Rig::limits()) {
        let recorded = rig.record(&*fence).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recorded.printed, "True True\nrefused\nrefused\n", "{name}");
        assert_eq!(recorded.dropped_in_all, 0, "{name}");
    }
    // A link is no study.
    assert_eq!(modules(&rig.root()).unwrap(), ["study_definition"]);
}

#[test]
fn modules_are_found_by_name_and_sorted() {
    let rig = Rig::new();
    for name in [
        "study_definition_b.py",
        "study_definition.py",
        "study_definition_A1.py",
        "study_definition_.py",
        "study_definitions.py",
        "study_definition_x.txt",
        "study_definition-x.py",
        "my_study_definition.py",
        "sub/study_definition_c.py",
    ] {
        rig.write(&format!("analysis/{name}"), "");
    }
    fs::create_dir(rig.root().join("analysis/study_definition_folder.py")).unwrap();
    assert_eq!(modules(&rig.root()).unwrap(), ["study_definition", "study_definition_A1", "study_definition_b"]);
}

#[test]
fn parameters_and_their_keys_are_recorded() {
    let rig = Rig::new();
    rig.study(
        "from cohortextractor import params\nprint(params['b'], params.get('c'), params.get('d', 'no'), 'e' in params, dict(params))\n",
    );
    let given = [("b", "1 2"), ("a", "\u{e9}=\"x\"")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let recorded = rig.record_with(&rig.child(), &given).unwrap();
    assert_eq!(recorded.printed, "1 2 None no False {'b': '1 2', 'a': '\u{e9}=\"x\"'}\n");
    assert_eq!(recorded.recording.params_given, given);
    assert_eq!(recorded.recording.params_read, ["b", "c", "d", "e"]);
}

#[test]
fn another_module_and_helpers_beside_it() {
    let rig = Rig::new();
    rig.write("analysis/study_definition_x.py", "from helpers import population\nfrom lib.more import study\n");
    rig.write("analysis/helpers.py", "from cohortextractor import patients\npopulation = patients.all()\n");
    rig.write(
        "lib/more.py",
        "from cohortextractor import StudyDefinition\nfrom helpers import population\nstudy = StudyDefinition(population)\n",
    );
    let root = rig.root();
    let request =
        study::record::Request { root: &root, module: "study_definition_x", params: &[], backend: "expectations" };
    let recorded = record(&request, &rig.child()).unwrap();
    assert_eq!(recorded.recording.file, "analysis/study_definition_x.py");
    let study = recorded.study().unwrap();
    let place = |src: study::recording::SourceId| {
        let source = &recorded.recording.sources[src.0 as usize];
        (source.file.as_str(), source.line)
    };
    assert_eq!(place(study.src), ("lib/more.py", 3));
    assert_eq!(place(study.population.src), ("analysis/helpers.py", 2));
    // Given by place, not by keyword.
    assert_eq!(study.population.name_src, None);
}
