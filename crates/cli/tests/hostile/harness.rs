//! Runs a row: a study with the row's scripts, something planted, a control, the program, and a look at what came of it.
//! Shell lines get `WORLD` (a folder outside the study with marked files), `MARKER` (what stands in them) and `STUDY`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::rig::{Ran, Study};

/// No user of this machine needs to have this id.
const ORDINARY: u32 = 54_321;

/// The fields of a case, as they are named in `row.toml`.
const FIELDS: [&str; 19] = [
    "name",
    "actions",
    "outputs",
    "project",
    "plant",
    "control",
    "control_says",
    "no_control",
    "commands",
    "code",
    "says",
    "never",
    "files",
    "absent",
    "look",
    "through",
    "only",
    "env",
    "smaller",
];

struct Case(toml::Table);

impl Case {
    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.as_str().unwrap_or_else(|| panic!("{key} is a text")))
    }

    fn list(&self, key: &str) -> Vec<String> {
        let list = self.0.get(key).map(|value| value.as_array().unwrap_or_else(|| panic!("{key} is a list")));
        list.into_iter().flatten().map(|value| value.as_str().unwrap().to_owned()).collect()
    }
}

pub fn rows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/rows")
}

/// The tests that the folders stand for, sorted.
pub fn folders() -> Vec<String> {
    let name = |entry: fs::DirEntry| format!("row_{}", entry.file_name().to_str().unwrap().replace('-', "_"));
    let mut names: Vec<String> = fs::read_dir(rows()).unwrap().flatten().map(name).collect();
    names.sort();
    names
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The ids to run as; `None` is this process's own.
fn everyone() -> Vec<Option<u32>> {
    if is_root() {
        return vec![None, Some(ORDINARY)];
    }
    assert!(
        std::env::var_os("HOSTILE_ROWS_WITHOUT_ROOT").is_some(),
        "the hostile rows run as root and as an ordinary user; run this as root, or set HOSTILE_ROWS_WITHOUT_ROOT=1 to \
         leave those of root out (never in CI)"
    );
    vec![None]
}

pub fn check(test: &str) {
    let folder = rows().join(test.trim_start_matches("row_").replace('_', "-"));
    let row: toml::Table = fs::read_to_string(folder.join("row.toml")).unwrap().parse().unwrap();
    println!("{test}: {}", row["about"].as_str().unwrap());
    for case in row["case"].as_array().unwrap() {
        let case = Case(case.as_table().unwrap().clone());
        let unknown: Vec<&String> = case.0.keys().filter(|key| !FIELDS.contains(&key.as_str())).collect();
        assert!(unknown.is_empty(), "{test}: no field is called {unknown:?}");
        for who in everyone() {
            // Without root the process itself is the ordinary user.
            let root = is_root() && who.is_none();
            if case.text("only").is_some_and(|only| (only == "root") != root) {
                continue;
            }
            run(test, &folder, &case, who);
        }
    }
}

fn run(test: &str, folder: &Path, case: &Case, who: Option<u32>) {
    let place =
        format!("{test} {} as {}", case.text("name").unwrap_or(""), who.map_or("this user", |_| "an ordinary user"));
    let (study, world) = (study(folder, case), tempfile::tempdir().unwrap());
    fs::set_permissions(world.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let marker = format!("marked-{}", world.path().file_name().unwrap().to_str().unwrap());
    for name in ["notes.txt", "view.csv", "database-url"] {
        fs::write(world.path().join(name), &marker).unwrap();
    }
    let shell = |line: &str, at: &Path| {
        let mut command = Command::new("bash");
        command.args(["-euc", line]).current_dir(at).env("WORLD", world.path()).env("MARKER", &marker);
        command.env("STUDY", &study.folder).env("ROW", folder);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    if let Some(line) = case.text("plant") {
        let (fine, said) = shell(line, &study.folder);
        assert!(fine, "{place}: planting\n{said}");
    }
    control(&place, case, &study, &shell);
    if let Some(id) = who {
        study.give_to(id);
        let given = Command::new("chown").arg("-R").arg(id.to_string()).arg(world.path()).status().unwrap();
        assert!(given.success());
    }
    let mut said = String::new();
    let mut code = None;
    for words in commands(case) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let through: Vec<String> =
            case.list("through").iter().map(|word| word.replace("{row}", &copied(folder, &world))).collect();
        let env = case.list("env").into_iter().map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (name.to_owned(), value.replace("{marker}", &marker))
        });
        let Ran { code: ended, out, err } = study.cloister_through(who, &through, &env.collect::<Vec<_>>(), &words);
        code = ended;
        said = format!("{said}{out}{err}");
    }
    let wanted = case.0.get("code").map_or(0, |code| i32::try_from(code.as_integer().unwrap()).unwrap());
    assert_eq!(code, Some(wanted), "{place}\n{said}");
    looks(&place, case, &study, &said);
    assert!(!said.contains(&marker), "{place}: the marker was shown\n{said}");
    nowhere(&place, &study.folder, &marker);
    if let Some(line) = case.text("look") {
        let (fine, told) = shell(line, &study.folder);
        assert!(fine, "{place}: the look after\n{told}\n{said}");
    }
    assert_eq!(study.volumes(), 0, "{place}: a sandbox is left");
}

/// The row's scripts where an ordinary user can read them.
fn copied(folder: &Path, world: &tempfile::TempDir) -> String {
    let to = world.path().join("row");
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to.display().to_string()
}

fn commands(case: &Case) -> Vec<Vec<String>> {
    let split = |line: &String| line.split(' ').map(ToOwned::to_owned).collect();
    let given = case.list("commands");
    if given.is_empty() { vec![vec!["run".into(), "attempt".into()]] } else { given.iter().map(split).collect() }
}

/// `outputs` is short for one action that runs `attempt.py`.
fn study(folder: &Path, case: &Case) -> Study {
    let outputs: String = case.list("outputs").iter().enumerate().fold(String::new(), |text, (n, line)| {
        let (level, pattern) = line.split_once(' ').unwrap();
        format!("{text}      {level}: {{o{n}: {pattern}}}\n")
    });
    let one = format!("  attempt:\n    run: python:v2 attempt.py\n    outputs:\n{outputs}");
    let study = Study::of(case.text("actions").unwrap_or(&one), &[]);
    study.use_python("/usr/bin/python3");
    if let Some(text) = case.text("project") {
        study.write("project.yaml", text);
    }
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name != "row.toml" {
            study.write(&name, &fs::read_to_string(entry.path()).unwrap());
        }
    }
    study
}

/// The same attempt without the program, in a copy of the study: it must succeed.
fn control(place: &str, case: &Case, study: &Study, shell: &dyn Fn(&str, &Path) -> (bool, String)) {
    let Some(line) = case.text("control") else {
        assert!(case.text("no_control").is_some(), "{place}: no control and no reason");
        return;
    };
    let copy = tempfile::tempdir().unwrap();
    let made = Command::new("cp").args(["-a", "."]).arg(copy.path()).current_dir(&study.folder).status().unwrap();
    assert!(made.success());
    fs::create_dir_all(copy.path().join("output")).unwrap();
    let (fine, said) = shell(line, copy.path());
    assert!(fine, "{place}: the control fails, so the row shows nothing\n{said}");
    for text in case.list("control_says") {
        assert!(said.contains(&text), "{place}: control: {text:?} is missing in\n{said}");
    }
}

fn looks(place: &str, case: &Case, study: &Study, said: &str) {
    for text in case.list("says") {
        assert!(said.contains(&text), "{place}: {text:?} is missing in\n{said}");
    }
    for text in case.list("never") {
        assert!(!said.contains(&text), "{place}: {text:?} is in\n{said}");
    }
    for (path, content) in case.0.get("files").and_then(toml::Value::as_table).into_iter().flatten() {
        let found = fs::read_to_string(study.folder.join(path))
            .unwrap_or_else(|error| panic!("{place}: {path}: {error}\n{said}"));
        assert_eq!(found, content.as_str().unwrap(), "{place}: {path}");
    }
    for path in case.list("absent") {
        assert!(study.folder.join(&path).symlink_metadata().is_err(), "{place}: {path} is there\n{said}");
    }
    if let Ok(text) = fs::read_to_string(study.folder.join("metadata/manifest.json")) {
        let manifest: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{place}: manifest: {error}"));
        assert!(manifest["outputs"].is_object(), "{place}: {text}");
    }
}

/// The marker stands in no file of the study: outputs, logs, metadata, stored objects. Links are not followed.
fn nowhere(place: &str, folder: &Path, marker: &str) {
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() && entry.metadata().unwrap().len() < 8 << 20 {
                let bytes = fs::read(entry.path()).unwrap_or_default();
                let found = bytes.windows(marker.len()).any(|window| window == marker.as_bytes());
                assert!(!found, "{place}: the marker is in {}", entry.path().display());
            }
        }
    }
}
