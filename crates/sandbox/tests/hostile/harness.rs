//! Runs a row: for each user and case first the control, then the attempt inside, then with one wall taken away.
//! What a script prints as `attempt: outcome` is compared with the row's table, line by line, nothing left over.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sandbox::{Limit, LimitHit, OutOfMemory, Root};

use crate::data::{self, Case, Control, Outcomes};
use crate::rig::{Done, MIB, PYTHON, Rig, Who, is_root, until};
use crate::world::World;

/// Both users. A machine that cannot show the rows of root fails, unless somebody says that this is known.
pub fn everyone() -> Vec<Who> {
    if is_root() {
        return vec![Who::Root, Who::Ordinary];
    }
    assert!(
        std::env::var_os("HOSTILE_ROWS_WITHOUT_ROOT").is_some(),
        "the hostile rows run as root and as an ordinary user; run this as root, or set HOSTILE_ROWS_WITHOUT_ROOT=1 to \
         leave those of root out (never in CI)"
    );
    vec![Who::Ordinary]
}

/// The whole row by its data.
pub fn check(test: &str) {
    check_with(test, Rig::run, |_, _, _| {});
}

/// With another way to run each rig, and a look at what came of it.
pub fn check_with(test: &str, run: impl Fn(&Rig) -> Done, look: impl Fn(&World, &Rig, &Done)) {
    let row = data::load(test);
    println!("{test}: {}", row.about);
    let folder = data::folder(test);
    for who in everyone() {
        for case in &row.case {
            let Some(who) = wanted(case, who) else { continue };
            let world = World::of(who);
            if case.planted {
                world.plant();
            }
            let place = Place { test, case, folder: &folder, who, world: &world };
            place.control();
            let without: Vec<&str> = case.without.iter().map(String::as_str).collect();
            let rig = place.rig(&without);
            let done = if case.stop_ms.is_some() { place.stopped(&rig) } else { run(&rig) };
            place.compare("inside", &done.lines, |outcomes| outcomes.inside.clone());
            place.ended(&done);
            world.nowhere(&rig);
            rig.leaves_nothing();
            assert!(world.process_lives(), "{test}: a process of the host was ended");
            look(&world, &rig, &done);
            assert_eq!(rig.call("remove", 0), serde_json::json!({}), "{test}");
            assert!(!rig.folder().exists(), "{test}: all of it goes away");
            if case.walls {
                place.walls();
            }
        }
    }
}

fn wanted(case: &Case, who: Who) -> Option<Who> {
    let Some(only) = &case.only else { return Some(who) };
    let wanted = match only.who.as_str() {
        "root" => Who::Root,
        "ordinary" => Who::Ordinary,
        other => panic!("nobody is {other:?}"),
    };
    (wanted == who).then_some(who)
}

/// `a|b`: one of them; `!a`: any but that.
fn fits(expected: &str, got: &str) -> bool {
    match expected.strip_prefix('!') {
        Some(but) => got != but,
        None => expected.split('|').any(|one| one == got),
    }
}

/// One case for one user.
struct Place<'a> {
    test: &'a str,
    case: &'a Case,
    folder: &'a Path,
    who: Who,
    world: &'a World,
}

impl Place<'_> {
    fn tell(&self, place: &str) -> String {
        format!("{} {} as {:?}, {place}", self.test, self.case.name.as_deref().unwrap_or(""), self.who)
    }

    fn argv(&self) -> Vec<String> {
        match &self.case.sh {
            Some(line) => vec!["sh".into(), "-c".into(), self.world.fill(line)],
            None => vec![PYTHON.into(), self.case.script.clone()],
        }
    }

    /// The files of the row, what all scripts share, and the targets.
    fn files(&self) -> Vec<(String, String)> {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let entries = std::fs::read_dir(self.folder).unwrap().flatten();
        let mut files: Vec<(String, String)> = entries
            .filter(|entry| entry.file_name() != "row.toml" && entry.path().is_file())
            .map(|entry| (entry.file_name().into_string().unwrap(), read(&entry.path())))
            .collect();
        files.push(("attempts.py".into(), read(&data::rows().join("attempts.py"))));
        files.push(("targets.json".into(), serde_json::to_string(&self.world.targets).unwrap()));
        files
    }

    /// Words that open descriptors and execute the rest.
    fn inherited(&self) -> Vec<String> {
        if !self.case.inherit {
            return Vec::new();
        }
        let file = self.world.home.path().join("home/database-url").display().to_string();
        ["bash", "-c", "exec 3<\"$0\" 500<\"$0\" 1000<\"$0\"; exec \"$@\"", &file].map(ToOwned::to_owned).to_vec()
    }

    fn rig(&self, without: &[&str]) -> Rig {
        let argv = self.argv();
        let mut rig = Rig::new(self.who, &argv.iter().map(String::as_str).collect::<Vec<_>>());
        for (path, text) in self.files() {
            rig = rig.file(&path, &text);
        }
        rig.env = vec![("SECRET_OF_THE_CALLER".into(), self.world.marker.clone())];
        rig.through = self.inherited();
        if self.case.prefix {
            rig.spec.root = Root::Host { prefixes: vec![self.world.home.path().join("tree")], overlays: Vec::new() };
        }
        if !without.is_empty() {
            rig.env.push(("SANDBOX_PROBE_WITHOUT".into(), serde_json::to_string(without).unwrap()));
        }
        if without.contains(&"mounts") {
            rig.spec.env.push(("HOST".into(), "/host".into()));
        }
        let (given, limits) = (&self.case.limits, &mut rig.spec.limits);
        given.memory_mib.inspect(|mib| limits.memory = mib * MIB);
        given.disk_mib.inspect(|mib| limits.disk = mib * MIB);
        given.files.inspect(|files| limits.files = *files);
        given.processes.inspect(|processes| limits.processes = *processes);
        given.log.inspect(|bytes| limits.log = *bytes);
        given.time_ms.inspect(|time| limits.time = Some(Duration::from_millis(*time)));
        given.grace_ms.inspect(|grace| rig.spec.grace = Duration::from_millis(*grace));
        rig
    }

    /// The same attempt where nothing should stop it.
    fn control(&self) {
        let outside = |outcomes: &Outcomes| outcomes.outside.clone().unwrap_or_else(|| outcomes.inside.clone());
        let lines = match self.case.control {
            Control::None => {
                assert!(self.case.no_control.is_some(), "{}: no control and no reason", self.test);
                return;
            }
            Control::WithoutFilter => self.rig(&["filter"]).run().lines,
            // Nobody but root could show it; `everyone` has already told that root's part is left out.
            Control::OutsideAsRoot if !is_root() => return,
            Control::OutsideAsRoot => self.outside(Who::Root, &[]),
            Control::Outside => self.outside(self.who, &[]),
            Control::Namespace => {
                let apart = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
                self.outside(self.who, &[&["unshare"], &apart[..], &["--net", "--ipc", "--uts"]].concat())
            }
        };
        self.compare(&format!("control ({:?})", self.case.control), &lines, outside);
    }

    fn outside(&self, who: Who, through: &[&str]) -> Vec<String> {
        let folder = tempfile::Builder::new().prefix("outside-").tempdir().unwrap();
        let own = |path: &Path| {
            if who == Who::Ordinary && is_root() {
                std::os::unix::fs::chown(path, Some(crate::rig::ORDINARY), Some(crate::rig::ORDINARY)).unwrap();
            }
        };
        own(folder.path());
        for (name, text) in self.files() {
            std::fs::write(folder.path().join(&name), text).unwrap();
            own(&folder.path().join(&name));
        }
        let through = self.inherited().into_iter().chain(through.iter().map(ToString::to_string));
        let words: Vec<String> = through.chain(self.argv()).collect();
        let mut command = who.command(&words);
        command
            .current_dir(folder.path())
            .env("SECRET_OF_THE_CALLER", &self.world.marker)
            .env("HOME", self.world.home.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Somebody types; most scripts never look.
        let _ = child.stdin.take().unwrap().write_all(b"typed");
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).lines().map(ToOwned::to_owned).collect()
    }

    fn walls(&self) {
        let outside = |outcomes: &Outcomes| {
            outcomes.neither.clone().or(outcomes.outside.clone()).unwrap_or_else(|| outcomes.inside.clone())
        };
        for without in [&["landlock"][..], &["mounts"], &["mounts", "landlock"]] {
            let rig = self.rig(without);
            let lines = rig.run().lines;
            self.compare(&format!("without {without:?}"), &lines, |outcomes| match without {
                ["landlock"] => outcomes.inside.clone(),
                ["mounts"] => outcomes.landlock_only.clone().unwrap_or_else(|| outcomes.inside.clone()),
                _ => outside(outcomes),
            });
        }
    }

    /// Runs it until the test stops it.
    fn stopped(&self, rig: &Rig) -> Done {
        let mut starter = rig.background(60_000);
        until("the run is ready", || rig.lines().contains(&"ready".to_owned()));
        if self.case.neighbour {
            let neighbour = Rig::sh(self.who, "echo done");
            assert_eq!(neighbour.run().succeeded().lines, ["done"], "{}", self.tell("beside it"));
            assert!(!rig.folder().join("exit.json").exists(), "{}", self.tell("it was still going on"));
        }
        let grace = self.case.stop_ms.unwrap_or_default();
        assert_eq!(rig.call("stop", grace), serde_json::json!({}), "{}", self.tell("stop"));
        let done = rig.done(&rig.call("wait", 0));
        starter.kill().unwrap();
        starter.wait().unwrap();
        done
    }

    /// Every attempt of the table was made, none besides, and each came out as it must.
    #[track_caller]
    fn compare(&self, place: &str, lines: &[String], expected: impl Fn(&Outcomes) -> String) {
        let place = self.tell(place);
        if self.case.attempts.is_empty() {
            return;
        }
        let mut made: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, outcome) in lines.iter().filter_map(|line| line.split_once(": ")) {
            if self.case.attempts.contains_key(name) {
                assert!(made.insert(name, outcome).is_none(), "{place}: {name} twice");
            } else {
                panic!("{place}: {name:?} is not in the table ({outcome})\n{}", lines.join("\n"));
            }
        }
        let mut wrong = Vec::new();
        for (name, outcomes) in &self.case.attempts {
            let expected = self.world.fill(&expected(outcomes));
            let got = made.get(name.as_str());
            if got.is_none() && expected.split('|').any(|one| one == "-") {
                continue;
            }
            if !got.is_some_and(|got| fits(&expected, got)) {
                wrong.push(format!("{name}: {} instead of {expected}", got.unwrap_or(&"not attempted")));
            }
        }
        assert!(wrong.is_empty(), "{place}\n  {}\nall of it:\n{}", wrong.join("\n  "), lines.join("\n"));
    }

    #[track_caller]
    fn ended(&self, done: &Done) {
        let (wanted, exit) = (&self.case.exit, &done.exit);
        let limit = match wanted.limit.as_deref() {
            None => LimitHit::None,
            Some("time") => LimitHit::Limit(Limit::Time),
            Some("stopped") => LimitHit::Stopped,
            Some("disk") => LimitHit::Limit(Limit::Disk),
            Some(other) => panic!("no limit is {other:?}"),
        };
        let memory = if wanted.out_of_memory { OutOfMemory::Yes } else { OutOfMemory::No };
        let told = (exit.code, exit.signal, exit.ended_by, exit.out_of_memory);
        assert_eq!(told, (wanted.code, wanted.signal, limit, memory), "{}\n{}", self.tell("its end"), done.text());
        if let Some(children) = wanted.children_out_of_memory {
            assert_eq!(exit.children_out_of_memory, children, "{}", self.tell("children"));
        }
        for line in &self.case.says {
            assert!(done.lines.contains(line), "{}: {line:?} is missing in\n{}", self.tell("its log"), done.text());
        }
    }
}
