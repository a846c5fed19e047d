//! A command that is ended at any instant leaves the folder as it was, or as it is to be.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use crate::rig::Rig;
use crate::server::{Reply, csv};

#[test]
fn a_kill_at_any_instant_leaves_the_old_folder_or_the_new() {
    let rig = Rig::default();
    let ids: Vec<String> = (0..8).map(|n| format!("org/list-{n}/v1")).collect();
    rig.write("codelists/codelists.txt", &ids.join("\n"));
    rig.write("codelists/README.md", "ours");
    let serve = |generation: usize| {
        for id in &ids {
            rig.server.list(id, csv(&format!("code\n{}", format!("{generation}\n").repeat(2000))));
        }
    };
    serve(0);
    assert_eq!(rig.cloister(&["update"]).code, Some(0));
    let (mut killed, mut done) = (0, 0);
    for round in 1..=40_usize {
        serve(round);
        let mut child = rig.command(&["update"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis((round as u64 * 7) % 60));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if status.signal() == Some(9) {
            killed += 1
        } else {
            done += 1
        }
        let generations: Vec<String> = (0..8)
            .map(|n| rig.read(&format!("codelists/org-list-{n}.csv")).lines().nth(1).unwrap().to_owned())
            .collect();
        assert!(generations.iter().all(|generation| *generation == generations[0]), "{generations:?}");
        let checked = rig.cloister(&["check", "--offline"]);
        assert_eq!(checked.code, Some(0), "after {killed} kills: {}", checked.err);
        assert_eq!(rig.read("codelists/README.md"), "ours");
    }
    assert!(killed > 0, "{done} were too fast to be killed");
    assert_eq!(rig.cloister(&["update"]).code, Some(0));
    let mut left: Vec<_> = fs::read_dir(rig.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["codelists", "project.yaml"]);
}

#[test]
fn ctrl_c_exits_130_and_term_143() {
    let rig = Rig::default();
    rig.server.list("org/slow/v1", Reply::Silent);
    for (signal, code) in [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 143)] {
        let mut child = rig.command(&["add", "org/slow/v1"]).spawn().unwrap();
        let asked = rig.server.asked().len();
        while rig.server.asked().len() == asked {
            std::thread::sleep(Duration::from_millis(5));
        }
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
    assert!(!rig.path("codelists").exists());
}
