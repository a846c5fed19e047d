//! Level `none`: its own folder, a clean environment, a time limit, and everything of it ended (spec sandbox.md 4).

use std::time::Duration;

use sandbox::{IsolationLevel, Limit, LimitHit};

use crate::rig::{Rig, everyone};

fn plain(rig: Rig) -> Rig {
    rig.with(|spec| spec.isolation = IsolationLevel::None)
}

#[test]
fn workspace_words_are_mapped_and_the_environment_is_clean() {
    for who in everyone() {
        let rig = plain(Rig::new(
            who,
            &["sh", "-c", "pwd; cat \"$1\"; env | sort | cut -d= -f1; echo $HOME", "sh", "/workspace/in"],
        ))
        .file("in", "given\n");
        let done = rig.run().succeeded();
        let run = rig.folder().canonicalize().unwrap();
        let at = |name: &str| run.join(name).display().to_string();
        assert_eq!(
            done.lines,
            [at("workspace"), "given".into(), "HOME".into(), "PATH".into(), "PWD".into(), at("tmp")]
        );
        assert_eq!(done.exit.isolation, IsolationLevel::None);
    }
}

#[test]
fn time_and_left_processes_end() {
    for who in everyone() {
        let rig = plain(Rig::sh(who, ""));
        let marker = rig.marker();
        let rig = rig.with(|spec| {
            spec.argv[2] =
                format!("(setsid sh -c 'sleep 60; : {marker}' &); trap '' TERM; while :; do sleep 0.1; done");
            spec.limits.time = Some(Duration::from_millis(400));
            spec.grace = Duration::from_millis(200);
        });
        let exit = rig.run().exit;
        assert_eq!((exit.ended_by, exit.signal), (LimitHit::Limit(Limit::Time), Some(9)), "{who:?}");
        rig.leaves_nothing();
    }
}

#[test]
fn it_is_no_substitute_for_isolation() {
    use sandbox::{NativeOptions, Runtime, Unisolated};
    let rig = Rig::sh(everyone()[0], "true");
    let answer = Unisolated::new(NativeOptions::default()).start(&rig.spec);
    assert!(answer.unwrap_err().to_string().contains("below the required"));
    assert!(!rig.folder().exists(), "nothing was started or made");
}

#[test]
fn codes_are_the_commands() {
    for who in everyone() {
        assert_eq!(plain(Rig::sh(who, "exit 7")).run().exit.code, 7);
        let answer = plain(Rig::new(who, &["no-such-program"])).call("run", 0).to_string();
        assert!(answer.contains("no-such-program"), "{answer}");
    }
}
