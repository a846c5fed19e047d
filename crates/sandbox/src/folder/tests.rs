//! Every case runs with `openat2` and by steps; the rows are those of spec sandbox.md 13.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode};
use tempfile::TempDir;

use super::*;

fn both(case: impl Fn(&Path, SafeFolder)) {
    for steps in [false, true] {
        // In memory where there is such a folder: ten thousand levels take long on a busy disk.
        let dir = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        let inner = dir.path().join("workspace");
        fs::create_dir(&inner).unwrap();
        fs::write(dir.path().join("secret"), "MARKER").unwrap();
        let folder = SafeFolder::at(&inner).unwrap();
        case(&inner, if steps { folder.by_steps() } else { folder });
        assert_eq!(fs::read_to_string(dir.path().join("secret")).unwrap(), "MARKER");
        remove_tree(&inner).unwrap();
    }
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn text(folder: &SafeFolder, path: &str) -> Result<String, FolderError> {
    let mut out = String::new();
    folder.open(path)?.read_to_string(&mut out).map_err(|e| FolderError::io(path, e))?;
    Ok(out)
}

fn listed(folder: &SafeFolder) -> Vec<(String, Kind)> {
    let mut out = Vec::new();
    let mut walk = folder.walk(1_000_000);
    while let Some(entry) = walk.next() {
        let entry = entry.unwrap();
        out.push((entry.path.to_string_lossy().into_owned(), entry.found.kind));
    }
    out
}

#[test]
fn plain_files_are_read() {
    both(|dir, folder| {
        fs::create_dir_all(dir.join("a/b")).unwrap();
        fs::write(dir.join("a/b/c.txt"), "hello").unwrap();
        assert_eq!(text(&folder, "a/b/c.txt").unwrap(), "hello");
        assert_eq!(text(&folder.folder("a").unwrap(), "b/c.txt").unwrap(), "hello");
        assert!(folder.open("a/b/d.txt").unwrap_err().is_missing());
        assert!(folder.open("x/b/d.txt").unwrap_err().is_missing());
        assert!(matches!(folder.open("a/b").unwrap_err(), FolderError::IsFolder { .. }));
        assert!(
            matches!(folder.open("a/b/c.txt/d").unwrap_err(), FolderError::NotAFolder { path } if path == Path::new("a/b/c.txt"))
        );
        assert!(folder.stat("a/none").unwrap().is_none());
        assert_eq!(folder.stat("a/b/c.txt").unwrap().unwrap().size, 5);
    });
}

#[test]
fn rows_32_and_33_links_are_never_followed() {
    both(|dir, folder| {
        fs::create_dir(dir.join("real")).unwrap();
        fs::write(dir.join("real/x"), "inside").unwrap();
        for (name, target) in [
            ("absolute", dir.join("../secret").to_str().unwrap()),
            ("relative", "../secret"),
            ("inside", "real/x"),
            ("dangling", "nothing"),
            ("loop", "loop"),
            ("proc", "/proc/self/environ"),
        ] {
            symlink(target, dir.join(name)).unwrap();
            assert!(matches!(folder.open(name).unwrap_err(), FolderError::Link { path } if path == Path::new(name)));
            assert_eq!(folder.stat(name).unwrap().unwrap().kind, Kind::Link);
            assert_eq!(folder.read_link(name).unwrap(), target.as_bytes());
            assert!(matches!(folder.create(name, 0o644).unwrap_err(), FolderError::Exists { .. }));
        }
        symlink("real", dir.join("folder")).unwrap();
        symlink("..", dir.join("up")).unwrap();
        for path in ["folder/x", "up/secret"] {
            let link = Path::new(path).parent().unwrap();
            for error in [
                folder.open(path).map(drop).unwrap_err(),
                folder.stat(path).map(drop).unwrap_err(),
                folder.create(path, 0o644).map(drop).unwrap_err(),
                folder.replace(path, 0o644).map(drop).unwrap_err(),
                folder.make_folders(path).map(drop).unwrap_err(),
                folder.symlink("t", path).unwrap_err(),
                folder.remove(path).unwrap_err().first,
                folder.rename_into("real", &folder, path).unwrap_err(),
            ] {
                assert!(matches!(&error, FolderError::Link { path } if path == link), "{path}: {error:?}");
            }
        }
        assert_eq!(fs::read_to_string(dir.join("real/x")).unwrap(), "inside");
    });
}

#[test]
fn row_34_special_files_and_endless_ones_do_not_block() {
    both(|dir, folder| {
        fifo(&dir.join("pipe"));
        let _socket = std::os::unix::net::UnixListener::bind(dir.join("socket")).unwrap();
        assert!(matches!(folder.open("pipe").unwrap_err(), FolderError::Special { kind: Kind::Pipe, .. }));
        assert!(matches!(folder.open("socket").unwrap_err(), FolderError::Special { kind: Kind::Socket, .. }));
        assert!(matches!(folder.open("pipe/x").unwrap_err(), FolderError::Special { .. }));
        let sparse = fs::File::create(dir.join("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        assert_eq!(folder.open("sparse").unwrap().size(), 1 << 40);
    });
}

#[test]
fn a_file_that_grows_or_shrinks_is_an_error() {
    both(|dir, folder| {
        let path = dir.join("f");
        fs::write(&path, "12345").unwrap();
        let mut file = folder.open("f").unwrap();
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"6").unwrap();
        assert!(file.read_to_end(&mut Vec::new()).is_err());
        let mut file = folder.open("f").unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(2).unwrap();
        assert!(file.read_to_end(&mut Vec::new()).is_err());
        assert!(file.check_unchanged().is_err());
    });
}

#[test]
fn writing_makes_parents_and_never_overwrites_by_accident() {
    both(|dir, folder| {
        folder.create("a/b/c", 0o640).unwrap().write_all(b"1").unwrap();
        assert_eq!(fs::metadata(dir.join("a/b/c")).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(matches!(folder.create("a/b/c", 0o640).unwrap_err(), FolderError::Exists { .. }));
        assert!(matches!(folder.create("a/b/c/d", 0o640).unwrap_err(), FolderError::NotAFolder { .. }));
        assert!(matches!(folder.replace("a/b", 0o640).unwrap_err(), FolderError::IsFolder { .. }));
        symlink("../secret", dir.join("l")).unwrap();
        folder.replace("l", 0o600).unwrap().write_all(b"2").unwrap();
        assert_eq!(fs::read_to_string(dir.join("l")).unwrap(), "2");
        folder.write_atomic("a/b/c", 0o644, |f| f.write_all(b"3").map_err(|e| FolderError::io("c", e))).unwrap();
        assert_eq!(fs::read_to_string(dir.join("a/b/c")).unwrap(), "3");
        let failed = folder.write_atomic("a/b/c", 0o644, |_| Err(FolderError::TooMany { limit: 0 }));
        assert!(failed.is_err());
        assert_eq!(fs::read_dir(dir.join("a/b")).unwrap().count(), 1, "no temporary file is left");
        folder.symlink("../../etc", "s").unwrap();
        folder.rename_into("a/b/c", &folder, "z/y/c").unwrap();
        assert_eq!(fs::read_to_string(dir.join("z/y/c")).unwrap(), "3");
        for bad in ["../x", "/x", "a/../x", ""] {
            assert!(matches!(folder.create(bad, 0o644).unwrap_err(), FolderError::BadPath { .. }));
        }
    });
}

#[test]
fn a_walk_is_sorted_and_enters_no_link() {
    both(|dir, folder| {
        fs::create_dir_all(dir.join("b/d")).unwrap();
        fs::write(dir.join("b/d/e"), "").unwrap();
        fs::write(dir.join("b.txt"), "").unwrap();
        symlink("b", dir.join("a")).unwrap();
        fifo(&dir.join("c"));
        let names: Vec<_> = listed(&folder).into_iter().map(|(p, k)| format!("{p} {k:?}")).collect();
        assert_eq!(names, ["a Link", "b Folder", "b/d Folder", "b/d/e File", "b.txt File", "c Pipe"]);
        let mut walk = folder.walk(2);
        assert!(walk.next().unwrap().is_ok());
        assert!(walk.next().unwrap().is_ok());
        assert!(matches!(walk.next(), Some(Err(FolderError::TooMany { limit: 2 }))));
        assert!(walk.next().is_none());
    });
}

#[test]
fn row_36_names_are_bytes() {
    both(|dir, folder| {
        let long = "n".repeat(255);
        for name in [&b"new\nline"[..], b"\x1b[31m", b"\xff\xfe", b"..x", b"-rf", long.as_bytes()] {
            fs::write(dir.join(OsStr::from_bytes(name)), "x").unwrap();
            assert_eq!(folder.open(OsStr::from_bytes(name)).unwrap().size(), 1);
        }
        assert_eq!(listed(&folder).len(), 6);
        let error = folder.open("no\nsuch\x1b").unwrap_err().to_string();
        assert!(!error.contains(['\n', '\x1b']), "{error:?}");
    });
}

#[test]
fn row_27_ten_thousand_levels() {
    both(|_, folder| {
        let mut at = folder.try_clone().unwrap();
        for _ in 0..10_000 {
            at = at.make_folders("d").unwrap();
        }
        at.create("leaf", 0o644).unwrap().write_all(b"deep").unwrap();
        // A handle on the deepest folder would make the kernel look at every level on each removal.
        drop(at);
        let entries = listed(&folder);
        assert_eq!(entries.len(), 10_001);
        let deepest = entries.last().unwrap();
        assert_eq!(deepest.1, Kind::File);
        assert_eq!(text(&folder, &deepest.0).unwrap(), "deep");
        folder.make_folders(format!("{}/e/f", "d/".repeat(5_000) + "d")).unwrap();
        assert_eq!(folder.remove("d").unwrap(), Removed { files: 1, folders: 10_002 });
        assert!(listed(&folder).is_empty());
    });
}

#[test]
fn folders_without_rights_are_removed() {
    both(|dir, folder| {
        fs::create_dir_all(dir.join("a/b/c")).unwrap();
        fs::write(dir.join("a/b/f"), "x").unwrap();
        symlink("/", dir.join("a/root")).unwrap();
        for (path, mode) in [("a/b/c", 0o000), ("a/b", 0o000), ("a", 0o500)] {
            fs::set_permissions(dir.join(path), fs::Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(folder.remove("a").unwrap(), Removed { files: 2, folders: 3 });
        assert_eq!(folder.remove("a").unwrap(), Removed::default());
        symlink("../secret", dir.join("l")).unwrap();
        assert_eq!(remove_tree(&dir.join("l")).unwrap(), Removed { files: 1, folders: 0 });
    });
}

#[test]
fn rights_are_given_back_only_to_files_and_folders() {
    both(|dir, folder| {
        fs::create_dir(dir.join("d")).unwrap();
        fs::write(dir.join("d/f"), "x").unwrap();
        symlink("../secret", dir.join("l")).unwrap();
        fs::set_permissions(dir.join("d/f"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(dir.join("d"), fs::Permissions::from_mode(0o000)).unwrap();
        folder.allow("d").unwrap();
        folder.allow("d/f").unwrap();
        assert_eq!(folder.stat("d").unwrap().unwrap().mode, 0o700);
        assert_eq!(folder.stat("d/f").unwrap().unwrap().mode, 0o400);
        assert!(matches!(folder.allow("l").unwrap_err(), FolderError::Link { .. }));
        fifo(&dir.join("p"));
        assert!(matches!(folder.allow("p").unwrap_err(), FolderError::Special { .. }));
    });
}

#[derive(Debug, Clone, PartialEq)]
enum Thing {
    Folder,
    File(String),
    Link(String),
}

fn things() -> impl Strategy<Value = Vec<(Vec<u8>, Thing)>> {
    let thing = prop_oneof![
        3 => Just(Thing::Folder),
        3 => "[a-z]{0,3}".prop_map(Thing::File),
        2 => prop_oneof![Just("."), Just(".."), Just("a"), Just("../a"), Just("/"), Just("b/c"), Just("../../secret")]
            .prop_map(|t: &str| Thing::Link(t.to_owned())),
    ];
    prop::collection::vec((prop::collection::vec(prop::sample::select(b"abc".to_vec()), 1..4), thing), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Against a naive model: a map from path to thing. Opening works exactly for files below folders.
    #[test]
    fn random_trees(things in things(), asked in prop::collection::vec(prop::collection::vec(prop::sample::select(b"abc".to_vec()), 1..5), 20)) {
        both(|dir, folder| {
            let mut model: BTreeMap<Vec<u8>, Thing> = BTreeMap::new();
            for (path, thing) in &things {
                let parents_are_folders = (1..path.len()).all(|n| model.get(&path[..n]) == Some(&Thing::Folder));
                if !parents_are_folders || model.contains_key(path) {
                    continue;
                }
                let real = dir.join(slashed(path));
                match thing {
                    Thing::Folder => fs::create_dir(&real).unwrap(),
                    Thing::File(text) => fs::write(&real, text).unwrap(),
                    Thing::Link(target) => symlink(target, &real).unwrap(),
                }
                model.insert(path.clone(), thing.clone());
            }
            let expected: Vec<String> = model.keys().map(|p| slashed(p)).collect();
            let walked: Vec<String> = listed(&folder).into_iter().map(|(p, _)| p).collect();
            assert_eq!(walked, expected);
            for path in asked.iter().chain(model.keys()) {
                let shown = slashed(path);
                let below_folders = (1..path.len()).all(|n| model.get(&path[..n]) == Some(&Thing::Folder));
                match model.get(path) {
                    Some(Thing::File(content)) if below_folders => assert_eq!(&text(&folder, &shown).unwrap(), content),
                    _ => assert!(folder.open(&shown).is_err(), "{shown}"),
                }
            }
        });
    }
}

fn slashed(path: &[u8]) -> String {
    path.iter().map(|b| char::from(*b).to_string()).collect::<Vec<_>>().join("/")
}
