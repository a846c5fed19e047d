//! What a study attempts against the fence, past Python's own refusals: by the system's calls.
//! Spec study-definitions.md 15 (recorder), sandbox.md 13 row 46. Each attempt is first shown to succeed without a fence.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Command;

use crate::rig::Rig;

const MARK: &str = "MARKED-4711";

/// Attempts print `name: ok` or `name: refused`; `{…}` is filled in by the test.
const ATTEMPTS: &str = r#"
import ctypes, os, socket, struct, sys

libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, work):
    try:
        work()
        print(name + ": ok")
    except Exception as error:
        print(name + ": refused")


def connect():
    one = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H", {port}) + socket.inet_aton("127.0.0.1") + bytes(8)
    if one < 0 or libc.connect(one, address, len(address)) != 0:
        raise OSError(ctypes.get_errno())


def program():
    if libc.system(b"touch {root}/analysis/by-a-program") != 0:
        raise OSError


def read(path):
    def work():
        with open(path, "rb") as file:
            if not file.read(1):
                raise OSError
    return work


def write(path):
    def work():
        with open(path, "a") as file:
            file.write("x")
    return work


attempt("connect", connect)
attempt("program", program)
attempt("parent's environment", read("/proc/%d/environ" % {parent}))
attempt("parent's memory map", read("/proc/%d/maps" % {parent}))
attempt("another folder", read("{other}/secret"))
attempt("list another folder", lambda: os.listdir("{other}"))
attempt("write elsewhere", write("{other}/written"))
attempt("write the original", write("{root}/analysis/written"))
attempt("change the original", lambda: os.rename("{root}/analysis/a.txt", "{root}/analysis/b.txt"))
"#;

fn kernel_refuses_connections() -> bool {
    use landlock::{AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr};
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    ruleset.handle_access(AccessNet::ConnectTcp).and_then(Ruleset::create).is_ok()
}

#[test]
fn row_46_every_attempt_is_refused() {
    let rig = Rig::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = rig.folder.path().join("other");
    fs::write(other.join("secret"), MARK).unwrap();
    rig.write("analysis/a.txt", "");
    let text = ATTEMPTS
        .replace("{port}", &port.to_string())
        .replace("{parent}", &std::process::id().to_string())
        .replace("{other}", &other.display().to_string())
        .replace("{root}", &rig.root().display().to_string());
    rig.study(&text);

    // The control: without a fence all of it succeeds.
    let control = Command::new(&rig.python.executable).arg(rig.root().join("analysis/study_definition.py")).output();
    let said = String::from_utf8(control.unwrap().stdout).unwrap();
    assert!(!said.contains("refused") && said.matches(": ok").count() == 9, "{said}");
    assert!(listener.accept().is_ok());
    fs::remove_file(rig.root().join("analysis/by-a-program")).unwrap();
    fs::remove_file(rig.root().join("analysis/written")).unwrap();
    fs::remove_file(other.join("written")).unwrap();
    fs::rename(rig.root().join("analysis/b.txt"), rig.root().join("analysis/a.txt")).unwrap();

    for (name, fence) in rig.fences(&Rig::limits()) {
        let recorded = rig.record(&*fence).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut ok: Vec<&str> = recorded.printed.lines().filter(|line| line.ends_with(": ok")).collect();
        // An older kernel leaves the network to the job's sandbox, which is not there in this test.
        if name == "child" && !kernel_refuses_connections() {
            ok.retain(|line| *line != "connect: ok");
            listener.accept().unwrap();
        }
        assert!(ok.is_empty() && recorded.printed.matches(": refused").count() == 9, "{name}: {}", recorded.printed);
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{name}");
        assert!(!other.join("written").exists(), "{name}");
        assert!(!rig.root().join("analysis/by-a-program").exists(), "{name}");
        assert!(!rig.root().join("analysis/written").exists(), "{name}");
        assert!(rig.root().join("analysis/a.txt").exists(), "{name}");
    }
}

/// Nothing of what surrounds the recorder is there: no variable, no descriptor, no file.
#[test]
fn the_recorder_sees_no_data_and_no_credentials() {
    let rig = Rig::new();
    fs::write(rig.folder.path().join("other/secret"), MARK).unwrap();
    rig.study(
        r#"
import os, sys
def is_open(descriptor):
    try:
        os.fstat(descriptor)
        return True
    except OSError:
        return False
print("variables", *sorted(os.environ))
print("backend", os.environ["OPENSAFELY_BACKEND"])
print("descriptors", *filter(is_open, range(4096)))
print("input", repr(sys.stdin.read()))
print("arguments", len(sys.argv))
print("here", *sorted(os.listdir(".")))
# Where this checkout lies below /tmp, the Python that runs is there too.
of_python = lambda folder: folder.startswith(sys.prefix)
print("home", [files for folder, _, files in os.walk(os.environ["HOME"]) if files and not of_python(folder)])
"#,
    );
    // A descriptor that a careless parent leaves open.
    let left_open = fs::File::open(rig.folder.path().join("other/secret")).unwrap();
    rustix::io::fcntl_setfd(&left_open, rustix::io::FdFlags::empty()).unwrap();
    for (name, fence) in rig.fences(&Rig::limits()) {
        let recorded = rig.record(&*fence).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = "variables HOME LANG LC_ALL OPENSAFELY_BACKEND PATH PYTHONHASHSEED TMPDIR TZ XDG_CACHE_HOME \
            XDG_CONFIG_HOME XDG_DATA_HOME\nbackend expectations\ndescriptors 0 1 2\ninput ''\narguments 1\n\
            here .cloister analysis codelists\nhome []\n";
        assert_eq!(recorded.printed, expected, "{name}");
    }
}

#[test]
fn processes_that_are_left_behind_end() {
    let rig = Rig::new();
    let mark = format!("cloister-left-{}", std::process::id());
    rig.study(&format!(
        r#"
import ctypes, os, sys, time

libc = ctypes.CDLL(None)
if libc.fork() == 0:
    libc.prctl(15, b"{}", 0, 0, 0)
    while True:
        time.sleep(1)
print("forked", flush=True)
"#,
        &mark[..15.min(mark.len())]
    ));
    for (name, fence) in rig.fences(&Rig::limits()) {
        let recorded = rig.record(&*fence).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recorded.printed, "forked\n", "{name}");
        let left = fs::read_dir("/proc").unwrap().flatten().filter(|process| {
            // `NUMBER (NAME) STATE …`; a zombie runs no more, and its parent is the system.
            let about = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
            about.contains(&format!("({}) ", &mark[..15.min(mark.len())])) && !about.contains(") Z ")
        });
        assert_eq!(left.count(), 0, "{name}");
    }
}

#[test]
fn endless_printing_neither_blocks_nor_grows() {
    let rig = Rig::new();
    rig.study("for n in range(300_000):\n    print('line', n)\n");
    for (name, fence) in rig.fences(&Rig::limits()) {
        let recorded = rig.record(&*fence).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(recorded.printed.len() < 80 << 10, "{name}: {}", recorded.printed.len());
        assert!(recorded.printed.starts_with("line 0\n"), "{name}");
        assert!(recorded.printed.ends_with("line 299999\n"), "{name}");
    }
}
