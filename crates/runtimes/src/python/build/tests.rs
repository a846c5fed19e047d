//! Real builds of a tiny lock: whole, killed at each step, from a corrupt cache, two at a time. Nothing is fetched from
//! outside: the wheels are made here. Needs one of the interpreters a lock is for, with pip 22.3 or newer.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pipeline::RuntimeRef;
use sha2::{Digest, Sha256};

use super::*;
use crate::python::environment::located;
use crate::python::interpreter::{ask, fingerprint, named};
use crate::python::lock::{Group, Minor};
use crate::store::hex;

/// Makes `NAME-1-py3-none-any.whl` with a module and a script of that name, in the current folder.
const MAKE_WHEEL: &str = r#"
import sys, zipfile
for name in sys.argv[1:]:
    about = name + "-1.dist-info/"
    with zipfile.ZipFile(name + "-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(name + ".py", "def main():\n    import sys; print(sys.executable)\n")
        wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1\n")
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(about + "entry_points.txt", "[console_scripts]\n" + name + " = " + name + ":main\n")
        wheel.writestr(about + "RECORD", "")
"#;

fn interpreter() -> Interpreter {
    let places = Places::here(None);
    let all = (8..=13).rev().flat_map(|minor| named(&places, Minor(minor)));
    let mut usable = all.filter_map(|path| ask(&path).ok()).filter(|one| !one.is_virtual());
    usable.find(|one| Pip::find(one, &places).is_ok()).expect("these tests need CPython 3.8 to 3.13 with pip")
}

/// A build of `tiny_base` and, on top of it, `tiny_more`, in `folder`.
fn work(folder: &Path) -> Work {
    let interpreter = interpreter();
    let index = folder.join("index");
    if !index.exists() {
        fs::create_dir_all(&index).unwrap();
        let mut make = Command::new(&interpreter.executable);
        make.args(["-c", MAKE_WHEEL, "tiny_base", "tiny_more"]).current_dir(&index);
        assert!(make.status().unwrap().success());
    }
    let line = |group: &str, name: &str| {
        let file = format!("{name}-1-py3-none-any.whl");
        let bytes = fs::read(index.join(&file)).unwrap();
        let sha256 = hex(&Sha256::digest(&bytes));
        let size = bytes.len();
        format!(
            "{{ group = '{group}', name = '{name}', version = '1', wheel = '{file}', sha256 = '{sha256}', \
             size = {size}, unpacked = 400 }},\n"
        )
    };
    let text = format!(
        "platform = '{}'\npackage = [\n{}{}]",
        interpreter.platform,
        line("python", "tiny_base"),
        line("jupyter", "tiny_more")
    );
    let lock = Lock::parse(&text).unwrap();
    let python = Minor(interpreter.minor.1);
    let part = |group: Group, base| Environment {
        folder: folder.join("cache/environments").join(group.as_str()),
        group,
        python,
        base,
    };
    let environment = part(Group::Jupyter, Some(Box::new(part(Group::Python, None))));
    Work {
        cache_dir: folder.join("cache"),
        packages: None,
        places: Places::here(None),
        executable: interpreter.executable,
        lock,
        environment,
        title: "tiny".to_owned(),
        settings: vec![
            ("PIP_NO_INDEX".to_owned(), "1".to_owned()),
            ("PIP_FIND_LINKS".to_owned(), index.display().to_string()),
            ("PIP_CONFIG_FILE".to_owned(), "/dev/null".to_owned()),
        ],
    }
}

/// The same without the extension: half the time.
fn base_work(folder: &Path) -> Work {
    let whole = work(folder);
    let environment = whole.environment.base.clone().map_or_else(|| whole.environment.clone(), |base| *base);
    Work { environment, ..whole }
}

fn located_tiny() -> Located {
    let reference = RuntimeRef { name: "jupyter".into(), tag: "v1".into() };
    located(&reference, &reference, "tiny".into(), None, String::new())
}

fn build_it(work: &Work) -> (Result<Program, BuildError>, Vec<Progress>) {
    let mut seen = Vec::new();
    let built = build(work, &located_tiny(), &mut |progress| seen.push(progress));
    (built, seen)
}

/// The program of a complete build.
pub(crate) fn tiny(folder: &Path) -> Program {
    build_it(&work(folder)).0.unwrap()
}

fn fetched(seen: &[Progress]) -> bool {
    seen.iter().any(|progress| matches!(progress, Progress::Fetching { .. }))
}

/// What a program of the environment prints.
fn says(program: &Program, args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(|one| (*one).to_owned()).collect();
    let argv = program.argv(&args);
    let path = program.env.iter().find(|(name, _)| name == "PATH").unwrap();
    let mut command = Command::new("env");
    command.args(["-i", &format!("PATH={}", path.1)]).args(&argv);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{argv:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_whole_build() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    let to_fetch = work.bytes_to_fetch();
    assert_eq!(
        to_fetch,
        work.lock.of(Group::Python).chain(work.lock.of(Group::Jupyter)).map(|one| one.size).sum::<u64>()
    );
    let (built, seen) = build_it(&work);
    let program = built.unwrap();
    assert!(fetched(&seen));
    assert_eq!(work.bytes_to_fetch(), 0);
    // Programs of both parts run in the extension, whose interpreter sees the packages of both.
    let python = work.environment.python().display().to_string();
    assert_eq!(says(&program, &["tiny_more"]), python);
    assert_eq!(says(&program, &["tiny_base"]), python);
    assert_eq!(says(&program, &["python", "-c", "import tiny_base, tiny_more; print(1)"]), "1");
    let base = work.environment.base.as_ref().unwrap();
    assert!(base.site_packages().join("__pycache__").read_dir().unwrap().count() > 0, "no byte code");
    let kernel = fs::read_to_string(work.environment.folder.join("share/jupyter/kernels/python3/kernel.json")).unwrap();
    assert!(kernel.contains(&format!("\"{python}\"")), "{kernel}");
    assert!(program.located.identity.starts_with("host:") && program.located.identity.len() == 5 + 64);
    let sandbox::Root::Host { prefixes, .. } = &program.root else { panic!("not a host root") };
    assert_eq!(prefixes[..2], [work.environment.folder.clone(), base.folder.clone()]);
    // A second time there is nothing to do.
    assert_eq!(build_it(&work).1, []);
}

#[test]
fn wheels_can_come_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path());
    work.settings[1].1 = "/nowhere".to_owned();
    work.packages = Some(folder.path().join("index"));
    assert_eq!(work.bytes_to_fetch(), 0);
    let (built, seen) = build_it(&work);
    built.unwrap();
    assert!(!fetched(&seen));
}

#[test]
fn a_corrupt_cache_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let work = base_work(folder.path());
    build_it(&work).0.unwrap();
    let package = work.lock.of(Group::Python).next().unwrap();
    let cached = Store::new(&work.cache_dir, WHEELS).path(package);
    let mut bytes = fs::read(&cached).unwrap();
    bytes[10] ^= 1;
    fs::write(&cached, &bytes).unwrap();
    fs::remove_dir_all(work.cache_dir.join("environments")).unwrap();
    let (built, seen) = build_it(&work);
    says(&built.unwrap(), &["tiny_base"]);
    assert!(fetched(&seen));
}

#[test]
fn an_environment_that_was_moved_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let work = base_work(folder.path());
    build_it(&work).0.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::rename(folder.path().join("cache"), elsewhere.path().join("cache")).unwrap();
    let mut moved = base_work(folder.path());
    moved.cache_dir = elsewhere.path().join("cache");
    moved.environment.folder = elsewhere.path().join("cache/environments/python");
    assert!(moved.environment.complete().is_none());
    let (built, seen) = build_it(&moved);
    says(&built.unwrap(), &["tiny_base"]);
    assert!(!fetched(&seen), "the wheels moved along");
}

#[test]
fn other_bytes_than_listed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    for entry in fs::read_dir(folder.path().join("index")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(0);
        fs::write(&path, bytes).unwrap();
    }
    let error = build_it(&work).0.unwrap_err();
    let BuildError::Fetch { packages, hint, .. } = &error else { panic!("{error}") };
    assert_eq!(packages, "tiny_base 1");
    assert!(hint.contains("other bytes"), "{error}");
    assert!(work.environment.base.as_ref().unwrap().marker().is_none());
    assert!(fs::read_dir(&work.cache_dir).unwrap().all(|one| one.unwrap().file_name() == "environments"));
}

#[test]
fn two_builds_at_once_make_one_environment() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    let both = std::thread::scope(|scope| {
        let build = || scope.spawn(|| build_it(&work));
        [build(), build()].map(|one| one.join().unwrap())
    });
    let compiled = both.iter().flat_map(|(_, seen)| seen).filter(|one| **one == Progress::Compiling).count();
    assert_eq!(compiled, 2, "each of the two parts is made once");
    for (built, _) in both {
        says(&built.unwrap(), &["tiny_base"]);
    }
}

const CHILD: &str = "CLOISTER_TEST_BUILD";

/// Not a test by itself: the process that `a_killed_build_is_resumed` kills. It stops for ever at each progress.
#[test]
#[ignore = "started by a_killed_build_is_resumed"]
fn child() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let goes_on = std::env::var("CLOISTER_TEST_STOP").unwrap();
    build(&base_work(&folder), &located_tiny(), &mut |progress| {
        let text = format!("{progress:?}");
        println!("\nprogress {text}");
        if text.starts_with(&goes_on) {
            std::thread::sleep(std::time::Duration::from_secs(600));
        }
    })
    .unwrap();
}

#[test]
fn a_killed_build_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    work(folder.path());
    for (stop, has_wheels) in [("Fetching", false), ("Installing", true), ("Compiling", true)] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "python::build::tests::child", "--ignored", "--nocapture"]);
        command.env(CHILD, folder.path()).env("CLOISTER_TEST_STOP", stop).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reached = lines.map_while(Result::ok).any(|line| line.starts_with(&format!("progress {stop}")));
        assert!(reached, "the build never came to {stop}");
        child.kill().unwrap();
        child.wait().unwrap();
        let work = base_work(folder.path());
        assert!(work.environment.folder.exists() && work.environment.marker().is_none(), "killed at {stop}");
        let first = work.lock.of(Group::Python).next().unwrap();
        assert_eq!(Store::new(&work.cache_dir, WHEELS).seems_there(first), has_wheels, "killed at {stop}");
    }
    let work = base_work(folder.path());
    let (built, seen) = build_it(&work);
    says(&built.unwrap(), &["tiny_base"]);
    assert!(!fetched(&seen), "the wheel was there: {seen:?}");
}

#[test]
fn what_is_still_running_after_a_kill_keeps_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    fs::create_dir_all(work.cache_dir.join("environments")).unwrap();
    let base = work.environment.base.clone().unwrap();
    let held = hold(&base.folder, &mut |_| panic!("nobody holds it")).unwrap();
    // The command's own copy of the lock ends with this statement.
    let mut sleeper = Command::new("sleep").arg("600").stdin(Stdio::from(held.try_clone().unwrap())).spawn().unwrap();
    drop(held);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| hold(&base.folder, &mut |progress| sender.send(progress).unwrap()).map(drop));
        assert_eq!(receiver.recv().unwrap(), Progress::Waiting);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn a_disk_that_is_too_small_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path());
    let text = "platform = 'p'\npackage = [{ group = 'python', name = 'a', version = '1', wheel = 'a.whl', sha256 = '00', \
                size = 1, unpacked = 4000000000000000000 }]";
    work.lock = Lock::parse(text).unwrap();
    let error = build_it(&work).0.unwrap_err();
    assert!(matches!(error, BuildError::Space { .. }), "{error}");
    assert!(error.to_string().contains("CLOISTER_CACHE_DIR"), "{error}");
}

#[test]
fn a_folder_name_follows_from_lock_interpreter_and_group() {
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    let source = crate::python::lock::serving("v1")[0];
    let of = |fingerprint: &str, group| Environment::of(folder.path(), &source, &work.lock, fingerprint, group).folder;
    let print = fingerprint(&work.executable).unwrap();
    assert_eq!(of(&print, Group::Python), of(&print, Group::Python));
    assert_ne!(of(&print, Group::Python), of(&print, Group::Jupyter));
    assert_ne!(of(&print, Group::Python), of("other", Group::Python));
}
