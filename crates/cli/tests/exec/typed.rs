//! Words, variables, streams and exit codes.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::rig::{Rig, Who, everyone, is_root, own};

#[test]
fn everything_after_the_image_belongs_to_the_command() {
    for who in everyone() {
        let rig = Rig::new(who);
        let show = "import sys; print(sys.argv[1:])";
        let ran = rig.exec(&["python:v2", "python", "-c", show, "--help", "-e", "A=b", "--", "-v"]).gives(0);
        assert_eq!(ran.out, "['--help', '-e', 'A=b', '--', '-v']\n");
        let ran = rig.exec(&["python:v2", "-c", show, "-q", "--offline"]).gives(0);
        assert_eq!(ran.out, "['-q', '--offline']\n", "the default executable gets what is no program");
        let ran = rig.exec(&["--entrypoint", "sh", "python:v2", "-c", "echo $0 $1", "x", "y"]).gives(0);
        assert_eq!(ran.out, "x y\n");
    }
}

#[test]
fn the_exit_code_is_the_commands() {
    for who in everyone() {
        let rig = Rig::new(who);
        rig.python("raise SystemExit(7)").gives(7);
        rig.python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").gives(139);
        assert!(rig.left().is_empty(), "{:?}", rig.left());
    }
    let rig = Rig::new(everyone()[0]);
    rig.exec(&["--nonsense", "python:v2"]).gives(2);
    rig.exec(&[]).gives(2);
    rig.exec(&["-m", "1M", "python:v2"]).gives(2);
    rig.exec(&["-u", "somebody", "python:v2"]).gives(2);
    rig.exec(&["-e", "=x", "python:v2"]).gives(2);
    let no = rig.exec(&["nothing:v1"]).gives(1);
    assert!(no.err.starts_with("error[X206]: nothing:v1"), "{}", no.err);
    let no = rig.exec(&["--entrypoint", "no-such-program", "python:v2"]).gives(1);
    assert!(no.err.contains("no such program in PATH"), "{}", no.err);
    let wrong = rig.exec(&["cohortextractor:v1", "generate_codelist_report"]).gives(2);
    assert!(wrong.err.contains("error[bad_argument]: --codelist-path is missing"), "{}", wrong.err);
}

#[test]
fn streams_pass_through() {
    for who in everyone() {
        let rig = Rig::new(who);
        let script = "import sys; print(sys.stdin.read().upper()); print('no', file=sys.stderr)";
        let ran = rig.exec_with(&["python:v2", "python", "-c", script], "x\ny").gives(0);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("X\nY\n", "no\n"));
        let big = "a".repeat(3_000_000);
        let ran = rig.exec_with(&["python:v2", "-c", "import sys; sys.stdout.write(sys.stdin.read())"], &big).gives(0);
        assert!(ran.out == big);
    }
}

#[test]
fn variables_are_those_of_a_job_and_those_that_were_given() {
    for who in everyone() {
        let rig = Rig::new(who);
        let script =
            "import os; print([os.environ.get(n) for n in ('HOME', 'OPENSAFELY_BACKEND', 'A', 'MINE', 'NOT')])";
        let mut command = rig.command(&[], &["-e", "A=b=c", "-e", "MINE", "-e", "NONE", "python:v2", "-c", script]);
        let out = command.env("MINE", "own").env("NOT", "passed").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), "['/tmp', 'expectations', 'b=c', 'own', None]\n");
        let ran = rig.exec(&["-e", "OPENSAFELY_BACKEND=tpp", "-e", "HOME=/x", "python:v2", "-c", script]).gives(0);
        assert_eq!(ran.out, "['/x', 'tpp', None, None, None]\n");
    }
}

#[test]
fn the_user_inside_is_as_asked_and_never_of_power() {
    for who in everyone() {
        let rig = Rig::new(who);
        let script = "import os; print(os.getuid(), os.getgid()); print(open('/proc/self/status').read())";
        for (words, ids) in [(&[][..], "10000 10000"), (&["-u", "root"], "0 0"), (&["-u", "5:6"], "5 6")] {
            let words = [words, &["python:v2", "-c", script]].concat();
            let ran = rig.exec(&words).gives(0);
            assert!(ran.out.starts_with(ids), "{}", ran.out);
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                assert!(ran.out.contains(&format!("{set}:\t0000000000000000")), "{}", ran.out);
            }
        }
    }
}

#[test]
fn the_folder_is_live_and_files_belong_to_its_owner() {
    for who in everyone() {
        let rig = Rig::new(who);
        fs::write(rig.folder().join("in.txt"), "here").unwrap();
        if is_root() {
            // Root works in a user's folder; an ordinary user in the own one.
            own(&rig.folder(), 54_321);
        }
        let script =
            "import os; os.makedirs('output/deep'); open('output/deep/out.txt', 'w').write(open('in.txt').read())
os.chmod('in.txt', 0o600); os.remove('in.txt'); print(os.getcwd(), os.stat('output').st_uid)";
        let ran = rig.python(script).gives(0);
        assert_eq!(ran.out, "/workspace 10000\n");
        assert_eq!(fs::read_to_string(rig.folder().join("output/deep/out.txt")).unwrap(), "here");
        assert!(!rig.folder().join("in.txt").exists());
        let owner = fs::metadata(rig.folder()).unwrap();
        for path in ["output", "output/deep", "output/deep/out.txt"] {
            let found = fs::metadata(rig.folder().join(path)).unwrap();
            assert_eq!((found.uid(), found.gid()), (owner.uid(), owner.gid()), "{who:?} {path}");
        }
    }
}

#[test]
fn root_in_a_folder_of_root_still_runs_nothing_as_root() {
    if !is_root() {
        eprintln!("left out: needs root");
        return;
    }
    let rig = Rig::new(Who::Root);
    let script = "import os, time; open('made', 'w'); open('pid', 'w').write('x'); time.sleep(0.4)";
    let mut child = rig.command(&[], &["python:v2", "-c", script]).spawn().unwrap();
    let pid = child.id();
    while !rig.folder().join("pid").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // Our child is the supervisor; process 1 and the command are below it.
    let below = |pid: u32| fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let first: u32 = below(pid).trim().parse().unwrap();
    let command: u32 = below(first).trim().parse().unwrap();
    let status = fs::read_to_string(format!("/proc/{command}/status")).unwrap();
    let uid: u32 =
        status.lines().find_map(|l| l.strip_prefix("Uid:\t")).unwrap().split('\t').next().unwrap().parse().unwrap();
    assert!(uid > 65_536, "{uid}");
    assert!(child.wait().unwrap().success());
    assert_eq!(fs::metadata(rig.folder().join("made")).unwrap().uid(), 0, "and yet the file is the owner's");
}

#[test]
fn verbose_says_what_is_executed() {
    let rig = Rig::new(everyone()[0]);
    let ran = rig.exec(&["-v", "python:v2", "-c", "print(1)"]).gives(0);
    assert!(
        ran.err.contains("command  python -c \"print(1)\"") || ran.err.contains("command  python -c 'print(1)'"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("network  off") && ran.err.contains("as /workspace"), "{}", ran.err);
}

#[test]
fn where_ids_cannot_be_translated_the_owner_runs_it_without_any_power() {
    if !is_root() {
        eprintln!("left out: needs root");
        return;
    }
    let rig = Rig::new(Who::Root);
    let above = rig.home().join("above").display().to_string();
    let folder = rig.folder().display().to_string();
    // An overlay, in mounts of the test's own: such a file system translates no ids.
    let mounts = format!(
        "mkdir {above} && mount -t tmpfs none {above} && mkdir {above}/l {above}/u {above}/w && \
         mount -t overlay none -o lowerdir={above}/l,upperdir={above}/u,workdir={above}/w {folder} && cd {folder} && exec \"$@\""
    );
    let own_mounts = ["unshare", "--mount", "sh", "-c", &mounts, "sh"];
    let script = "touch made && id -u && grep CapEff /proc/self/status && ! echo x > /proc/sys/kernel/hostname";
    let out = rig.command(&own_mounts, &["--entrypoint", "sh", "python:v2", "-c", script]).output().unwrap();
    let (said, err) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}{err}");
    assert_eq!(said, "10000\nCapEff:\t0000000000000000\n");
    assert!(err.contains("warning: this folder belongs to root"), "{err}");
}
