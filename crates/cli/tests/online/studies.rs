//! The canary in every stand-in study: a process of its own keeps each byte that the backend sends while the studies run
//! through site and backend to their end. Only what is on the list, and no mark. Spec protocol.md 9.
//!
//! Each study runs twice. As it is, to its end, one of them with marks in its data. And in its shape: the same actions,
//! needs, outputs and `config:`, each run by a script that leaves marks in names, values, output and exceptions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, json};

use crate::canary::{inside, look_through};
use crate::marks::{AROUND, NAME, PRINTED, RAISED, VALUE};
use crate::rig::{Files, House, can_isolate, files, until};
use crate::tables::{number, rows};
use crate::waivers::waive;
use crate::wire::Recorder;

/// The studies and how many jobs each has.
const STUDIES: [(&str, usize); 5] = [
    ("carehomes_mortality", 4),
    ("flucats", 7),
    ("ons-cis-short-data-report", 3),
    ("opensafely-interactive", 4),
    ("pincer-measures", 14),
];
/// The one whose data can hold marks; the others draw theirs.
const MARKED_STUDY: &str = "ons-cis-short-data-report";

/// Makes every output of its action, with marks wherever something can be chosen. Every fourth action fails behind that.
const MARKED: &str = "import json, os, sys\n\
    action = sys.argv[1]\n\
    print('PRINTED', action, dict(os.environ))\n\
    print('PRINTED', file=sys.stderr, flush=True)\n\
    plan = json.load(open('analysis/marked.json'))[action]\n\
    for pattern in plan['outputs']:\n\
    \x20   path = pattern.replace('*', 'NAME')\n\
    \x20   os.makedirs(os.path.dirname(path) or '.', exist_ok=True)\n\
    \x20   if not os.path.exists(path):\n\
    \x20       open(path, 'w').write('group,count\\nVALUE,7\\n')\n\
    if plan['fails']:\n\
    \x20   raise ValueError('RAISED')\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().join("project.yaml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A study's files as they are, without what a person's own run left there.
fn as_it_is(study: &str) -> Files {
    let root = folder().join(study);
    let mut found = Vec::new();
    for (path, bytes) in files(&root) {
        let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if !path.starts_with("output/") && !path.starts_with("metadata/") && !path.contains("__pycache__") {
            found.push((path, bytes));
        }
    }
    if study == MARKED_STUDY {
        // Carried over as text into what reviewers see, and into the report.
        let data = found.iter_mut().find(|(path, _)| path == "analysis/visit_num.csv").unwrap();
        data.1.extend(format!("0,1,{VALUE},1843\n").into_bytes());
    }
    found
}

/// The same actions, needs, outputs and settings, run by the script of marks. Gives how each must end, too.
fn in_its_shape(study: &str) -> (Files, BTreeMap<String, &'static str>) {
    let yaml = fs::read(folder().join(study).join("project.yaml")).unwrap();
    let project = pipeline::load(&yaml, "project.yaml").project.expect("a study's project is sound");
    let needed: Vec<&str> = project.actions.iter().flat_map(|action| &action.needs).map(|need| need.as_str()).collect();
    let (mut actions, mut plans, mut ends) = (Map::new(), Map::new(), BTreeMap::new());
    let mut leaves = 0;
    for action in &project.actions {
        let name = action.name.as_str();
        // What others need must not fail: the study is to run to its end.
        let is_leaf = !needed.contains(&name);
        leaves += usize::from(is_leaf);
        let fails = is_leaf && leaves % 4 == 2;
        let patterns: Vec<&str> = action.outputs.iter().map(|output| output.pattern.as_str()).collect();
        let mut outputs = Map::new();
        for output in &action.outputs {
            let level = outputs.entry(output.level.as_str()).or_insert_with(|| json!({}));
            level[&output.name] = json!(output.pattern.as_str());
        }
        let needs: Vec<&str> = action.needs.iter().map(|need| need.as_str()).collect();
        let mut written = json!({ "run": format!("python:v2 analysis/marked.py {name}"), "outputs": outputs });
        if !needs.is_empty() {
            written["needs"] = json!(needs);
        }
        if let Some(config) = &action.config {
            written["config"] = serde_json::from_str(&config.0).unwrap();
        }
        actions.insert(name.to_owned(), written);
        plans.insert(name.to_owned(), json!({ "outputs": patterns, "fails": fails }));
        if !action.name.is_run_all() {
            ends.insert(name.to_owned(), if fails { "nonzero_exit" } else { "succeeded" });
        }
    }
    let script = [("PRINTED", PRINTED), ("NAME", NAME), ("VALUE", VALUE), ("RAISED", RAISED)]
        .iter()
        .fold(MARKED.to_owned(), |script, (word, mark)| script.replace(word, mark));
    // What is JSON is YAML.
    let project =
        json!({ "version": project.version.text, "expectations": { "population_size": 1000 }, "actions": actions });
    let files = [
        ("project.yaml", project.to_string()),
        ("analysis/marked.json", json!(plans).to_string()),
        ("analysis/marked.py", script),
    ];
    (files.map(|(path, text)| (path.to_owned(), text.into_bytes())).to_vec(), ends)
}

/// A study that the backend refuses as a whole: nothing here has this engine.
const UNRUNNABLE: &str = "unrunnable";

fn unrunnable() -> Files {
    let project = json!({ "version": "5", "actions": { "form": {
        "run": "interactive:v1 measures",
        "outputs": { "highly_sensitive": { "o": "output/a.csv" } },
    } } });
    vec![("project.yaml".to_owned(), project.to_string().into_bytes())]
}

/// Status, reason and the codes of the jobs of a request, once it has ended.
fn end_of(house: &House, request: i64, seconds: u64) -> (String, String, BTreeMap<String, String>) {
    let query = format!("SELECT status, coalesce(reason, '') FROM job_request WHERE number = {request}");
    until(&format!("the end of request {request}"), seconds, || {
        !["pending", "running"].contains(&rows(&house.at_site(), &query)[0][0].as_str())
    });
    let found = rows(&house.at_site(), &query).remove(0);
    let jobs = rows(&house.at_site(), &format!("SELECT action, code FROM job WHERE job_request = {request}"));
    let jobs = jobs.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    (found[0].clone(), found[1].clone(), jobs)
}

#[test]
fn no_mark_leaves_while_the_studies_run() {
    if !can_isolate() {
        return;
    }
    let names = names();
    assert_eq!(names, STUDIES.map(|(name, _)| name.to_owned()));
    let shapes: Vec<(String, Files, BTreeMap<String, &str>)> = names
        .iter()
        .map(|study| {
            let (files, ends) = in_its_shape(study);
            (format!("{study}-shape"), files, ends)
        })
        .collect();
    let mut repositories: Vec<(&str, Files)> = names.iter().map(|study| (study.as_str(), as_it_is(study))).collect();
    repositories.extend(shapes.iter().map(|(name, files, _)| (name.as_str(), files.clone())));
    repositories.push((UNRUNNABLE, unrunnable()));
    let workspaces: Vec<(&str, &str)> = repositories.iter().map(|(name, _)| (*name, *name)).collect();
    let mut house = House::with(&repositories, &workspaces);
    house.share_runtimes();
    house.workers = 4;
    house.env = vec![("CLOISTER_CANARY".to_owned(), AROUND.to_owned()), (AROUND.to_owned(), AROUND.to_owned())];
    let recorder = Recorder::before(house.site_at);
    house.start_site();
    house.enrol(recorder.address);
    house.start_backend();
    until("the backend is heard of", 60, || number(&house.at_site(), "SELECT count(*) FROM backend_fact") > 0);
    waive(&house, MARKED_STUDY, "visit_num", "analysis/visit_num.sql");
    let asked: BTreeMap<&str, i64> = workspaces
        .iter()
        .map(|(name, _)| (*name, house.request(name, &["run_all"]).expect("the site is there")))
        .collect();

    let mut count = 0;
    for (name, _, ends) in &shapes {
        let (_, reason, jobs) = end_of(&house, asked[name.as_str()], 300);
        let jobs: BTreeMap<String, &str> = jobs.iter().map(|(action, code)| (action.clone(), code.as_str())).collect();
        assert_eq!(&jobs, ends, "{name}: {reason}");
        count += jobs.len();
    }
    for (study, jobs) in STUDIES {
        // Its environment may have to be made first.
        let (status, reason, found) = end_of(&house, asked[study], 900);
        assert_eq!((status.as_str(), found.len()), ("succeeded", jobs), "{study}: {reason} {found:?}");
        count += jobs;
    }
    let (status, reason, found) = end_of(&house, asked[UNRUNNABLE], 60);
    assert_eq!((status.as_str(), found.len()), ("failed", 0), "{reason}");
    house.kill_backend();
    let inside = inside(&house);
    for mark in [NAME, VALUE, PRINTED, RAISED] {
        assert!(inside.contains(mark), "{mark} is nowhere inside: {inside:?}");
    }
    let report = house.path("high/workspaces").join(MARKED_STUDY).join("output/report.html");
    assert!(fs::read_to_string(report).unwrap().contains(VALUE), "the real scripts carried the mark of the data");
    let (calls, kinds) = look_through(&recorder);
    for kind in ["request.accepted", "request.refused", "job.started", "job.finished"] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    println!("{count} jobs of {} studies; {calls:?}", names.len());
}
