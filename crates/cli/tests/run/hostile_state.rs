//! Records that came with a repository: what stands in `metadata/` may be anything, and leads nowhere.
//! Spec sandbox.md 1, 10.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::rig::Study;

fn one() -> Study {
    Study::of(
        "  a:\n    run: python:v2 -c \"open('output/a.txt', 'w').write('a')\"\n    outputs:\n      moderately_sensitive: {o: output/a.txt}\n",
        &[],
    )
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The journal of a write that was cut off, with the name of a second file that SQLite removes after playing it back
/// (the file format's "super-journal").
fn journal(state: &[u8], victim: &str) -> Vec<u8> {
    const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    let page = u32::from(u16::from_be_bytes([state[16], state[17]]));
    let mut bytes = MAGIC.to_vec();
    for word in [0, 1234, state.len() as u32 / page, 512, page] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.resize(512, 0);
    bytes.extend((0x4000_0000 / page + 1).to_be_bytes());
    bytes.extend(victim.as_bytes());
    bytes.extend((victim.len() as u32).to_be_bytes());
    bytes.extend(victim.bytes().map(u32::from).sum::<u32>().to_be_bytes());
    bytes.extend(MAGIC);
    bytes
}

#[test]
fn a_journal_of_somebody_removes_no_file() {
    let study = one();
    study.run(&["a"]).done();
    let state = study.folder.join("metadata/cloister/state.sqlite");
    let planted = study.folder.join("metadata/cloister/state.sqlite-journal");
    let victim = study.folder.parent().unwrap().join("precious");
    for words in [&["run", "a"][..], &["backend", "status"], &["backend", "snapshot"], &["backend", "restore", "--yes"]]
    {
        fs::write(&victim, "precious").unwrap();
        fs::write(&planted, journal(&fs::read(&state).unwrap(), victim.to_str().unwrap())).unwrap();
        study.cloister(words).done();
        assert!(victim.exists(), "{words:?} removed it");
        assert!(!planted.exists(), "{words:?} left the journal");
    }
    // The control: SQLite itself does it.
    fs::write(&planted, journal(&fs::read(&state).unwrap(), victim.to_str().unwrap())).unwrap();
    let code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('select count(*) from job').fetchall()";
    Command::new("python3").args(["-c", code]).arg(&state).output().unwrap();
    assert!(!victim.exists(), "the journal of this test is not one that SQLite plays back");
}

#[test]
fn pipes_in_place_of_our_files_are_refused_and_not_waited_for() {
    for name in ["cloister/state.sqlite", "cloister/state.sqlite-wal", "cloister/state.sqlite-journal", "cloister.lock"]
    {
        let study = one();
        study.run(&["a"]).done();
        let path = study.folder.join("metadata").join(name);
        let _ = fs::remove_file(&path);
        pipe(&path);
        let journal = name.ends_with("-journal");
        for words in [&["run", "a"][..], &["backend", "status"], &["plan"]] {
            let ran = study.cloister(words);
            assert_eq!(ran.code, Some(i32::from(!journal)), "{name} {words:?}\n{}\n{}", ran.out, ran.err);
        }
    }
}

#[test]
fn restoring_writes_through_no_link() {
    let study = one();
    study.run(&["a"]).done();
    study.cloister(&["backend", "snapshot"]).done();
    let precious = study.folder.parent().unwrap().join("precious");
    fs::write(&precious, "precious").unwrap();
    for name in [".restored.tmp", "state.sqlite.tmp"] {
        symlink(&precious, study.folder.join("metadata/cloister").join(name)).unwrap();
    }
    study.cloister(&["backend", "restore", "--yes"]).done();
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    assert!(study.folder.join("metadata/cloister/state.sqlite").symlink_metadata().unwrap().is_file());
}

/// Files of other names in the folder of snapshots are neither used nor removed, and push none of ours out.
#[test]
fn only_our_snapshots_count() {
    let study = one();
    study.run(&["a"]).done();
    for n in 0..9 {
        study.write(&format!("metadata/cloister/snapshots/z{n}.sqlite"), "x");
    }
    study.cloister(&["backend", "snapshot"]).done();
    study.cloister(&["backend", "restore", "z1", "--yes"]).failed().says("there is no snapshot called z1");
    study.cloister(&["backend", "verify"]).done().says("1 snapshot");
    study.cloister(&["backend", "restore", "--yes"]).done();
    assert!(study.has("metadata/cloister/snapshots/z1.sqlite"));
}

/// What root does in a user's folder leaves nothing there that the user cannot use.
#[test]
fn an_operator_who_is_root_leaves_no_files_of_root() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let study = one();
    // One that an ordinary user can reach.
    study.use_python("/usr/bin/python3");
    study.run(&["a"]).done();
    study.give_to(54_321);
    // Root's own, as it would be outside a test.
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    for words in [&["snapshot"][..], &["gc", "--yes"], &["restore", "--yes"], &["status"], &["pause", "off"]] {
        study.with_env("CLOISTER_CACHE_DIR", cache, &[&["backend"], words].concat()).done();
    }
    let mut below = vec![study.folder.join("metadata")];
    while let Some(path) = below.pop() {
        assert_eq!(path.symlink_metadata().unwrap().uid(), 54_321, "{}", path.display());
        if path.is_dir() {
            below.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    study.cloister_as(54_321, &["backend", "snapshot"]).done();
    study.cloister_as(54_321, &["run", "a"]).done();
}
