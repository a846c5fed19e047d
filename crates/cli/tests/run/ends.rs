//! How a run ends that somebody ends: in order, at once, or not at all. Spec cli.md 4.2, 4.4; jobs.md 9, 18.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::rig::{Study, soon};

/// An action that says where it is and then waits; its process is told by the argument that nobody else has.
fn sleeper() -> (Study, String) {
    let mark = format!("mark-{}-{:?}", std::process::id(), std::thread::current().id()).replace(['(', ')'], "");
    let study = Study::of(
        &format!(
            "  sleep:\n    run: python:v2 analysis/sleep.py {mark}\n    outputs:\n      moderately_sensitive: {{o: output/a.csv}}\n  \
             next:\n    needs: [sleep]\n    run: python:v2 -c \"1\"\n    outputs:\n      moderately_sensitive: {{o: output/b.csv}}\n"
        ),
        &[("analysis/sleep.py", "import time\nopen('output/a.csv', 'w').write('x')\ntime.sleep(120)\n")],
    );
    (study, mark)
}

fn executing(child: &mut Child) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    for line in lines {
        if line.unwrap() == "sleep: executing" {
            return;
        }
    }
    panic!("it never ran");
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// Whether a process with this argument lives.
fn lives(mark: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .any(|words| words.split(|byte| *byte == 0).any(|word| word == mark.as_bytes()))
}

#[test]
fn signals_end_a_run_in_order() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let (study, mark) = sleeper();
        let mut child = study.start(&["run_all"]);
        executing(&mut child);
        assert!(soon(|| lives(&mark)));
        kill_process(pid(&child), signal).unwrap();
        let mut rest = String::new();
        child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(rest.contains("0 jobs succeeded, 1 cancelled, 1 not started"), "{rest}");
        assert!(!lives(&mark));
        assert_eq!(study.volumes(), 0);
        assert!(!study.has("output/a.csv"), "a cancelled job leaves nothing");
        // It is as if it had never run.
        study.cloister(&["plan"]).done().says("never run");
    }
}

#[test]
fn two_runs_of_one_folder_are_one_too_many() {
    let (study, _) = sleeper();
    let mut child = study.start(&["run_all"]);
    executing(&mut child);
    study
        .run(&["run_all"])
        .failed()
        .says(&format!("error[X104]: another `cloister` is running in this folder (process {})", child.id()));
    study.cloister(&["plan"]).done().says("already running");
    study.cloister(&["clean"]).failed().says("another `cloister`");
    kill_process(pid(&child), Signal::INT).unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_takes_its_jobs_with_it_and_the_next_repairs() {
    let (study, mark) = sleeper();
    let mut child = study.start(&["run_all"]);
    executing(&mut child);
    assert!(soon(|| lives(&mark)));
    kill_process(pid(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    assert!(soon(|| !lives(&mark)), "the sandbox outlived the run");
    study.cloister(&["plan"]).done().says("2 of 2 actions to run");
    study.write("analysis/sleep.py", "open('output/a.csv', 'w').write('x')\n");
    study.write("project.yaml", &study.read("project.yaml").replace("-c \"1\"", "-c \"open('output/b.csv', 'w')\""));
    let ran = study.run(&["run_all"]).done().says("an earlier run was interrupted; 2 jobs of it cancelled");
    assert_eq!(ran.ran(), ["sleep", "next"]);
    assert_eq!(study.volumes(), 0);
}

#[test]
fn clean_removes_what_a_killed_run_left() {
    let (study, mark) = sleeper();
    let mut child = study.start(&["run_all"]);
    executing(&mut child);
    kill_process(pid(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    assert!(soon(|| !lives(&mark)));
    study.write("output/old.csv", "mine");
    study.cloister(&["clean", "--dry-run"]).done().says("would remove ");
    assert_eq!(study.volumes(), 1);
    study.cloister(&["clean"]).done().says("removed ");
    assert_eq!(study.volumes(), 0);
    study.cloister(&["clean"]).done().says("nothing to remove");
    study.cloister(&["clean", "--state"]).failed().says("confirm with --yes");
    assert!(study.has("metadata/cloister/state.sqlite"));
    study.cloister(&["clean", "--state", "--yes"]).done();
    assert!(!study.has("metadata/cloister"));
    assert_eq!(study.read("output/old.csv"), "mine");
}

#[test]
fn a_run_goes_on_when_nobody_reads_and_ends_when_told_to() {
    let (study, mark) = sleeper();
    let mut child = study.start(&["run_all"]);
    executing(&mut child);
    // As when the window of a terminal is closed.
    drop(child.stdout.take());
    drop(child.stderr.take());
    kill_process(pid(&child), Signal::HUP).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(!lives(&mark));
    assert_eq!(study.volumes(), 0);
}

#[test]
fn what_was_up_to_date_is_so_after_an_interrupted_force() {
    let (study, _) = sleeper();
    let fine = "open('output/a.csv', 'w').write('x')\n";
    let slow = study.read("analysis/sleep.py");
    study.write("analysis/sleep.py", fine);
    let more = "  last:\n    needs: [next]\n    run: python:v2 -c \"open('output/c.csv', 'w')\"\n    outputs:\n      moderately_sensitive: {o: output/c.csv}\n";
    study.write(
        "project.yaml",
        &(study.read("project.yaml").replace("-c \"1\"", "-c \"open('output/b.csv', 'w')\"") + more),
    );
    study.run(&["run_all"]).done();
    study.write("analysis/sleep.py", &slow);
    let mut child = study.start(&["run_all", "-f"]);
    executing(&mut child);
    kill_process(pid(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
    child.wait().unwrap();
    study.write("analysis/sleep.py", fine);
    study.run(&["run_all"]).done().says("nothing to run");
}

/// Reading it whole would take many seconds; the first Ctrl-C is enough. A job may not write more than the disk has free,
/// so the file is no longer than any machine that builds this has room for.
#[test]
fn a_long_collection_is_stopped_in_the_middle() {
    let study = Study::of(
        "  big:\n    run: python:v2 -c \"open('output/big.csv', 'w').truncate(3 << 30)\"\n    outputs:\n      highly_sensitive: {o: output/big.csv}\n",
        &[],
    );
    let mut child = study.start(&["run_all"]);
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line == "big: recording outputs"));
    std::thread::sleep(Duration::from_millis(300));
    kill_process(pid(&child), Signal::INT).unwrap();
    let begin = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begin.elapsed() < Duration::from_secs(15), "it read on for {:?}", begin.elapsed());
    assert!(!study.has("output/big.csv"));
    assert_eq!(study.volumes(), 0);
}
