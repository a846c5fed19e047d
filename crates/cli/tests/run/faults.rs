//! One job's bad luck is its own: faults of this program, a lost supervisor, a full disk. Spec jobs.md 5, 8.

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::rig::{Ran, Study};

/// Four actions that need nothing of each other.
fn four() -> Study {
    let action = |name: &str| {
        format!(
            "  {name}:\n    run: python:v2 -c \"import time; time.sleep(0.4); open('output/{name}.txt', 'w').write('{name}')\"\n    outputs:\n      moderately_sensitive: {{o: output/{name}.txt}}\n"
        )
    };
    Study::of(&["unlucky", "a", "b", "c"].map(action).concat(), &[])
}

fn with_fault(study: &Study, fault: &str, words: &[&str]) -> Ran {
    study.with_env("CLOISTER_FAULT", fault, &[&["run"], words].concat())
}

const PLACES: [&str; 8] = [
    "claim.before",
    "claim.after",
    "prepare.before",
    "prepare.after",
    "launch.after",
    "exit.after",
    "collect.inside",
    "result.before",
];

#[test]
fn a_fault_of_ours_is_tried_again() {
    let study = four();
    for place in PLACES {
        let ran = with_fault(&study, &format!("panic@{place}#unlucky"), &["run_all", "-f", "-c", "4"]).done();
        assert!(ran.out.contains("4 jobs succeeded"), "{place}\n{}", ran.out);
        assert_eq!(study.volumes(), 0, "{place}");
    }
}

#[test]
fn a_fault_that_stays_ends_one_job_and_no_other() {
    for place in ["prepare.before", "collect.inside"] {
        let study = four();
        let fault = format!("panic@{place}:0#unlucky");
        let ran = with_fault(&study, &fault, &["run_all", "-c", "2", "--continue-on-error"]).failed();
        assert!(ran.out.contains("3 jobs succeeded, 1 failed"), "{place}\n{}\n{}", ran.out, ran.err);
        assert!(ran.out.contains("fault"), "{place}\n{}", ran.out);
        assert_eq!(study.volumes(), 0, "{place}");
        study.cloister(&["backend", "jobs"]).done().says("internal_error");
        // The next run has no fault.
        study.run(&["run_all"]).done().says("1 job succeeded");
    }
}

/// The supervisors below this process.
fn supervisors(program: u32) -> Vec<i32> {
    let of = |pid: i32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| of(*pid) == Some(program)).collect()
}

#[test]
fn a_lost_supervisor_is_followed_by_another_attempt() {
    let study = Study::of(
        "  slow:\n    run: python:v2 -c \"import time; time.sleep(1.5); open('output/a.txt', 'w')\"\n    outputs:\n      moderately_sensitive: {o: output/a.txt}\n",
        &[],
    );
    let mut child = study.start(&["run_all"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "slow: executing"));
    // It says so just before it starts the supervisor.
    let begin = Instant::now();
    let supervisor = loop {
        if let [one] = supervisors(child.id())[..] {
            break one;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "no supervisor was seen");
        std::thread::sleep(Duration::from_millis(10));
    };
    std::thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-9", &supervisor.to_string()]).status().unwrap();
    let out: String = lines.map(|line| line + "\n").collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("slow: Attempt 2 of 3 begins in"), "{out}");
    assert!(study.has("output/a.txt"));
    assert_eq!(study.volumes(), 0);
}
