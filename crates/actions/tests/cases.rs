//! Runs every case under `cases/`: an action in a copy of the case's `input/`, then compares what it leaves and says.
//! A case is data; its format is described in the crate's README.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/python.rs"]
#[allow(unreachable_pub, reason = "shared with other tests")]
mod python;
#[path = "support/typed.rs"]
#[allow(unreachable_pub, reason = "a module of this program's own")]
mod typed;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use actions::Context;
use python::fence;
use sha2::{Digest as _, Sha256};

/// What a case's `cmd` file says.
#[derive(Default)]
struct Case {
    action: String,
    args: Vec<OsString>,
    project: Option<f64>,
    era: actions::Era,
    exit: u8,
    stdout: Option<String>,
    /// Parts of stdout.
    in_stdout: Vec<String>,
    stderr: Vec<String>,
    not_stderr: Vec<String>,
    quiet: bool,
    /// Files that must be there after the run, whatever is in them.
    made: Vec<PathBuf>,
    /// Files whose bytes are not foreseen: the first line of a csv file, and how many rows follow it.
    columns: Vec<(String, String)>,
    rows: Vec<(String, usize)>,
    /// What files that were made hold somewhere, and what they hold nowhere.
    holds: Vec<(String, String)>,
    lacks: Vec<(String, String)>,
    /// The backend; dummy data if there is none.
    backend: Option<String>,
}

fn unescape(text: &str) -> String {
    text.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t")
}

fn read_case(path: &Path) -> Case {
    let mut case = Case::default();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (key, value) = line.split_once(':').map_or((line, ""), |(key, value)| (key, value.trim_start()));
        match key {
            "run" => value.clone_into(&mut case.action),
            "arg" => case.args.push(OsString::from(unescape(value))),
            "project" => case.project = Some(value.parse().expect("a project version")),
            "era" => case.era = actions::Era::of(value).expect("an era"),
            "exit" => case.exit = value.parse().expect("an exit code"),
            "stdout" => case.stdout.get_or_insert_default().push_str(&unescape(value)),
            "in-stdout" => case.in_stdout.push(unescape(value)),
            "stderr" => case.stderr.push(unescape(value)),
            "not-stderr" => case.not_stderr.push(unescape(value)),
            "quiet" => case.quiet = true,
            "backend" => case.backend = Some(value.to_owned()),
            "made" => case.made.push(PathBuf::from(value)),
            other => match other.split_once(' ') {
                Some(("holds", file)) => case.holds.push((file.to_owned(), unescape(value))),
                Some(("lacks", file)) => case.lacks.push((file.to_owned(), unescape(value))),
                Some(("columns", file)) => case.columns.push((file.to_owned(), value.to_owned())),
                Some(("rows", file)) => case.rows.push((file.to_owned(), value.parse().expect("a number"))),
                _ => panic!("{}: unknown key {other}", path.display()),
            },
        }
    }
    case
}

/// Every file below a folder, by its path from there. Links are not followed.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let kind = path.symlink_metadata().unwrap().file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.insert(path.strip_prefix(root).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The workspace before the run; files with types are kept as text.
fn inputs(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let made = |(path, bytes): (PathBuf, Vec<u8>)| match typed::file(&path) {
        Some(file) => (file.to_owned(), typed::bytes(file, std::str::from_utf8(&bytes).unwrap())),
        None => (path, bytes),
    };
    files(&folder.join("input")).into_iter().map(made).collect()
}

/// Expectations are kept as readable text: `x.csv.gz.txt` is what `x.csv.gz` unpacks to.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).map(|_| out).unwrap_or_else(|_| b"(not gzip)".to_vec())
}

/// A csv file that was left, unpacked if it is packed; nothing if it is not there.
fn text(left: &BTreeMap<PathBuf, Vec<u8>>, file: &str) -> String {
    let bytes = left.get(Path::new(file)).cloned().unwrap_or_default();
    let bytes = if file.ends_with(".gz") { unpacked(&bytes) } else { bytes };
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a case leaves in its workspace and says.
struct Left {
    workspace: tempfile::TempDir,
    exit: u8,
    stdout: String,
    stderr: String,
}

/// Runs a case in a copy of its `input/`.
fn perform(case: &Case, input: &BTreeMap<PathBuf, Vec<u8>>, evidence: Option<&Path>) -> Left {
    let workspace = tempfile::tempdir().unwrap();
    for (path, bytes) in input {
        let target = workspace.path().join(path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(target, bytes).unwrap();
    }
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(workspace.path(), &mut stdout, &mut stderr);
    context.project_version = case.project;
    context.fence = &fence;
    context.backend = case.backend.clone().unwrap_or(context.backend);
    context.era = case.era;
    context.today = jiff::civil::date(2021, 5, 4);
    context.evidence = evidence.map(Path::to_path_buf);
    let exit = actions::run(&case.action, &case.args, &mut context);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Left { exit, stdout: text(stdout), stderr: text(stderr), workspace }
}

/// What is wrong with a case, in words; empty when it holds.
fn judge(folder: &Path) -> String {
    let case = read_case(&folder.join("cmd"));
    let input = inputs(folder);
    let Left { workspace, exit, stdout, stderr } = perform(&case, &input, None);

    let mut wrong = String::new();
    if exit != case.exit {
        let _ = writeln!(wrong, "exit {exit}, expected {}", case.exit);
    }
    if case.stdout.as_ref().is_some_and(|expected| *expected != stdout) {
        let _ = writeln!(wrong, "stdout {stdout:?}, expected {:?}", case.stdout);
    }
    for part in case.in_stdout.iter().filter(|part| !stdout.contains(part.as_str())) {
        let _ = writeln!(wrong, "stdout lacks {part:?}: {stdout}");
    }
    for part in case.stderr.iter().filter(|part| !stderr.contains(part.as_str())) {
        let _ = writeln!(wrong, "stderr lacks {part:?}");
    }
    for part in case.not_stderr.iter().filter(|part| stderr.contains(part.as_str())) {
        let _ = writeln!(wrong, "stderr has {part:?}");
    }
    if case.quiet && !stderr.is_empty() {
        let _ = writeln!(wrong, "stderr is not empty");
    }
    let mut left = files(workspace.path());
    for (path, expected) in files(&folder.join("expect")) {
        let name = path.to_str().unwrap();
        if let Some(file) = typed::file(&path) {
            let found = typed::text(&workspace.path().join(file));
            let expected = String::from_utf8(expected).unwrap();
            left.remove(file);
            if found != expected {
                let file = file.display();
                let _ = writeln!(wrong, "{file} holds\n{found}expected\n{expected}");
            }
            continue;
        }
        let gzip = name.strip_suffix(".gz.txt").map(|stem| PathBuf::from(format!("{stem}.gz")));
        let found = left.remove(gzip.as_ref().unwrap_or(&path));
        let found = if gzip.is_some() { found.map(|bytes| unpacked(&bytes)) } else { found };
        match found {
            Some(found) if found == expected => {}
            Some(found) => {
                let (found, expected) = (String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected));
                let _ = writeln!(wrong, "{name}: {found:?}, expected {expected:?}");
            }
            None => {
                let _ = writeln!(wrong, "{name} is missing");
            }
        }
    }
    for made in &case.made {
        if left.remove(made).is_none_or(|bytes| bytes.is_empty()) {
            let _ = writeln!(wrong, "{} was not made", made.display());
        }
    }
    for (file, expected) in &case.columns {
        let found = text(&left, file).lines().next().map(str::to_owned);
        if found.as_deref() != Some(expected) {
            let _ = writeln!(wrong, "{file} has the columns {found:?}, expected {expected}");
        }
    }
    for (file, expected) in &case.rows {
        let found = text(&left, file).lines().skip(1).count();
        if found != *expected {
            let _ = writeln!(wrong, "{file} has {found} rows, expected {expected}");
        }
    }
    for (file, part) in case.holds.iter().filter(|(file, part)| !text(&left, file).contains(part.as_str())) {
        let _ = writeln!(wrong, "{file} lacks {part:?}");
    }
    for (file, part) in &case.lacks {
        let found = text(&left, file);
        if found.is_empty() || found.contains(part.as_str()) {
            let _ = writeln!(wrong, "{file} is not there, or has {part:?}");
        }
    }
    let named = case.columns.iter().chain(&case.holds).chain(&case.lacks).map(|(file, _)| file);
    for file in named.chain(case.rows.iter().map(|(file, _)| file)) {
        left.remove(Path::new(file));
    }
    // Inputs that `expect/` does not speak of must be as they were; anything else is a left-over.
    for (path, bytes) in left {
        if input.get(&path) != Some(&bytes) {
            let _ = writeln!(wrong, "{} was made or changed", path.display());
        }
    }
    if !wrong.is_empty() {
        let _ = writeln!(wrong, "stderr was:\n{stderr}");
    }
    wrong
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// The folders of all cases.
fn all() -> BTreeSet<PathBuf> {
    let mut cases = BTreeSet::new();
    for action in std::fs::read_dir(root()).unwrap() {
        for case in std::fs::read_dir(action.unwrap().path()).unwrap() {
            cases.insert(case.unwrap().path());
        }
    }
    cases
}

/// The cases that say in `evidence/` what the checks get to know: that, and that it changes nothing else, whether it can
/// be written or not.
#[test]
fn evidence_is_what_the_cases_say_and_changes_nothing_else() {
    let cases: Vec<PathBuf> = all().into_iter().filter(|case| case.join("evidence").is_dir()).collect();
    assert!(cases.len() >= 8, "only {} cases have evidence", cases.len());
    for folder in cases {
        let name = folder.strip_prefix(root()).unwrap().display();
        let (case, input) = (read_case(&folder.join("cmd")), inputs(&folder));
        let (outside, nowhere) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        let without = perform(&case, &input, None);
        let with = perform(&case, &input, Some(&outside.path().join("made")));
        let failing = perform(&case, &input, Some(&nowhere.path().join("no folder")));
        let expected = files(&folder.join("evidence"));

        let outputs = files(without.workspace.path());
        for other in [&with, &failing] {
            assert!(files(other.workspace.path()) == outputs, "{name}: outputs differ");
            assert_eq!((other.exit, &other.stdout), (without.exit, &without.stdout), "{name}");
        }
        assert_eq!(with.stderr, without.stderr, "{name}");
        let said: Vec<&str> =
            failing.stderr.lines().filter(|line| !without.stderr.lines().any(|l| l == *line)).collect();
        assert_eq!(said.len(), expected.len(), "{name}: {said:?}");
        assert!(said.iter().all(|line| line.starts_with("warning: no disclosure evidence for ")), "{name}: {said:?}");

        let found = files(&outside.path().join("made"));
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
        for (path, expected) in expected {
            let mut expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
            // What no person can work out.
            let output = &outputs[&path.with_extension("")];
            let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(output));
            expected["content_hash"] = hash.into();
            expected["program_version"] = env!("CARGO_PKG_VERSION").into();
            let found: serde_json::Value = serde_json::from_slice(&found[&path]).unwrap();
            assert!(found == expected, "{name}: {} holds\n{found}\nexpected\n{expected}", path.display());
        }
    }
}

#[test]
fn every_case_holds() {
    let (root, cases) = (root(), all());
    assert!(cases.len() > 50, "only {} cases found", cases.len());
    // A case waits for the Python of its study most of the time.
    let cases: Vec<PathBuf> = cases.into_iter().collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = judge(case);
                    if !found.is_empty() {
                        let name = case.strip_prefix(&root).unwrap().display().to_string();
                        wrong.lock().unwrap().insert(name, found);
                    }
                }
            });
        }
    });
    let wrong: Vec<String> =
        wrong.into_inner().unwrap().into_iter().map(|(name, found)| format!("== {name}\n{found}")).collect();
    assert!(wrong.is_empty(), "{} of {} cases fail\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
