//! Each rule of cli.md 9 for `unzip`, on folders made for it.
//! The free space is a function here, so that a full disk needs no disk.

use super::*;
use flate2::{Compression, write::GzEncoder};
use std::cell::Cell;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn plenty(_: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

fn unzip(path: &Path, force: bool) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run_with(path, force, &mut out, &mut err, &plenty);
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn set_age(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn one_file_of_several_members() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("a.csv.gz");
    put(&source, &[packed(b"one\n"), packed(b"two\n")].concat());
    fs::set_permissions(&source, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(unzip(&source, false).0, 0);
    let target = folder.path().join("a.csv");
    assert_eq!(text(&target), "one\ntwo\n");
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(names(folder.path()), ["a.csv", "a.csv.gz"]);
}

#[test]
fn a_folder_without_following_links() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    put(&elsewhere.path().join("far.gz"), &packed(b"far"));
    put(&folder.path().join("x/y/a.csv.gz"), &packed(b"a"));
    put(&folder.path().join("b.feather.gz"), &packed(b""));
    put(&folder.path().join("plain.csv"), b"p");
    put(&folder.path().join("UPPER.GZ"), b"not looked at");
    symlink(elsewhere.path(), folder.path().join("linked")).unwrap();
    symlink(elsewhere.path().join("far.gz"), folder.path().join("link.gz")).unwrap();
    symlink(folder.path(), folder.path().join("x/loop")).unwrap();
    let (exit, out, err) = unzip(folder.path(), false);
    assert_eq!((exit, err.as_str()), (0, ""));
    assert!(out.ends_with("2 unpacked\n"), "{out}");
    assert_eq!(text(&folder.path().join("x/y/a.csv")), "a");
    assert_eq!(text(&folder.path().join("b.feather")), "");
    assert_eq!(names(elsewhere.path()), ["far.gz"]);
    assert!(!folder.path().join("link").exists());
}

#[test]
fn a_newer_result_is_kept_and_an_older_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (source, target) = (folder.path().join("a.gz"), folder.path().join("a"));
    put(&source, &packed(b"new"));
    put(&target, b"mine");
    set_age(&source, 100);
    let (exit, out, _) = unzip(&source, false);
    assert_eq!((exit, text(&target).as_str()), (0, "mine"));
    assert!(out.contains("1 kept"), "{out}");
    assert_eq!(unzip(&source, true).0, 0);
    assert_eq!(text(&target), "new");
    put(&target, b"old");
    set_age(&target, 200);
    assert_eq!(unzip(folder.path(), false).0, 0);
    assert_eq!(text(&target), "new");
}

#[test]
fn a_corrupt_file_is_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let whole = packed(&b"0123456789".repeat(1000));
    put(&folder.path().join("a.gz"), b"no gzip");
    put(&folder.path().join("b.gz"), &whole[..whole.len() - 4]);
    put(&folder.path().join("c.gz"), &packed(b"good"));
    put(&folder.path().join("d.gz"), b"");
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    put(&folder.path().join("e.gz"), &flipped);
    put(&folder.path().join("a"), b"kept");
    set_age(&folder.path().join("a"), 100);
    put(&folder.path().join(".gz"), &packed(b"nameless"));
    put(&folder.path().join("f.gz"), &packed(b"blocked"));
    fs::create_dir(folder.path().join("f")).unwrap();
    let (exit, out, err) = unzip(folder.path(), false);
    assert_eq!(exit, 1);
    assert!(out.contains("1 unpacked"), "{out}");
    for name in ["/a.gz: ", "/b.gz: ", "/d.gz: ", "/e.gz: ", "/.gz: ", "/f.gz: "] {
        assert!(err.contains(name), "{name} in {err}");
    }
    assert_eq!(text(&folder.path().join("a")), "kept");
    assert_eq!(names(folder.path()), [".gz", "a", "a.gz", "b.gz", "c", "c.gz", "d.gz", "e.gz", "f", "f.gz"]);
}

#[test]
fn a_link_under_the_name_of_the_result_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("other"), b"other");
    put(&folder.path().join("a.gz"), &packed(b"a"));
    symlink(folder.path().join("other"), folder.path().join("a")).unwrap();
    assert_eq!(unzip(folder.path(), true).0, 1);
    assert_eq!(text(&folder.path().join("other")), "other");
}

#[test]
fn what_is_not_there_or_not_gzip_by_name_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, _, err) = unzip(&folder.path().join("nothing"), false);
    assert_eq!(exit, 1);
    assert!(err.contains("does not exist"), "{err}");
    put(&folder.path().join("a.csv"), b"a");
    assert_eq!(unzip(&folder.path().join("a.csv"), false).0, 1);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(unzip(empty.path(), false), (0, "0 unpacked\n".to_owned(), String::new()));
}

#[test]
fn it_stops_before_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder.path().join("a.gz"), &packed(b"small"));
    put(&folder.path().join("b.gz"), &packed(&vec![0; 20 << 20]));
    put(&folder.path().join("c.gz"), &packed(b"after"));
    // Room for the first file and a part of the second.
    let looks = Cell::new(0_u64);
    let free = |_: &Path| {
        looks.set(looks.get() + 1);
        Ok(RESERVE + 4 * STRIDE as u64 - (looks.get() - 1) * STRIDE as u64)
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    assert_eq!(run_with(folder.path(), false, &mut out, &mut err, &free), 1);
    let err = String::from_utf8(err).unwrap();
    assert!(err.contains("b.gz: the disk is nearly full") && !err.contains("c.gz"), "{err}");
    assert_eq!(names(folder.path()), ["a", "a.gz", "b.gz", "c.gz"]);
    assert_eq!(looks.get(), 5);
}

#[test]
fn the_real_free_space_is_read() {
    let folder = tempfile::tempdir().unwrap();
    assert!(free_space(folder.path()).unwrap() > 0);
    put(&folder.path().join("a.gz"), &packed(b"a"));
    let mut sink = Vec::new();
    let exit = run(&folder.path().join("a.gz"), false, &mut io::sink(), &mut sink);
    // On a machine that is itself nearly full the right answer is the refusal.
    let full = free_space(folder.path()).unwrap() < RESERVE + STRIDE as u64;
    assert_eq!(exit, u8::from(full), "{}", String::from_utf8_lossy(&sink));
}
