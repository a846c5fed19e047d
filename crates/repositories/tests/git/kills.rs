//! Killed at any instant, and many at once on one mirror: the next to come finds a mirror that can be used.
//! Spec jobs.md 9 (a process may be killed at any instant), 20.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use repositories::{Commit, Limits};
use rustix::fs::FlockOperation;
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::child;
use crate::https::Host;
use crate::rig::{Keep, Source, branch, git, mirrors};

fn start(root: &Path, source: &Source, commit: Commit) -> Child {
    let command = Command::new(std::env::current_exe().unwrap());
    let mut command = child::command(command, root, source, &commit.to_string());
    command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Every git that works below a folder, by the repository in its environment.
fn gits(root: &Path) -> Vec<Pid> {
    let wanted = format!("GIT_DIR={}", root.display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        let environ = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environ.split(|b| *b == 0).any(|variable| variable.starts_with(wanted.as_bytes())) {
            found.push(id);
        }
    }
    found
}

/// Numbers that look random and are the same in every run.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn killed_at_any_instant_a_mirror_stays_usable() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 200);
    let mut head = line[199];
    let mut seed = 20;
    // How long it takes undisturbed sets the range of the kills.
    let unkilled = dir.path().join("unkilled");
    fs::create_dir(&unkilled).unwrap();
    let began = Instant::now();
    start(&unkilled, &source, line[60]).wait().unwrap();
    let whole = began.elapsed();
    assert_eq!(child::report(&unkilled).len(), 3);
    let mut cut_short = 0;
    for round in 0..200_usize {
        if cut_short == 12 {
            return;
        }
        // Half of the rounds on one mirror that lives on, where the branch moves; half on a fresh one, deep in the past.
        let text = format!("version: 3 # round {round}\n");
        head = source.simple("main", &text, &[&head.to_string()]);
        let (root, commit, text) = match round % 2 {
            0 => (dir.path().join("lasting"), head, text),
            _ => {
                (dir.path().join(format!("fresh{round}")), line[round % 100], format!("version: 3 # {}\n", round % 100))
            }
        };
        fs::create_dir_all(&root).unwrap();
        let _ = fs::remove_file(root.join("report"));
        let mut child = start(&root, &source, commit);
        // A branch that only moved on takes about half as long.
        let share = if round % 2 == 0 { 0.4 } else { 0.8 };
        std::thread::sleep(whole.mul_f64(share * next(&mut seed) as f64 / f64::from(u32::MAX >> 1)));
        child.kill().unwrap();
        child.wait().unwrap();
        // Every third time git lives on, as it does when only we are killed.
        if round % 3 != 0 {
            for id in gits(&root) {
                let _ = rustix::process::kill_process(id, Signal::KILL);
            }
        }
        cut_short += usize::from(!root.join("report").exists());
        let found = mirrors(&root.join("mirrors")).ensure(&source.repo(), &branch("main"), commit).unwrap();
        found.read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap();
        assert_eq!(found.project_file().unwrap().bytes, text.as_bytes());
        for left in ["shallow.lock", "packed-refs.lock"] {
            assert!(!found.mirror().join(left).exists(), "{left}");
        }
        if round % 8 >= 6 {
            git(found.mirror(), &["fsck", "--strict", "--no-dangling"], b"");
        }
    }
    panic!("only {cut_short} of 200 were killed in the middle");
}

#[test]
fn what_a_killed_git_leaves_is_cleared_away() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 30);
    let mirrors = mirrors(&dir.path().join("mirrors"));
    let found = mirrors.ensure(&source.repo(), &branch("main"), line[29]).unwrap();
    let left = [
        "shallow.lock",
        "packed-refs.lock",
        "config.lock",
        "HEAD.lock",
        "objects/pack/tmp_pack_abc",
        "objects/pack/tmp_idx_abc",
        "refs/cloister/x.lock",
        "shallow_AbCdEf",
    ];
    for name in left {
        fs::write(found.mirror().join(name), "left over").unwrap();
    }
    // Positive control: git by itself gets stuck.
    let mut stuck = Command::new("git");
    stuck.env("GIT_DIR", found.mirror()).args(["fetch", "-q", "--depth=20"]).arg(&source.path).arg("main");
    assert!(!stuck.output().unwrap().status.success());
    mirrors.ensure(&source.repo(), &branch("main"), line[3]).unwrap();
    for name in left {
        assert!(!found.mirror().join(name).exists(), "{name}");
    }
}

#[test]
fn many_at_once_on_one_mirror() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 200);
    let shared = dir.path().join("mirrors");
    let roots: Vec<_> = (0..6).map(|n| dir.path().join(format!("root{n}"))).collect();
    let mut children = Vec::new();
    for (n, root) in roots.iter().enumerate() {
        fs::create_dir(root).unwrap();
        fs::create_dir_all(&shared).unwrap();
        std::os::unix::fs::symlink(&shared, root.join("mirrors")).unwrap();
        children.push(start(root, &source, line[n * 39]));
    }
    let one = mirrors(&shared);
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (one, source, line) = (&one, &source, &line);
            scope.spawn(move || one.ensure(&source.repo(), &branch("main"), line[n * 50]).unwrap());
        }
    });
    for (n, (mut child, root)) in children.into_iter().zip(&roots).enumerate() {
        assert!(child.wait().unwrap().success());
        assert_eq!(child::report(root)[1], format!("project.yaml = version: 3 # {}\\n", n * 39));
    }
    let found = one.ensure(&source.repo(), &branch("main"), line[0]).unwrap();
    git(found.mirror(), &["fsck", "--strict", "--no-dangling"], b"");
}

#[test]
fn a_git_that_outlives_us_keeps_the_lock() {
    let host = Host::start();
    let root = host.dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let nothing = Source { path: host.dir.path().to_owned() };
    let command = Command::new(std::env::current_exe().unwrap());
    let mut command = child::command(command, &root, &nothing, &host.line[3].to_string());
    command.env("CHILD_URL", host.url("slow")).env("CHILD_CA", host.dir.path().join("certificate.pem"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while host.asked().is_empty() {
        assert!(Instant::now() < until, "git never asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!gits(&root).is_empty(), "git goes on by itself");
    let mirror = root.join(format!(
        "mirrors/localhost+{}/slow/one.git",
        host.repo("slow").to_string()[18..].split('/').next().unwrap()
    ));
    let lock = File::open(mirror.join("cloister.lock")).unwrap();
    assert!(rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared).is_err(), "locked by git alone");
    drop(lock);
    let found = repositories::Mirrors::open(host.settings("root/mirrors"))
        .unwrap()
        .ensure(&host.repo("slow"), &branch("main"), host.line[3])
        .unwrap();
    assert_eq!(found.project_file().unwrap().bytes, b"version: 3 # 3\n");
}

#[test]
fn a_git_that_outlives_us_ends_in_time() {
    let dir = TempDir::new().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    // A source that takes the connection and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/a/b", silent.local_addr().unwrap().port());
    let nothing = Source { path: dir.path().to_owned() };
    let command = Command::new(std::env::current_exe().unwrap());
    let mut command = child::command(command, &root, &nothing, &"1".repeat(40));
    command.env("CHILD_URL", url).env("CHILD_LIMIT", "1");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (connection, _) = silent.accept().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !gits(&root).is_empty() {
        assert!(Instant::now() < until, "git waits for ever");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(connection);
}
