//! What is made again, and why: by content, never by time. Issue A; spec jobs.md 17, 18; cli.md 4.3.

use std::fs::{self, File, FileTimes};

use crate::rig::{Ran, Study};

/// Three actions in a row and one beside them. `count` is known to read `analysis/words.py`.
fn chain() -> Study {
    let actions = r#"
  raw:
    run: sqlrunner:v1 --output output/raw.csv --dummy-data-file analysis/dummy.csv analysis/raw.sql
    outputs:
      highly_sensitive: {rows: output/raw.csv}
  count:
    needs: [raw]
    run: python:v2 python analysis/count.py
    config: {unit: rows}
    outputs:
      moderately_sensitive: {n: "output/count*.txt"}
  report:
    needs: [count]
    run: python:v2 python analysis/report.py
    outputs:
      moderately_sensitive: {r: output/report.txt}
  beside:
    run: python:v2 python analysis/beside.py
    outputs:
      moderately_sensitive: {b: output/beside.txt}
"#;
    Study::of(
        actions,
        &[
            (
                "analysis/raw.sql",
                "SELECT a FROM t WHERE Patient_ID NOT IN (SELECT Patient_ID FROM PatientsWithTypeOneDissent)",
            ),
            ("analysis/dummy.csv", "a\n1\n2\n3\n"),
            ("analysis/words.py", "LEAD = 'number'\n"),
            (
                "analysis/count.py",
                "import json, sys\nfrom words import LEAD\nunit = json.loads(sys.argv[-1])['unit']\n\
                 n = len(open('output/raw.csv').read().split()) - 1\n\
                 open('output/count.txt', 'w').write(f'{LEAD} of {unit}: {n}\\n')\n",
            ),
            (
                "analysis/report.py",
                "open('output/report.txt', 'w').write('Report. ' + open('output/count.txt').read())\n",
            ),
            ("analysis/beside.py", "open('output/beside.txt', 'w').write('beside\\n')\n"),
        ],
    )
}

fn ran_once() -> Study {
    let study = chain();
    study.run(&["run_all"]).done();
    study
}

#[track_caller]
fn nothing(study: &Study) {
    let ran = study.run(&["run_all"]).done().says("nothing to run");
    assert_eq!(ran.ran(), [""; 0]);
}

fn sorted(ran: &Ran) -> Vec<&str> {
    let mut names = ran.ran();
    names.sort_unstable();
    names
}

#[test]
fn a_first_run_makes_everything_and_a_second_nothing() {
    let study = chain();
    let ran = study.run(&["run_all"]).done().says("4 jobs succeeded");
    assert_eq!(sorted(&ran), ["beside", "count", "raw", "report"]);
    assert_eq!(study.read("output/report.txt"), "Report. number of rows: 3\n");
    // Its engine ends lines as Python's csv writer does (spec actions.md 7).
    assert_eq!(study.read("output/raw.csv"), "a\r\n1\r\n2\r\n3\r\n");
    for action in ["raw", "count", "report", "beside"] {
        let log = study.read(&format!("metadata/{action}.log"));
        assert!(log.contains("exit_code: 0") && log.contains("outputs:"), "{log}");
    }
    let manifest: serde_json::Value = serde_json::from_str(&study.read("metadata/manifest.json")).unwrap();
    let entry = &manifest["outputs"]["output/report.txt"];
    assert_eq!(entry["level"], "moderately_sensitive");
    assert_eq!(entry["action"], "report");
    assert_eq!(entry["size"], 26);
    assert_eq!(entry["cloister"]["pins"][0]["action"], "count");
    assert_eq!(manifest["outputs"]["output/raw.csv"]["level"], "highly_sensitive");
    assert_eq!(study.volumes(), 0, "no sandbox is left");
    nothing(&study);
}

#[test]
fn times_mean_nothing() {
    let study = ran_once();
    for file in ["analysis/count.py", "analysis/dummy.csv", "project.yaml", "output/raw.csv"] {
        let file = File::options().append(true).open(study.folder.join(file)).unwrap();
        file.set_times(FileTimes::new().set_modified(std::time::SystemTime::now())).unwrap();
    }
    nothing(&study);

    let path = study.folder.join("analysis/report.py");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    study.write("analysis/report.py", &study.read("analysis/report.py").replace("Report.", "REPORT."));
    File::options().append(true).open(&path).unwrap().set_times(FileTimes::new().set_modified(before)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    assert_eq!(study.run(&["run_all"]).done().ran(), ["report"]);
    assert_eq!(study.read("output/report.txt"), "REPORT. number of rows: 3\n");
}

#[test]
fn an_edit_that_was_undone_runs_nothing() {
    let study = ran_once();
    let text = study.read("analysis/count.py");
    study.write("analysis/count.py", "broken(");
    study.cloister(&["plan"]).done().says("analysis/count.py changed");
    study.write("analysis/count.py", &text);
    nothing(&study);
}

#[test]
fn a_changed_script_runs_again_with_its_dependants_and_says_why() {
    let study = ran_once();
    study.write("analysis/count.py", &(study.read("analysis/count.py") + "# more\n"));
    let ran = study.run(&["run_all"]).done().says("count: out of date: analysis/count.py changed");
    assert_eq!(ran.ran(), ["count", "report"]);
    nothing(&study);
}

#[test]
fn a_changed_module_counts_for_those_that_import_it() {
    let study = ran_once();
    study.write("analysis/words.py", "LEAD = 'sum'\n");
    let ran = study.run(&["run_all"]).done().says("analysis/words.py changed");
    assert_eq!(ran.ran(), ["count", "report"]);
    assert_eq!(study.read("output/report.txt"), "Report. sum of rows: 3\n");
}

#[test]
fn a_changed_config_counts() {
    let study = ran_once();
    study.write("project.yaml", &study.read("project.yaml").replace("unit: rows", "unit: lines"));
    let ran = study.run(&["run_all"]).done().says("config key unit changed");
    assert_eq!(ran.ran(), ["count", "report"]);
    assert_eq!(study.read("output/report.txt"), "Report. number of lines: 3\n");
}

#[test]
fn one_changed_cell_changes_the_last_result() {
    let study = ran_once();
    study.write("analysis/dummy.csv", "a\n1\n2\n3\n4\n");
    let ran = study.run(&["report"]).done();
    assert_eq!(ran.ran(), ["raw", "count", "report"]);
    assert_eq!(study.read("output/report.txt"), "Report. number of rows: 4\n");
}

#[test]
fn a_deleted_output_is_made_again() {
    let study = ran_once();
    fs::remove_file(study.folder.join("output/beside.txt")).unwrap();
    let ran = study.run(&["run_all"]).done().says("output/beside.txt is gone");
    assert_eq!(ran.ran(), ["beside"]);
    assert_eq!(study.read("output/beside.txt"), "beside\n");
}

#[test]
fn an_output_changed_by_hand_is_used_and_named() {
    let study = ran_once();
    study.write("output/count.txt", "a guess\n");
    let ran = study.run(&["run_all"]).done().says("`output/count.txt` was changed by hand since count made it");
    assert_eq!(ran.ran(), ["report"]);
    assert_eq!(study.read("output/report.txt"), "Report. a guess\n");
    assert_eq!(study.read("output/count.txt"), "a guess\n");
}

#[test]
fn force_runs_everything_and_a_named_action_itself() {
    let study = ran_once();
    assert_eq!(sorted(&study.run(&["run_all", "-f"]).done()), ["beside", "count", "raw", "report"]);
    assert_eq!(study.run(&["report", "--force-run-dependencies"]).done().ran(), ["raw", "count", "report"]);
    assert_eq!(study.run(&["report"]).done().ran(), ["report"]);
}

#[test]
fn stale_results_can_be_kept_and_are_reported() {
    let study = ran_once();
    study.write("analysis/count.py", &(study.read("analysis/count.py") + "# more\n"));
    let ran = study.run(&["beside", "report", "--stale", "keep"]).done();
    assert_eq!(sorted(&ran), ["beside", "report"]);
    let ran = ran.says("count: reused: out of date: analysis/count.py changed");
    ran.says("count: reused, but out of date: analysis/count.py changed");
}

#[test]
fn a_script_cannot_read_what_its_action_does_not_need() {
    let study = ran_once();
    study.write("analysis/beside.py", "open('output/beside.txt', 'w').write(open('output/raw.csv').read())\n");
    study.run(&["run_all"]).failed().says("No such file or directory: 'output/raw.csv'");
}

#[test]
fn outputs_that_are_no_longer_made_go_unless_they_were_edited() {
    let study = ran_once();
    let script = study.read("analysis/count.py");
    let two = script.clone() + "open('output/count2.txt', 'w').write('2')\nopen('output/count3.txt', 'w').write('3')\n";
    study.write("analysis/count.py", &two);
    study.run(&["run_all"]).done();
    assert!(study.has("output/count2.txt") && study.has("output/count3.txt"));
    study.write("output/count3.txt", "mine");
    study.write("analysis/count.py", &script);
    let ran = study.run(&["run_all"]).done();
    assert!(!study.has("output/count2.txt"));
    assert_eq!(study.read("output/count3.txt"), "mine");
    ran.says("`output/count3.txt` was made by an earlier run and not by this one; it is kept");
}

#[test]
fn the_store_keeps_what_is_needed_only() {
    let study = ran_once();
    let objects = || walk(&study.folder.join("metadata/cloister/objects"));
    let before = objects();
    for n in 4..8 {
        study.write("analysis/dummy.csv", &format!("a\n{n}\n"));
        study.run(&["run_all"]).done();
    }
    assert_eq!(objects(), before, "older results are gone");
}

fn walk(folder: &std::path::Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|e| if e.path().is_dir() { walk(&e.path()) } else { 1 }).sum()
}
