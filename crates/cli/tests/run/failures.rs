//! How failures are told: each cause by its own words, and what goes on after it. Spec cli.md 4.2 to 4.5; jobs.md 4, 11, 12.

use crate::rig::Study;

/// One action that runs this Python and declares `output/a.csv`.
fn one(code: &str) -> Study {
    let action =
        "  a:\n    run: python:v2 python analysis/a.py\n    outputs:\n      moderately_sensitive: {o: output/a.csv}\n";
    Study::of(action, &[("analysis/a.py", code)])
}

#[test]
fn a_failed_command_shows_its_last_lines_and_leaves_its_files() {
    let study = one(
        "open('output/a.csv', 'w').write('x\\n')\nfor n in range(40): print('line', n)\nraise ValueError('no \\x1b[31m rows')\n",
    );
    let ran = study.run(&["a"]).failed();
    let report = ran.out.split("=> a\n").nth(1).unwrap();
    assert!(
        report.starts_with("   ValueError: no \\u{1b}[31m rows\n   The command failed with exit code 1\n"),
        "{report}"
    );
    assert!(report.contains("     line 39\n") && !report.contains("     line 5\n"), "{report}");
    assert!(report.contains("earlier lines are in the log file"), "{report}");
    assert!(!ran.out.contains('\u{1b}'), "nothing that a study prints reaches the terminal as it is");
    assert_eq!(study.read("output/a.csv"), "x\n", "for debugging");
    assert!(study.read("metadata/a.log").contains("line 5\n"));
    // It never counts as a result.
    study.cloister(&["plan"]).done().says("failed before");
}

#[test]
fn an_unmatched_output_names_the_pattern_and_what_was_made_instead() {
    let study = one("open('output/b.csv', 'w').write('x\\n')\n");
    let ran = study.run(&["a"]).failed().says("No file matches the output output/a.csv");
    let ran = ran.says("did you mean:\n     output/b.csv");
    ran.says("0 jobs succeeded, 1 failed");
    assert!(!study.has("output/b.csv"), "what no pattern matches stays in the sandbox");
    assert!(study.read("metadata/a.log").contains("   - output/b.csv"));
}

#[test]
fn links_are_refused_and_never_followed() {
    let study = one("import os\nos.symlink('/etc/passwd', 'output/a.csv')\n");
    study.run(&["a"]).failed().says("`output/a.csv` is a link");
    assert!(!study.has("output/a.csv"));
}

#[test]
fn a_link_in_the_project_where_an_output_goes_is_refused() {
    let study = one("open('output/a.csv', 'w').write('x')\n");
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), study.folder.join("output")).unwrap();
    study.run(&["a"]).failed();
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_job_changes_nothing_but_its_outputs() {
    let study = one(
        "import pathlib\npathlib.Path('analysis/a.py').write_text('evil')\npathlib.Path('project.yaml').write_text('evil')\n\
         pathlib.Path('output/a.csv').write_text('fine')\n",
    );
    let before = study.read("project.yaml");
    study.run(&["a"]).done();
    assert_eq!(study.read("project.yaml"), before);
    assert!(study.read("analysis/a.py").starts_with("import"));
    assert_eq!(study.read("output/a.csv"), "fine");
}

#[test]
fn patients_are_kept_from_reviewers_and_the_job_succeeds() {
    let study = one("open('output/a.csv', 'w').write('patient_id,x\\n1,2\\n')\n");
    let ran = study.run(&["a"]).done().says("invalid moderately_sensitive outputs:");
    ran.says("`patient_id` column");
}

#[test]
fn memory_and_time_are_told_apart() {
    let study = one("x = bytearray(1 << 30)\nx[::4096] = b'1' * (1 << 18)\n");
    study.run(&["a", "-m", "100M"]).failed().says("Ran out of memory: its limit was 100 MB");
    study.write("analysis/a.py", "import time\ntime.sleep(60)\n");
    study.run(&["a", "--timeout", "1s"]).failed().says("Ran longer than its limit of 1s");
}

const TWO_ROWS: &str = "  bad:
    run: python:v2 -c \"raise SystemExit(3)\"
    outputs: &o
      moderately_sensitive: {o: output/none.csv}
  after_bad:
    needs: [bad]
    run: python:v2 -c \"1\"
    outputs:
      moderately_sensitive: {o: output/none2.csv}
  good:
    run: python:v2 -c \"open('output/good.csv', 'w')\"
    outputs:
      moderately_sensitive: {o: output/good.csv}
";

#[test]
fn the_first_failure_ends_the_run_unless_told_otherwise() {
    let study = Study::of(TWO_ROWS, &[]);
    let ran = study.run(&["run_all", "-c", "1"]).failed();
    assert_eq!(ran.ran(), ["bad"]);
    ran.says("0 jobs succeeded, 1 failed, 2 not started");
    let ran = study.run(&["run_all", "-c", "1", "--continue-on-error"]).failed();
    assert_eq!(ran.ran(), ["bad", "good"]);
    ran.says("1 job succeeded, 1 failed, 1 not started");
    assert!(study.has("output/good.csv"));
}

#[test]
fn wrong_words_are_answered_before_anything_runs() {
    let study = one("1\n");
    study.run(&[]).failed().says("error[X102]").says("run_all (all of them)\n  a");
    study.run(&["b"]).failed().says("error[X103]: `b` is not an action of this project");
    for (words, text) in [
        (["a", "-m", "1M"], "at least 64M"),
        (["a", "-c", "0"], "a whole number from 1, or auto"),
        (["a", "--timeout", "soon"], "such as 90s, 20m or 6h"),
    ] {
        let ran = study.run(&words).says(text);
        assert_eq!(ran.code, Some(2));
    }
    assert!(!study.has("metadata"), "nothing was written");
    study.run(&["a", "--runtime", "container"]).failed().says("error[X205]: this version starts no containers yet");
    study.write("project.yaml", "version: \"5\"\nactions: {a: {run: 3}}\n");
    study.run(&["a"]).failed().says("project.yaml:");
}

#[test]
fn a_runtime_that_nothing_here_can_run_is_told_with_all_others_before_the_start() {
    let study = Study::of(
        "  good:\n    run: python:v2 -c \"open('output/good.csv', 'w')\"\n    outputs:\n      moderately_sensitive: {o: output/good.csv}\n  \
         stata:\n    run: stata-mp:v1 analysis/a.do\n    outputs:\n      moderately_sensitive: {o: output/s.csv}\n",
        &[("analysis/a.do", "")],
    );
    let ran = study.run(&["run_all"]).failed().says("error[X205]: stata-mp:v1").says("needed by stata");
    assert_eq!(ran.ran(), [""; 0]);
    assert!(!study.has("output/good.csv"));
    // Who goes on after failures goes on without it, and is told at the end that it was not all.
    let ran = study.run(&["run_all", "--continue-on-error"]).failed().says("error[X205]: stata-mp:v1");
    assert_eq!(ran.ran(), ["good"]);
}

#[test]
fn an_action_that_nobody_knows_stops_only_who_needs_it() {
    let study = Study::of(
        "  good:\n    run: python:v2 -c \"open('output/good.csv', 'w')\"\n    outputs:\n      highly_sensitive: {o: output/good.csv}\n  \
         odd:\n    run: nobody-knows:v1 --input output/good.csv\n    needs: [good]\n    outputs:\n      moderately_sensitive: {o: output/s.csv}\n",
        &[],
    );
    let ran = study.run(&["good"]).done().says("warning[P307]");
    assert_eq!(ran.ran(), ["good"]);
    study.run(&["run_all"]).failed().says("error[P307]");
    study.run(&["odd"]).failed().says("error[P307]");
    let ran = study.run(&["run_all", "-f", "--continue-on-error"]).failed().says("error[X206]").says("needed by odd");
    assert_eq!(ran.ran(), ["good"]);
}

#[test]
fn a_result_that_cannot_be_put_in_place_is_put_there_by_the_next_run() {
    let study = one("open('output/a.csv', 'w').write('x')\n");
    study.write("metadata/manifest.json/in_the_way", "");
    study.run(&["a"]).failed().says("its results are stored but not all are in place");
    assert_eq!(study.volumes(), 1, "what publishing needs is kept");
    std::fs::remove_dir_all(study.folder.join("metadata/manifest.json")).unwrap();
    std::fs::remove_file(study.folder.join("output/a.csv")).unwrap();
    study.run(&["run_all"]).done().says("results of a from an interrupted run are in place now").says("nothing to run");
    assert_eq!(study.read("output/a.csv"), "x");
    assert!(study.read("metadata/manifest.json").contains("output/a.csv"));
    assert_eq!(study.volumes(), 0);
}

#[test]
fn links_that_come_with_a_repository_are_not_followed() {
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("precious"), "").unwrap();
    for link in ["metadata", "metadata/cloister", "metadata/cloister/objects", "metadata/cloister/state.sqlite"] {
        let study = one("open('output/a.csv', 'w').write('x')\n");
        let place = study.folder.join(link);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        let target = elsewhere.path().join(if link.ends_with("sqlite") { "precious" } else { "" });
        std::os::unix::fs::symlink(target, &place).unwrap();
        study.run(&["a"]).failed();
        study.cloister(&["clean", "--state", "--yes"]);
        study.cloister(&["plan"]);
        let left: Vec<_> = std::fs::read_dir(elsewhere.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(left, ["precious"], "{link}");
        assert_eq!(std::fs::read(elsewhere.path().join("precious")).unwrap(), b"", "{link}");
    }
}

#[test]
fn settings_cannot_command_the_terminal() {
    let study = one("1\n");
    study.write("cloister.toml", "[run]\nmemory = \"\\u001b]0;owned\\u0007\"\n");
    let ran = study.run(&["a"]).failed();
    assert!(!ran.err.contains('\u{1b}') && !ran.out.contains('\u{1b}'), "{}", ran.err);
}
