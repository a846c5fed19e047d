//! `kill -9` at instants spread over an action, and at those when its files are in the making: afterwards a name holds the
//! result of an undisturbed run, or what it held before, and the next run works.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::kinds::{self, Kind};
use crate::rig::{Age, Files, Rig, ran};

/// Kills spread over the whole run.
const SPREAD: u32 = 8;
/// Kills while a file without its name is there, and after how many runs they are given up.
const IN_THE_MAKING: usize = 6;
const MOST_RUNS: usize = 120;

fn start(rig: &Rig) -> Child {
    rig.command().stderr(Stdio::null()).spawn().unwrap()
}

/// Kills it; says whether it was still running.
fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.signal() == Some(9) || ended.success(), "{ended:?}");
    ended.signal() == Some(9)
}

/// Waits until the run has begun a file, or has ended.
fn until_it_writes(rig: &Rig, child: &mut Child, before: &BTreeSet<String>) {
    let folder = rig.study().join(rig.kind.results[0]).parent().unwrap().to_owned();
    let begun = || {
        let names = fs::read_dir(&folder).into_iter().flatten().flatten();
        names.map(|entry| entry.file_name().into_string().unwrap()).any(|name| !before.contains(&name))
    };
    while !begun() && child.try_wait().unwrap().is_none() {}
}

struct Round<'a> {
    rig: &'a Rig,
    old: &'a Files,
    new: &'a Files,
}

impl Round<'_> {
    /// Every second time older results stand there.
    fn prepare(&self, replaces: bool) -> BTreeSet<String> {
        self.rig.replace_results(replaces.then_some(self.old));
        let names = self.rig.temporary().into_iter().chain(self.rig.results().into_keys());
        names.map(|name| name.rsplit('/').next().unwrap().to_owned()).collect()
    }

    fn check(&self, replaces: bool, when: &str) {
        let found = self.rig.results();
        for (name, whole) in self.new {
            match found.get(name) {
                None => assert!(!replaces, "{when}: the old {name} is gone"),
                Some(bytes) => {
                    let is_old = replaces && self.old.get(name) == Some(bytes);
                    assert!(is_old || bytes == whole, "{when}: {name} is neither old nor new, {} bytes", bytes.len());
                }
            }
        }
        let left = self.rig.temporary();
        let done = ran(&mut self.rig.command());
        assert_eq!(done.code, Some(0), "{when}: {}", done.err);
        assert!(self.rig.results() == *self.new, "{when}: the next run gives other results");
        // What a kill leaves is stepped over; a run that ends leaves nothing of its own.
        assert_eq!(self.rig.temporary(), left, "{when}");
    }
}

fn any_instant(kind: &'static Kind) {
    let rig = Rig::new(kind);
    let old = rig.whole(Age::Old);
    let begin = Instant::now();
    let new = rig.whole(Age::New);
    let usual = begin.elapsed();
    assert!(old != new, "the two ages differ");
    assert!(rig.temporary().is_empty());
    let round = Round { rig: &rig, old: &old, new: &new };
    let mut killed = 0;
    for turn in 0..SPREAD {
        let replaces = turn % 2 == 1;
        round.prepare(replaces);
        let child = start(&rig);
        std::thread::sleep(usual * (2 * turn + 1) / (2 * SPREAD));
        killed += usize::from(kill(child));
        round.check(replaces, &format!("killed at {turn} of {SPREAD}"));
    }
    assert!(killed > 0, "it was always too fast");
    let (mut struck, mut runs) = (0, 0);
    while struck < IN_THE_MAKING {
        assert!(runs < MOST_RUNS, "killed {struck} times while a file was in the making");
        let replaces = runs % 2 == 1;
        let before = round.prepare(replaces);
        let left = rig.temporary();
        let mut child = start(&rig);
        until_it_writes(&rig, &mut child, &before);
        std::thread::sleep(Duration::from_millis(runs as u64 % 4));
        kill(child);
        let strikes = rig.temporary().len() > left.len();
        struck += usize::from(strikes);
        runs += 1;
        round.check(replaces, &format!("killed in the making, run {runs}"));
    }
}

macro_rules! killed {
    ($($name:ident: $kind:ident,)*) => { $(
        #[test]
        fn $name() {
            any_instant(&kinds::$kind);
        }
    )* };
}

kinds::each!(killed);
