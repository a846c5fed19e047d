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
        leave: &jobs::Leave::default(),
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

/// A job may close its files to their owner; the owner opens them again. Run without the privileges that would hide the
/// difference.
#[test]
fn closed_files_and_folders_are_collected() {
    use std::os::unix::fs::PermissionsExt;
    let as_ordinary_user = || {
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::process::Uid::from_raw(65_534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        let dir = TempDir::new().unwrap();
        let workspace = dir.path().join("workspace");
        let close = |path: &str, mode| {
            fs::set_permissions(workspace.join(path), fs::Permissions::from_mode(mode)).unwrap();
        };
        for path in ["x/a.csv", "x/y/b.csv", "z/c.csv", "other/d.csv"] {
            fs::create_dir_all(workspace.join(path).parent().unwrap()).unwrap();
            fs::write(workspace.join(path), path).unwrap();
        }
        for (path, mode) in
            [("x/a.csv", 0), ("x/y/b.csv", 0), ("x/y", 0), ("x", 0), ("z/c.csv", 0o200), ("z", 0o400), ("other", 0)]
        {
            close(path, mode);
        }
        let folder = SafeFolder::at(&workspace).unwrap();
        close("", 0);
        let level = PrivacyLevel::HighlySensitive;
        let patterns = ["x/a.csv", "x/y/b.csv", "z/*.csv", "*/y/*.csv"].map(|text| (Pattern::new(text), level));
        let store = Store::open(&dir.path().join("store"), Durability::Kill).unwrap();
        let request = Request {
            patterns: &patterns,
            inputs: &[],
            prepared: &Tree::default(),
            patient_level: false,
            limits: CollectLimits::default(),
            leave: &jobs::Leave::default(),
        };
        let got = collect(&folder, &request, &store).unwrap();
        let paths: Vec<&str> = got.outputs.iter().map(|o| o.path.as_str()).collect();
        assert_eq!(paths, ["x/a.csv", "x/y/b.csv", "z/c.csv"]);
        drop(folder);
        sandbox::folder::remove_tree(&workspace).unwrap();
    };
    std::thread::spawn(as_ordinary_user).join().unwrap();
}

/// Row 37: somebody swaps files for links, and folders for links, while the collector runs. Whatever comes of it, the bytes
/// outside are never stored.
#[test]
fn row_37_a_racing_writer_never_leads_outside() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let dir = TempDir::new().unwrap();
    let workspace = dir.path().join("workspace");
    let outside = dir.path().join("outside");
    for folder in [&workspace.join("output"), &outside] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("a.csv"), if folder == &outside { "MARKER" } else { "real" }).unwrap();
    }
    let store = Store::open(&dir.path().join("store"), Durability::Kill).unwrap();
    let done = AtomicBool::new(false);
    // Judged after the writer has ended: a panic before would leave it running.
    let (mut taken, mut foreign) = ([0, 0], 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (file, folder) = (workspace.join("output/a.csv"), workspace.join("output"));
            let (spare_file, spare_folder) = (workspace.join("spare.csv"), workspace.join("spare"));
            while !done.load(Ordering::Relaxed) {
                fs::rename(&file, &spare_file).unwrap();
                symlink(outside.join("a.csv"), &file).unwrap();
                fs::remove_file(&file).unwrap();
                fs::rename(&spare_file, &file).unwrap();
                fs::rename(&folder, &spare_folder).unwrap();
                symlink(&outside, &folder).unwrap();
                fs::remove_file(&folder).unwrap();
                fs::rename(&spare_folder, &folder).unwrap();
                std::thread::yield_now();
            }
        });
        let folder = SafeFolder::at(&workspace).unwrap();
        for (n, text) in ["output/a.csv", "*/*.csv"].into_iter().enumerate() {
            let patterns = [(Pattern::new(text), PrivacyLevel::ModeratelySensitive)];
            let request = Request {
                patterns: &patterns,
                inputs: &[],
                prepared: &Tree::default(),
                patient_level: false,
                limits: CollectLimits::default(),
                leave: &jobs::Leave::default(),
            };
            for round in 0..100_000 {
                if round >= 1_500 && taken[n] > 0 {
                    break;
                }
                let outputs = collect(&folder, &request, &store).map(|got| got.outputs).unwrap_or_default();
                taken[n] += outputs.len();
                foreign += outputs.iter().filter(|o| o.object != ObjectId::of(b"real")).count();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(foreign, 0);
    assert!(taken.iter().all(|n| *n > 0), "the file was there some of the time: {taken:?}");
    assert!(!store.contains(ObjectId::of(b"MARKER")));
}
