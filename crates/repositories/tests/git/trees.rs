//! Trees: random ones read back equal, limits to the entry and byte, and trees made to exhaust whoever lists them.
//! Spec jobs.md 20, 23.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use repositories::{Error, Limits, ReadError, TreeLimit};
use tempfile::TempDir;

use crate::hostile::Planted;
use crate::rig::{Got, Keep, Source, branch, git, mirrors, raw_tree};

/// Names that git takes, the odd ones among them.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => "[a-c]{1,2}".prop_map(String::into_bytes),
        1 => "[-A-Za-z0-9 ._é\u{202e}\"'$*?\\\\]{1,8}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(1_u8..=255, 1..5),
    ]
    .prop_filter("not a name of git's own", |name: &Vec<u8>| {
        let text = String::from_utf8_lossy(name).to_lowercase();
        !name.contains(&b'/') && name != b"." && name != b".." && !text.contains(".git") && !text.contains("git~1")
    })
}

fn content() -> impl Strategy<Value = Got> {
    prop_oneof![
        4 => (any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(executable, bytes)| Got::File { executable, bytes }),
        1 => (0_usize..3).prop_map(|n| Got::File { executable: false, bytes: vec![b'x'; 70_000 * n] }),
        1 => proptest::collection::vec(1_u8..=255, 1..20).prop_map(Got::Link),
    ]
}

/// Files by path; a path below a file or link is left out, and so are names that differ only in case beside a link.
fn tree() -> impl Strategy<Value = BTreeMap<Vec<u8>, Got>> {
    let path = proptest::collection::vec(name(), 1..5);
    proptest::collection::vec((path, content()), 0..30).prop_map(|wanted| {
        let mut all: BTreeMap<Vec<u8>, Got> = BTreeMap::new();
        let folded = |path: &[u8]| String::from_utf8_lossy(path).to_lowercase();
        for (path, got) in wanted {
            let path = path.join(&b'/');
            let clash = all.keys().any(|other| {
                let (a, b) = (folded(other) + "/", folded(&path) + "/");
                a.starts_with(&b) || b.starts_with(&a)
            });
            if !clash {
                all.insert(path, got);
            }
        }
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn what_git_wrote_is_read_back(wanted in tree()) {
        let dir = TempDir::new().unwrap();
        let source = Source::new(&dir.path().join("source"));
        let mut stream = b"commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n".to_vec();
        for (path, got) in &wanted {
            let (mode, bytes) = match got {
                Got::File { executable: true, bytes } => ("100755", bytes),
                Got::File { executable: false, bytes } => ("100644", bytes),
                Got::Link(target) => ("120000", target),
            };
            let quoted: String = path.iter().map(|b| format!("\\{b:03o}")).collect();
            stream.extend(format!("M {mode} inline \"{quoted}\"\ndata {}\n", bytes.len()).into_bytes());
            stream.extend_from_slice(bytes);
            stream.push(b'\n');
        }
        git(&source.path, &["fast-import", "--quiet"], &stream);
        let commit = source.git(&["rev-parse", "main"], b"").parse().unwrap();
        let found = mirrors(&dir.path().join("mirrors")).ensure(&source.repo(), &branch("main"), commit).unwrap();
        let mut keep = Keep::default();
        let summary = found.read_tree(&Limits::BACKEND, &mut keep).unwrap();
        prop_assert_eq!(&keep.all, &wanted);
        prop_assert_eq!(summary.tree_id, source.git(&["rev-parse", "main^{tree}"], b""));
        let files = wanted.values().filter(|got| matches!(got, Got::File { .. })).count() as u64;
        prop_assert_eq!((summary.files, summary.links), (files, wanted.len() as u64 - files));
        for (path, got) in &wanted {
            if let (Ok(path), Got::File { bytes, .. }) = (std::str::from_utf8(path), got) {
                prop_assert_eq!(&found.file(path, u64::MAX).unwrap(), bytes);
            }
        }
    }
}

fn too_large(planted: &Planted, tree: &str, limits: Limits) -> Option<TreeLimit> {
    let mut keep = Keep::default();
    match planted.commit(tree).read_tree(&limits, &mut keep) {
        Ok(_) => None,
        Err(ReadError::TooLarge { limit, .. }) => {
            assert_eq!((keep.stored, keep.all.len()), (0, 0), "judged before a byte is read");
            Some(limit)
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn limits_hold_to_the_entry_and_byte() {
    let planted = Planted::new();
    let inside = &planted.inside;
    let (ten, link) = (inside.blob(&[b'x'; 10]), inside.blob(b"a"));
    let folder = inside.tree(&[("100644", b"a", &ten), ("100644", b"b", &ten), ("120000", b"c", &link)]);
    let tree = inside.tree(&[("40000", b"one", &folder), ("40000", b"two", &folder)]);
    let exact = Limits { files: 6, bytes: 40, one_file: 10 };
    assert_eq!(too_large(&planted, &tree, exact), None);
    assert_eq!(too_large(&planted, &tree, Limits { files: 5, ..exact }), Some(TreeLimit::Entries(5)));
    assert_eq!(too_large(&planted, &tree, Limits { bytes: 39, ..exact }), Some(TreeLimit::Bytes(39)));
    let one = Some(TreeLimit::OneFile { size: 10, limit: 9 });
    assert_eq!(too_large(&planted, &tree, Limits { one_file: 9, ..exact }), one);
    let folders = inside.tree(&[("40000", b"a", &folder), ("40000", b"b", &folder), ("40000", b"c", &folder)]);
    assert_eq!(too_large(&planted, &folders, Limits { files: 9, ..exact }), Some(TreeLimit::Bytes(40)));
    let mut keep = Keep::default();
    planted.commit(&tree).read_tree(&exact, &mut keep).unwrap();
    assert_eq!((keep.all.len(), keep.stored), (6, 1), "a blob is read once however often it is named");
}

/// `levels` trees, each holding the one below `wide` times.
fn bomb(inside: &Source, bottom: &str, wide: usize, levels: usize) -> String {
    let names: Vec<String> = (0..wide).map(|n| format!("{n}")).collect();
    inside.trees(bottom.to_owned(), levels, |below| {
        let entries: Vec<(&str, &[u8], &str)> = names.iter().map(|name| ("40000", name.as_bytes(), below)).collect();
        raw_tree(&entries)
    })
}

#[test]
fn row_41_trees_that_name_themselves_a_million_times_stop_at_the_limit() {
    let planted = Planted::new();
    let inside = &planted.inside;
    let blob = inside.blob(&[b'x'; 100]);
    let names: Vec<String> = (0..10).map(|n| format!("f{n}")).collect();
    let files: Vec<(&str, &[u8], &str)> = names.iter().map(|name| ("100644", name.as_bytes(), blob.as_str())).collect();
    let of_files = bomb(inside, &inside.tree(&files), 10, 12);
    // Positive control: git counts what is really there, 10 per level and no more; expanded it is 10^13 files.
    let all = git(&inside.path, &["rev-list", "--objects", "--no-object-names", &of_files], b"");
    assert_eq!(String::from_utf8(all).unwrap().lines().count(), 14);
    assert_eq!(too_large(&planted, &of_files, Limits::BACKEND), Some(TreeLimit::Entries(200_000)));
    let of_nothing = bomb(inside, &inside.tree(&[]), 10, 12);
    assert_eq!(
        too_large(&planted, &of_nothing, Limits::BACKEND),
        Some(TreeLimit::Entries(200_000)),
        "empty folders too"
    );
    // Wide at the bottom of long paths: what must stay small is the sum of the paths.
    let deep = bomb(inside, &bomb(inside, &inside.tree(&files), 10, 4), 1, 1500);
    assert_eq!(too_large(&planted, &deep, Limits::BACKEND), Some(TreeLimit::Paths(64 << 20)));
    // 20,000 names of one blob of 1 MiB: 20 GB to write, one object to fetch.
    let mib = inside.blob(&vec![b'x'; 1 << 20]);
    let wide: Vec<String> = (0..20_000).map(|n| format!("{n}")).collect();
    let wide: Vec<(&str, &[u8], &str)> = wide.iter().map(|name| ("100644", name.as_bytes(), mib.as_str())).collect();
    assert_eq!(too_large(&planted, &inside.tree(&wide), Limits::BACKEND), Some(TreeLimit::Bytes(4 << 30)));
}

#[test]
fn row_41_a_tree_of_a_million_entries_and_one_of_ten_thousand_levels() {
    let planted = Planted::new();
    let inside = &planted.inside;
    let blob = inside.blob(b"x");
    let names: Vec<String> = (0..1_000_000).map(|n| format!("{n:07}")).collect();
    let entries: Vec<(&str, &[u8], &str)> =
        names.iter().map(|name| ("100644", name.as_bytes(), blob.as_str())).collect();
    let tree = inside.tree(&entries);
    // A single folder may not even be listed beyond twice the limit: files and folders count apart.
    assert_eq!(too_large(&planted, &tree, Limits::BACKEND), Some(TreeLimit::Entries(400_000)));
    let error = planted.commit(&tree).project_file().unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
    let tree = inside.tree(&entries[..200_001]);
    assert_eq!(too_large(&planted, &tree, Limits::BACKEND), Some(TreeLimit::Entries(200_000)));

    let levels = deep(inside, "deep", 10_000);
    let tree = inside.git(&["rev-parse", &format!("{levels}^{{tree}}")], b"");
    assert_eq!(too_large(&planted, &tree, Limits::BACKEND), Some(TreeLimit::Path(4095)));
}

/// A commit with one file so many folders down, made as one pack: a process for each tree would take a minute.
fn deep(source: &Source, branch: &str, levels: usize) -> repositories::Commit {
    source.git(&["config", "core.maxTreeDepth", "100000"], b"");
    let mut stream = format!("commit refs/heads/{branch}\ncommitter A <a@example.org> 1 +0000\ndata 0\n");
    stream += &format!("M 100644 inline {}x\ndata 1\nx\n", "d/".repeat(levels));
    git(&source.path, &["fast-import", "--quiet"], stream.as_bytes());
    source.git(&["rev-parse", branch], b"").parse().unwrap()
}

#[test]
fn bytes_that_are_not_what_their_name_says_are_noticed() {
    let planted = Planted::new();
    let inside = &planted.inside;
    let (blob, other) = (inside.blob(b"the code that was reviewed"), inside.blob(b"something else entirely...."));
    let tree = inside.tree(&[("100644", b"project.yaml", &blob)]);
    let found = planted.commit(&tree);
    assert_eq!(found.project_file().unwrap().bytes, b"the code that was reviewed");
    // Somebody swaps the objects in the mirror.
    let file = |id: &str| inside.path.join("objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(file(&blob)).unwrap();
    fs::copy(file(&other), file(&blob)).unwrap();
    for error in [
        found.project_file().unwrap_err().to_string(),
        found.read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap_err().to_string(),
    ] {
        assert!(error.contains("is damaged") && error.contains(&blob), "{error}");
    }
    fs::remove_file(file(&blob)).unwrap();
    fs::write(file(&blob), "no object at all").unwrap();
    assert!(found.project_file().unwrap_err().to_string().contains("is damaged"));
    fs::remove_file(file(&blob)).unwrap();
    assert!(found.project_file().unwrap_err().to_string().contains("is damaged"));
}

#[test]
fn hostile_trees_that_come_by_a_fetch() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let blob = source.blob(b"x");
    let folder = source.tree(&[("100644", b"x", &blob)]);
    let mirrors = mirrors(&dir.path().join("mirrors"));
    let mut said = BTreeMap::new();
    for (what, entries) in [
        ("dot git", vec![("40000", b".git".as_slice(), folder.as_str())]),
        ("dots", vec![("40000", b"..".as_slice(), folder.as_str())]),
        ("slash", vec![("100644", b"../../x".as_slice(), blob.as_str())]),
        ("twice", vec![("100644", b"a".as_slice(), blob.as_str()), ("100644", b"a".as_slice(), blob.as_str())]),
        ("device", vec![("60000", b"a".as_slice(), blob.as_str())]),
    ] {
        let commit = source.commit("main", &source.tree(&entries), &[]);
        let found = mirrors.ensure(&source.repo(), &branch("main"), commit).unwrap();
        let error = found.read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap_err();
        assert!(matches!(error, ReadError::BadCommit { .. }), "{what}: {error}");
        let commit = commit.to_string();
        said.insert(what, error.to_string().replace(&commit, "0123456"));
    }
    insta::assert_debug_snapshot!(said, @r#"
    {
        "device": "commit 0123456 cannot be used: `a` is of an unknown kind (mode 60000)",
        "dot git": "commit 0123456 cannot be used: `.git` is named like git's own folder",
        "dots": "commit 0123456 cannot be used: `..` has a name that no file can have",
        "slash": "commit 0123456 cannot be used: `../../x` has a name that no file can have",
        "twice": "commit 0123456 cannot be used: `a` is there twice",
    }
    "#);
    let ensure = |name: &str, levels| {
        let commit = deep(&source, name, levels);
        mirrors.ensure(&source.repo(), &branch(name), commit)
    };
    // What can be written by its path at all is read; beyond it git itself stops, and that is no outage.
    ensure("shallow", 2_000).unwrap().read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap();
    let error = ensure("deep", 3_000).unwrap().read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { limit: TreeLimit::Path(_), .. }), "{error}");
    match ensure("deeper", 10_000) {
        Err(error) => assert!(matches!(error, Error::TooDeep { .. }), "{error}"),
        // Older versions of git do not count levels.
        Ok(found) => drop(found.read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap_err()),
    }
}
