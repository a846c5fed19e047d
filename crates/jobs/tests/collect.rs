//! Every `collect/*.toml`: a workspace, patterns, and what must come of it (spec jobs.md 11, 12).
//! A new case is a new file; the fields are those of [`Case`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "a case that cannot be set up fails the test")]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use jobs::ObjectId;
use jobs::collect::{CollectLimits, Request, StoredInput, collect};
use jobs::store::{Durability, Store};
use jobs::tree::{Entry, Tree};
use pipeline::{Pattern, PrivacyLevel};
use sandbox::folder::SafeFolder;
use serde::Deserialize;
use tempfile::TempDir;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case shows.
    about: String,
    #[serde(default)]
    patient_level: bool,
    /// `level pattern`.
    patterns: Vec<String>,
    #[serde(default)]
    files: Vec<Item>,
    /// Code and inputs as laid out.
    #[serde(default)]
    prepared: Vec<Item>,
    #[serde(default)]
    inputs: Vec<Given>,
    max_outputs: Option<u64>,
    max_bytes: Option<u64>,
    max_rows: Option<u64>,
    max_filesize: Option<u64>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    path: String,
    text: Option<String>,
    /// Bytes of a sparse file.
    sparse: Option<u64>,
    link: Option<String>,
    hard_link: Option<String>,
    #[serde(default)]
    pipe: bool,
    #[serde(default)]
    socket: bool,
    #[serde(default)]
    folder: bool,
    /// How often the text is repeated.
    times: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    path: String,
    text: String,
    level: PrivacyLevel,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// `level path`, then the counts if there are, then the reason if it is excluded.
    #[serde(default)]
    outputs: Vec<String>,
    #[serde(default)]
    unmatched: Vec<String>,
    hint: Option<Vec<String>>,
    #[serde(default)]
    more: u64,
    #[serde(default)]
    warnings: Vec<String>,
    /// `reason: message`.
    error: Option<String>,
}

/// `\xNN` stands for one byte.
fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        out.push(u8::from_str_radix(&rest[at + 2..at + 4], 16).unwrap());
        rest = &rest[at + 4..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn content(item: &Item) -> Vec<u8> {
    bytes(item.text.as_deref().unwrap_or("")).repeat(item.times.unwrap_or(1))
}

fn plant(root: &Path, item: &Item) {
    let path = root.join(std::ffi::OsStr::from_bytes(&bytes(&item.path)));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if let Some(size) = item.sparse {
        fs::File::create(&path).unwrap().set_len(size).unwrap();
    } else if let Some(target) = &item.link {
        symlink(target, &path).unwrap();
    } else if let Some(target) = &item.hard_link {
        fs::hard_link(root.join(target), &path).unwrap();
    } else if item.pipe {
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    } else if item.socket {
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    } else if item.folder {
        fs::create_dir_all(&path).unwrap();
    } else {
        fs::write(&path, content(item)).unwrap();
    }
}

fn run(name: &str, case: &Case) {
    let about = format!("{name}: {}", case.about);
    let dir = TempDir::new().unwrap();
    let workspace = dir.path().join("workspace");
    fs::create_dir(&workspace).unwrap();
    // No case may ever store or show this.
    fs::write(dir.path().join("secret.csv"), "MARKER").unwrap();
    case.files.iter().for_each(|item| plant(&workspace, item));
    let store = Store::open(&dir.path().join("store"), Durability::Kill).unwrap();
    let patterns: Vec<_> = case
        .patterns
        .iter()
        .map(|line| {
            let (level, pattern) = line.split_once(' ').unwrap();
            (Pattern::new(pattern), serde_json::from_value(level.into()).unwrap())
        })
        .collect();
    let mut prepared = Tree::default();
    for item in &case.prepared {
        let text = content(item);
        let entry = Entry::File { mode: 0o644, object: ObjectId::of(&text), size: text.len() as u64 };
        prepared.entries.insert(item.path.clone(), entry);
    }
    let inputs: Vec<_> = case
        .inputs
        .iter()
        .map(|i| StoredInput { path: i.path.clone(), object: ObjectId::of(i.text.as_bytes()), level: i.level })
        .collect();
    let mut limits = CollectLimits::default();
    limits.outputs = case.max_outputs.unwrap_or(limits.outputs);
    limits.bytes = case.max_bytes.unwrap_or(limits.bytes);
    limits.checks.max_csv_rows = case.max_rows.unwrap_or(limits.checks.max_csv_rows);
    limits.checks.max_filesize = case.max_filesize.unwrap_or(limits.checks.max_filesize);
    let request = Request {
        patterns: &patterns,
        inputs: &inputs,
        prepared: &prepared,
        patient_level: case.patient_level,
        limits,
    };
    let expect = &case.expect;
    let got = match collect(&SafeFolder::at(&workspace).unwrap(), &request, &store) {
        Err(error) => {
            let said = format!("{}: {error}", error.reason().unwrap_or("internal"));
            assert_eq!(Some(&said), expect.error.as_ref(), "{about}");
            return;
        }
        Ok(got) => got,
    };
    assert_eq!(None, expect.error, "{about}");
    let outputs: Vec<String> = got
        .outputs
        .iter()
        .map(|o| {
            let mut line = format!("{} {}", o.level, o.path);
            if let (Some(rows), Some(columns)) = (o.row_count, o.col_count) {
                line += &format!(" {rows}x{columns}");
            }
            if let Some(reason) = &o.excluded {
                line += &format!(" excluded: {reason}");
            }
            line
        })
        .collect();
    assert_eq!(outputs, expect.outputs, "{about}");
    assert_eq!(got.unmatched_patterns, expect.unmatched, "{about}");
    assert_eq!(got.hint.as_ref().map(|h| h.files.clone()), expect.hint, "{about}");
    assert_eq!(got.hint.map_or(0, |h| h.more), expect.more, "{about}");
    let warnings: Vec<String> = got.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, expect.warnings, "{about}");
    for output in &got.outputs {
        let stored = fs::read(workspace.join(&output.path)).unwrap();
        assert_eq!((output.object, output.size), (ObjectId::of(&stored), stored.len() as u64), "{about}");
        assert!(store.contains(output.object), "{about}");
    }
    assert!(!store.contains(ObjectId::of(b"MARKER")), "{about}");
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/collect");
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    assert!(names.len() >= 25, "only {} cases were found", names.len());
    for path in names {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let case: Case = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        run(&name, &case);
    }
}
