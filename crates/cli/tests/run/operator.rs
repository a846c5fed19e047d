//! An operator beside a run: modes, kills and cancels reach it at once. Spec jobs.md 6, 7, 8, 21.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::rig::{Ran, Study};

/// Three actions in a row; the middle one sleeps that long.
fn a_study(seconds: f32) -> Study {
    Study::of(
        &format!(
            "  first:\n    run: python:v2 -c \"open('output/first.txt', 'w').write('1')\"\n    outputs:\n      moderately_sensitive: {{o: output/first.txt}}\n  \
             middle:\n    needs: [first]\n    run: python:v2 -c \"import time; time.sleep({seconds}); open('output/middle.txt', 'w').write('2')\"\n    outputs:\n      moderately_sensitive: {{o: output/middle.txt}}\n  \
             last:\n    needs: [middle]\n    run: python:v2 -c \"open('output/last.txt', 'w').write('3')\"\n    outputs:\n      moderately_sensitive: {{o: output/last.txt}}\n"
        ),
        &[],
    )
}

fn backend(study: &Study, words: &[&str]) -> Ran {
    study.cloister(&[&["backend"], words].concat())
}

fn status(study: &Study) -> Value {
    serde_json::from_str(&backend(study, &["status", "--json"]).done().out).unwrap()
}

/// The code of an action's open job.
fn code(seen: &Value, action: &str) -> Option<String> {
    let jobs = seen["jobs"].as_array().unwrap();
    let job = jobs.iter().find(|job| job["action"] == action)?;
    Some(job["code"].as_str().unwrap().to_owned())
}

/// Waits until the open job of an action has this code; gives its id and its request's.
#[track_caller]
fn until(study: &Study, action: &str, wanted: &str) -> (String, String) {
    let begin = Instant::now();
    loop {
        if study.has("metadata/cloister/state.sqlite") {
            let seen = status(study);
            if code(&seen, action).as_deref() == Some(wanted) {
                let job = seen["jobs"].as_array().unwrap().iter().find(|job| job["action"] == action).unwrap();
                return (job["job"].as_str().unwrap().to_owned(), job["request"].as_str().unwrap().to_owned());
            }
            assert!(begin.elapsed() < Duration::from_secs(60), "{action} never is {wanted}: {seen}");
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn end(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

#[test]
fn nothing_starts_while_paused() {
    let study = a_study(0.0);
    backend(&study, &["pause", "on"]).failed().says("nothing has run in this folder yet");
    study.run(&["first"]).done();
    backend(&study, &["pause", "on", "--why", "a visit"]).done().says("holds for the next one");
    let since = status(&study)["modes"][0]["since"].clone();
    backend(&study, &["status"]).done().says("paused since ").says(": a visit");
    let run = study.start(&["run_all"]);
    until(&study, "middle", "paused");
    until(&study, "last", "paused");
    backend(&study, &["pause", "on"]).done().says("the run has been told");
    assert_eq!(status(&study)["modes"][0]["since"], since, "a mode set again keeps its time");
    backend(&study, &["pause", "off"]).done().says("the run has been told");
    end(run).done().says("paused: nothing starts").says("2 jobs succeeded");
}

#[test]
fn a_paused_run_can_be_interrupted() {
    let study = a_study(0.0);
    study.run(&["first"]).done();
    backend(&study, &["pause", "on"]).done();
    let run = study.start(&["run_all"]);
    until(&study, "middle", "paused");
    Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    let ran = end(run);
    assert_eq!(ran.code, Some(130), "{}\n{}", ran.out, ran.err);
}

#[test]
fn what_runs_carries_on_while_paused() {
    let study = a_study(1.5);
    let run = study.start(&["run_all"]);
    until(&study, "middle", "executing");
    backend(&study, &["pause", "on"]).done();
    until(&study, "last", "paused");
    assert!(study.has("output/middle.txt") || code(&status(&study), "middle").as_deref() == Some("executing"));
    backend(&study, &["pause", "off"]).done();
    end(run).done().says("3 jobs succeeded");
}

#[test]
fn a_drained_job_goes_back_to_its_place() {
    let study = a_study(1.5);
    let run = study.start(&["run_all"]);
    let (job, _) = until(&study, "middle", "executing");
    backend(&study, &["drain", "--status"]).failed().says("NOT READY");
    backend(&study, &["drain"]).failed().says("confirm with --yes");
    backend(&study, &["drain", "--yes"]).done();
    until(&study, "middle", "waiting_on_reboot");
    until(&study, "last", "paused");
    backend(&study, &["drain", "--status"]).done().says("READY");
    backend(&study, &["pause", "on"]).done();
    until(&study, "middle", "waiting_on_reboot");
    backend(&study, &["pause", "off"]).done();
    backend(&study, &["drain", "--end"]).done();
    end(run).done().says("3 jobs succeeded");
    let seen: Value = serde_json::from_str(&backend(&study, &["job", &job[..6], "--json"]).done().out).unwrap();
    let codes: Vec<_> = seen["history"].as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["waiting_on_reboot", "succeeded"]);
    assert_eq!(study.volumes(), 0);
}

#[test]
fn maintenance_keeps_only_database_jobs() {
    let study = Study::of(
        "  extract:\n    run: sqlrunner:v1 --output output/rows.csv --dummy-data-file dummy.csv query.sql\n    outputs:\n      highly_sensitive: {o: output/rows.csv}\n  \
         plain:\n    run: python:v2 -c \"open('output/plain.txt', 'w')\"\n    outputs:\n      moderately_sensitive: {o: output/plain.txt}\n",
        &[
            ("query.sql", "-- AllowedPatientsWithTypeOneDissent: dummy data\nSELECT patient_id FROM patients"),
            ("dummy.csv", "patient_id\n1\n"),
        ],
    );
    study.run(&["plain"]).done();
    backend(&study, &["maintenance", "on"]).done();
    let run = study.start(&["run_all", "-f"]);
    until(&study, "extract", "waiting_db_maintenance");
    let begin = Instant::now();
    while code(&status(&study), "plain").is_some() {
        assert!(begin.elapsed() < Duration::from_secs(60), "what reads no database goes on");
        std::thread::sleep(Duration::from_millis(30));
    }
    assert_eq!(code(&status(&study), "extract").as_deref(), Some("waiting_db_maintenance"));
    backend(&study, &["maintenance", "off"]).done();
    end(run).done().says("2 jobs succeeded");
}

#[test]
fn a_killed_job_is_tried_again_and_a_failed_one_is_not() {
    let study = a_study(1.5);
    let run = study.start(&["run_all"]);
    let (job, _) = until(&study, "middle", "executing");
    backend(&study, &["kill", &job]).done().says("the run has been told");
    let again = end(run).done().says("Stopped by an operator").says("3 jobs succeeded");
    assert_eq!(again.out.matches("middle: executing").count(), 2, "{}", again.out);

    let run = study.start(&["run_all", "-f"]);
    let (job, _) = until(&study, "middle", "executing");
    backend(&study, &["kill", &job, "--fail", "--why", "too heavy"]).done();
    end(run).failed().says("Stopped by an operator");
    backend(&study, &["job", &job]).done().says("killed_by_admin").says(": too heavy");
    backend(&study, &["kill", &job]).failed().says("has ended already: killed_by_admin");
}

#[test]
fn a_request_is_cancelled_from_outside() {
    let study = a_study(30.0);
    let run = study.start(&["run_all"]);
    let (_, request) = until(&study, "middle", "executing");
    backend(&study, &["cancel", &request, "nothing"]).failed().says("nothing was cancelled");
    let begin = Instant::now();
    backend(&study, &["cancel", &request[..8]])
        .done()
        .says("1 cancelled, 1 running to be ended")
        .says("1 had ended before");
    end(run).failed();
    assert!(begin.elapsed() < Duration::from_secs(20), "it did not wait for the job's own end");
    assert!(!study.has("output/middle.txt"));
    assert_eq!(study.volumes(), 0);
    backend(&study, &["jobs"]).done().says("cancelled_by_user");
}

#[test]
fn a_log_is_followed_while_its_job_runs() {
    let study = Study::of(
        "  talk:\n    run: python:v2 analysis/talk.py\n    outputs:\n      moderately_sensitive: {o: output/a.txt}\n",
        &[(
            "analysis/talk.py",
            "import time\nfor n in range(5):\n    print('line', n, flush=True); time.sleep(0.3)\nopen('output/a.txt', 'w')\n",
        )],
    );
    let run = study.start(&["run_all"]);
    let (job, _) = until(&study, "talk", "executing");
    let told = backend(&study, &["logs", &job[..6], "--follow"]).done();
    let lines: Vec<_> = told.out.lines().filter_map(|line| line.split_once(" line ")).map(|(_, n)| n).collect();
    assert_eq!(lines, ["0", "1", "2", "3", "4"], "{}", told.out);
    end(run).done();
    study.cloister(&["logs", "talk", "--follow"]).done().says("line 4").says("JOB SUMMARY");
    study.cloister(&["logs", "talk", "--lines", "3"]).done().says("moderately_sensitive");
    study.cloister(&["logs", "nothing", "--follow"]).failed().says("X103");
    backend(&study, &["logs", &job]).done().says("line 4").says("JOB SUMMARY");
    study.run(&["talk"]).done();
    backend(&study, &["logs", &job]).failed().says("a newer run of its action");
}
