//! Rows that need more than a table: somebody kills, or looks on from outside.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use sandbox::LimitHit;

use crate::data;
use crate::harness::{check_with, everyone};
use crate::rig::{PYTHON, Rig, Who, until};

pub const SPECIAL: &[&str] =
    &["row_06_read_only", "row_28_logs", "row_31_daemon", "row_51_kills", "row_52_missing_walls"];

/// The tree of programs is byte for byte what it was.
#[test]
fn row_06_read_only() {
    check_with("row_06_read_only", Rig::run, |world, _, _| {
        let lib = world.home.path().join("tree/lib");
        let names: Vec<_> = fs::read_dir(&lib).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["data.txt"]);
        assert_eq!(fs::read_to_string(lib.join("data.txt")).unwrap(), "as it was\n");
    });
}

/// Whatever a run prints, its supervisor stays small, and so does the log.
#[test]
fn row_28_logs() {
    let run = |rig: &Rig| {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| rig.run());
            let mut peak = 0;
            while !running.is_finished() {
                peak = peak.max(supervisors_peak(rig).unwrap_or(0));
                std::thread::sleep(Duration::from_millis(5));
            }
            assert!((1..16 << 10).contains(&peak), "the supervisor held {peak} KiB");
            running.join().unwrap()
        })
    };
    check_with("row_28_logs", run, |_, rig, done| {
        let size = fs::metadata(rig.folder().join("log")).unwrap().len();
        assert!(size <= rig.spec.limits.log + 200, "{size} bytes of log");
        let marks = done.lines.iter().filter(|line| line.contains("bytes of output left out")).count();
        let cut = done.lines.len() > 1;
        assert_eq!(marks, usize::from(cut), "{}", &done.text()[..200.min(done.text().len())]);
        assert!(
            done.lines.iter().all(|line| line.len() <= 3 * (64 << 10)),
            "a line is at most 64 KiB (lossy text: thrice)"
        );
    });
}

/// In KiB, while it lives.
fn supervisors_peak(rig: &Rig) -> Option<u64> {
    let born: serde_json::Value = serde_json::from_slice(&fs::read(rig.folder().join("born.json")).ok()?).ok()?;
    let status = fs::read_to_string(format!("/proc/{}/status", born["supervisor"])).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_ascii_whitespace().next()?.parse().ok())
}

/// When the run has ended nobody writes any more.
#[test]
fn row_31_daemon() {
    check_with("row_31_daemon", Rig::run, |_, rig, _| {
        let size = || fs::metadata(rig.folder().join("workspace/out")).unwrap().len();
        let before = size();
        std::thread::sleep(Duration::from_millis(200));
        assert!(before > 0 && size() == before);
    });
}

/// A run that marks its processes and would go on for a minute, without a parent to die with.
fn long(who: Who) -> Rig {
    let rig = Rig::new(who, &["sh", "-c", ""]);
    let marker = rig.marker();
    rig.with(|spec| {
        spec.argv[2] = format!("(setsid sh -c 'sleep 60; : {marker}' &); echo ready; sleep 60; : {marker}");
        spec.die_with_parent = false;
    })
}

fn processes(rig: &Rig) -> usize {
    let marker = rig.marker();
    let lives = |entry: &fs::DirEntry| {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&marker)
    };
    fs::read_dir("/proc").unwrap().flatten().filter(lives).count()
}

fn kill(process: &serde_json::Value) {
    let number = i32::try_from(process.as_i64().unwrap()).unwrap();
    let process = rustix::process::Pid::from_raw(number).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
}

fn born(rig: &Rig) -> serde_json::Value {
    serde_json::from_slice(&fs::read(rig.folder().join("born.json")).unwrap()).unwrap()
}

#[test]
fn row_51_kills() {
    println!("{}", data::load("row_51_kills").about);
    for who in everyone() {
        for (supervisor, backend) in [(true, false), (false, true), (true, true)] {
            let rig = long(who);
            let mut starter = rig.background(if backend { 60_000 } else { 0 });
            until("it runs", || rig.lines().contains(&"ready".to_owned()) && processes(&rig) >= 2);
            if backend {
                starter.kill().unwrap();
            }
            starter.wait().unwrap();
            if supervisor {
                kill(&born(&rig)["supervisor"]);
                until("the run ends", || processes(&rig) == 0);
                let answer = rig.call("wait", 0).to_string();
                assert!(answer.contains("was lost"), "{who:?} {answer}");
            } else {
                // Another process adopts it: waits, and may end it.
                std::thread::sleep(Duration::from_millis(200));
                assert!(processes(&rig) >= 2, "{who:?}: it goes on");
                assert_eq!(rig.call("stop", 3000), serde_json::json!({}));
                let exit = rig.done(&rig.call("wait", 0)).exit;
                assert_eq!((exit.ended_by, exit.code), (LimitHit::Stopped, 143), "{who:?}");
            }
            rig.leaves_nothing();
            let owner = |name: &str| fs::metadata(rig.folder().join(name)).unwrap().uid();
            assert_eq!(owner("workspace"), owner("log"), "{who:?}: given back");
            assert_eq!(rig.call("remove", 0), serde_json::json!({}), "{who:?}");
            assert!(!rig.folder().exists());
        }
    }
}

/// What is required is asked of the program itself: a new one is in the test from its first day.
#[test]
fn row_52_missing_walls() {
    let refuse = data::folder("row_52_missing_walls").join("refuse.py").display().to_string();
    let text = fs::read_to_string(&refuse).unwrap();
    for who in everyone() {
        let found = Rig::sh(who, "true").call("probe", 0);
        let items = found["items"].as_array().unwrap().clone();
        let required: Vec<&str> =
            items.iter().filter(|item| item["required"] == true).map(|item| item["name"].as_str().unwrap()).collect();
        assert!(
            required.len() >= 16 && items.iter().all(|item| item["required"] == false || item["state"]["Ok"].is_null())
        );
        for name in required {
            assert!(text.contains(&format!("\"{name}\":")), "refuse.py knows no way to take away {name:?}");
            let mut rig = Rig::sh(who, "touch /workspace/started");
            // Where the ordinary user can read it.
            let copy = rig.home.path().join("refuse.py");
            fs::write(&copy, &text).unwrap();
            rig.through = [PYTHON, &copy.display().to_string(), name].map(ToOwned::to_owned).to_vec();
            let probed = rig.call("probe", 0);
            let item = probed["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap().clone();
            let said = item["state"]["Err"].as_str().unwrap_or_default();
            assert!(said.lines().count() >= 2, "{who:?} {name}: a reason and a remedy in {item}");
            let answer = rig.call("run", 0).to_string();
            assert!(answer.contains("cannot isolate study code") && answer.contains(name), "{who:?} {name}: {answer}");
            assert!(!rig.folder().join("workspace/started").exists(), "{who:?} {name}: a study process was started");
            rig.leaves_nothing();
        }
    }
}
