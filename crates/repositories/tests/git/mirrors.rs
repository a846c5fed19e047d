//! Which commit is on which branch, from mirrors made and kept over real fetches of local sources.
//! Spec jobs.md 19, 20.

use repositories::{Error, Limits, Mirrors, Network, Refusal};
use tempfile::TempDir;

use crate::rig::{Keep, Source, branch, git, mirrors, settings};

#[test]
fn a_commit_anywhere_on_its_branch_is_found() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 300);
    for back in [0, 1, 15, 16, 17, 127, 128, 299] {
        let root = dir.path().join(format!("mirrors{back}"));
        let commit = line[299 - back];
        let found = mirrors(&root).ensure(&source.repo(), &branch("main"), commit).unwrap();
        let text = format!("version: 3 # {}\n", 299 - back);
        assert_eq!(found.project_file().unwrap().bytes, text.as_bytes(), "{back}");
        let mut keep = Keep::default();
        let summary = found.read_tree(&Limits::BACKEND, &mut keep).unwrap();
        assert_eq!((summary.files, summary.bytes), (1, text.len() as u64));
    }
    // In any order in one mirror as well.
    let root = dir.path().join("one");
    for n in [0, 299, 150, 298, 3, 200, 280] {
        mirrors(&root).ensure(&source.repo(), &branch("main"), line[n]).unwrap();
    }
}

#[test]
fn only_what_the_proof_needs_is_fetched() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 300);
    let count = |root: &str, commit| {
        let found = mirrors(&dir.path().join(root)).ensure(&source.repo(), &branch("main"), commit).unwrap();
        let all = git(found.mirror(), &["cat-file", "--batch-check", "--batch-all-objects"], b"");
        String::from_utf8(all).unwrap().lines().filter(|line| line.contains(" commit ")).count()
    };
    assert_eq!(count("head", line[299]), 1);
    assert_eq!(count("near", line[290]), 16);
    assert_eq!(count("far", line[200]), 128);
}

#[test]
fn refusals_are_told_apart() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let main = source.line("main", 40);
    let other = source.simple("feature", "other", &[&main[3].to_string()]);
    let tagged = source.simple("gone", "tagged", &[&main[3].to_string()]);
    source.git(&["tag", "v9", &tagged.to_string()], b"");
    source.git(&["update-ref", "refs/pull/7/head", &tagged.to_string()], b"");
    source.git(&["update-ref", "-d", "refs/heads/gone"], b"");
    let mirrors = mirrors(&dir.path().join("mirrors"));
    let ensure = |name: &str, commit| mirrors.ensure(&source.repo(), &branch(name), commit);
    let refused = |name: &str, commit| ensure(name, commit).unwrap_err().refusal();

    assert_eq!(refused("missing", main[39]), Some(Refusal::BranchMissing));
    assert_eq!(refused("v9", tagged), Some(Refusal::BranchMissing), "a tag is no branch");
    assert_eq!(refused("main", other), Some(Refusal::CommitNotOnBranch));
    assert_eq!(refused("main", tagged), Some(Refusal::CommitNotOnBranch), "tags and pull requests do not count");
    assert_eq!(refused("feature", main[39]), Some(Refusal::CommitNotOnBranch), "its sibling's later commits");
    let nowhere = "1d5f2671d5f2671d5f2671d5f2671d5f26712345".parse().unwrap();
    assert_eq!(refused("main", nowhere), Some(Refusal::CommitNotFound));
    let tree = source.git(&["rev-parse", "main^{tree}"], b"").parse().unwrap();
    assert_eq!(refused("main", tree), Some(Refusal::CommitNotFound), "a folder is no commit");
    source.git(&["tag", "-a", "-m", "a tag", "annotated", &main[39].to_string()], b"");
    let tag = source.git(&["rev-parse", "annotated"], b"").parse().unwrap();
    for _ in 0..2 {
        assert_eq!(refused("main", tag), Some(Refusal::CommitNotFound), "a tag is none either, also when it is here");
    }
    ensure("feature", other).unwrap();
    ensure("feature", main[3]).unwrap();
    ensure("main", main[0]).unwrap();

    let gone = Source { path: dir.path().join("nowhere") };
    let error = mirrors.ensure(&gone.repo(), &branch("main"), nowhere).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::RepoNotAllowed));
    assert!(!error.is_outage());
}

#[test]
fn what_was_proven_needs_no_network() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 50);
    let other = source.simple("other", "x", &[]);
    let root = dir.path().join("mirrors");
    mirrors(&root).ensure(&source.repo(), &branch("main"), line[45]).unwrap();
    let repo = source.repo();
    std::fs::rename(&source.path, dir.path().join("away")).unwrap();

    let mut offline = settings(&root);
    offline.network = Network::Off;
    let offline = Mirrors::open(offline).unwrap();
    for mirrors in [&mirrors(&root), &offline] {
        let found = mirrors.ensure(&repo, &branch("main"), line[45]).unwrap();
        assert_eq!(found.project_file().unwrap().bytes, b"version: 3 # 45\n");
        // Fetched on the way to the proof, so known to be on the branch.
        mirrors.ensure(&repo, &branch("main"), line[44]).unwrap();
    }
    let error = offline.ensure(&repo, &branch("main"), other).unwrap_err();
    assert!(matches!(error, Error::Offline { .. }) && error.refusal().is_none() && !error.is_outage(), "{error}");
    let wrong_branch = offline.ensure(&repo, &branch("other"), line[45]).unwrap_err();
    assert!(matches!(wrong_branch, Error::Offline { .. }), "a proof holds for its branch alone");
}

#[test]
fn a_branch_that_moves_or_is_rewritten() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 30);
    let mirrors = mirrors(&dir.path().join("mirrors"));
    let ensure = |commit| mirrors.ensure(&source.repo(), &branch("main"), commit);
    ensure(line[29]).unwrap();
    let next = source.simple("main", "next", &[&line[29].to_string()]);
    ensure(next).unwrap();
    let rewritten = source.simple("main", "rewritten", &[&line[10].to_string()]);
    ensure(rewritten).unwrap();
    ensure(next).unwrap();
    ensure(line[5]).unwrap();
    let last = source.simple("main", "last", &[&next.to_string()]);
    source.simple("main", "unrelated", &[]);
    assert_eq!(ensure(last).unwrap_err().refusal(), Some(Refusal::CommitNotOnBranch));
}

#[test]
fn branches_that_are_paths_of_each_other() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let deep = source.simple("a/b", "deep", &[]);
    let mirrors = mirrors(&dir.path().join("mirrors"));
    mirrors.ensure(&source.repo(), &branch("a/b"), deep).unwrap();
    source.git(&["update-ref", "-d", "refs/heads/a/b"], b"");
    let flat = source.simple("a", "flat", &[]);
    mirrors.ensure(&source.repo(), &branch("a"), flat).unwrap();
    // `refs/heads/x/refs/heads/main` ends like `refs/heads/main`, and is not it.
    source.git(&["update-ref", "refs/heads/x/refs/heads/main", &flat.to_string()], b"");
    let error = mirrors.ensure(&source.repo(), &branch("main"), flat).unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::BranchMissing));
}

#[test]
fn tags_and_branches_of_reusable_actions() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let main = source.line("main", 20);
    let unapproved = source.simple("dev", "x", &[&main[19].to_string()]);
    source.git(&["tag", "light", &main[3].to_string()], b"");
    source.git(&["tag", "-a", "-m", "a tag", "annotated", &main[4].to_string()], b"");
    source.git(&["tag", "-a", "-m", "a tag of a tag", "twice", "annotated"], b"");
    source.git(&["branch", "old", &main[5].to_string()], b"");
    source.git(&["branch", "light", &main[6].to_string()], b"");
    source.git(&["tag", "early", &unapproved.to_string()], b"");
    source.git(&["tag", "file", "main:project.yaml"], b"");
    let root = dir.path().join("mirrors");
    let online = mirrors(&root);
    let resolve = |mirrors: &Mirrors, tag: &str| mirrors.resolve_tag(&source.repo(), &tag.parse().unwrap());
    for (tag, commit) in [("light", 3), ("annotated", 4), ("twice", 4), ("old", 5), ("main", 19)] {
        assert_eq!(resolve(&online, tag).unwrap().commit(), main[commit], "{tag}");
    }
    assert!(matches!(resolve(&online, "early").unwrap_err(), Error::NotOnBranch { .. }));
    assert!(matches!(resolve(&online, "dev").unwrap_err(), Error::NotOnBranch { .. }));
    assert!(matches!(resolve(&online, "file").unwrap_err(), Error::CommitNotFound { .. }));
    assert!(matches!(resolve(&online, "v404").unwrap_err(), Error::TagMissing { .. }));
    assert_eq!(online.head(&source.repo(), &branch("old")).unwrap(), main[5]);

    let mut offline = settings(&root);
    offline.network = Network::Off;
    let offline = Mirrors::open(offline).unwrap();
    assert_eq!(resolve(&offline, "annotated").unwrap().commit(), main[4]);
    assert!(matches!(resolve(&offline, "early").unwrap_err(), Error::Offline { .. }));
}

#[test]
fn mirrors_have_nothing_that_runs_and_no_other_objects() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let commit = source.simple("main", "x", &[]);
    let found = mirrors(&dir.path().join("mirrors")).ensure(&source.repo(), &branch("main"), commit).unwrap();
    let names: Vec<String> = std::fs::read_dir(found.mirror())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for absent in ["hooks", "FETCH_HEAD", "logs"] {
        assert!(!names.iter().any(|name| name == absent), "{names:?}");
    }
    assert!(!found.mirror().join("objects/info/alternates").exists());
    let config = std::fs::read_to_string(found.mirror().join("config")).unwrap();
    assert!(!config.contains("remote") && !config.contains("url"), "{config}");
}

#[test]
fn many_fetches_leave_few_packs() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let mirrors = mirrors(&dir.path().join("mirrors"));
    let mut commits = source.line("main", 3);
    let first = mirrors.ensure(&source.repo(), &branch("main"), commits[2]).unwrap();
    let packs = || {
        let names = std::fs::read_dir(first.mirror().join("objects/pack")).unwrap();
        names.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "pack")).count()
    };
    let mut most = 0;
    for n in 0..34 {
        let last = commits.last().unwrap().to_string();
        commits.push(source.simple("main", &format!("text {n}"), &[&last]));
        mirrors.ensure(&source.repo(), &branch("main"), commits[commits.len() - 1]).unwrap();
        most = most.max(packs());
    }
    assert!(most >= 30 && packs() < 20, "{most} packs, then {}", packs());
    for commit in commits {
        mirrors.ensure(&source.repo(), &branch("main"), commit).unwrap().project_file().unwrap();
    }
}

#[test]
fn a_mirror_that_somebody_broke_is_no_refusal() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let line = source.line("main", 3);
    let mirrors = mirrors(&dir.path().join("mirrors"));
    let found = mirrors.ensure(&source.repo(), &branch("main"), line[2]).unwrap();
    let head = found.mirror().join("HEAD");
    std::fs::write(&head, "nothing that git knows").unwrap();
    let error = mirrors.ensure(&source.repo(), &branch("main"), line[1]).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }) && error.refusal().is_none(), "{error}");
    // What the message says helps.
    std::fs::remove_dir_all(found.mirror()).unwrap();
    mirrors.ensure(&source.repo(), &branch("main"), line[1]).unwrap();
}

#[test]
fn a_name_stands_for_a_commit_of_the_branch_that_is_asked_about() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let study = source.line("study", 5);
    let main = source.simple("main", "other", &[]);
    source.git(&["tag", "v1", &study[2].to_string()], b"");
    source.git(&["tag", "-a", "-m", "x", "v2", &study[3].to_string()], b"");
    source.git(&["tag", "v3", &main.to_string()], b"");
    let root = dir.path().join("mirrors");
    let mirrors = mirrors(&root);
    let named = |mirrors: &Mirrors, name: &str| mirrors.named(&source.repo(), &name.parse().unwrap(), &branch("study"));
    for (name, commit) in [("v1", study[2]), ("v2", study[3]), ("study", study[4])] {
        assert_eq!(named(&mirrors, name).unwrap().commit(), commit, "{name}");
    }
    for name in ["v3", "main"] {
        assert_eq!(named(&mirrors, name).unwrap_err().refusal(), Some(Refusal::CommitNotOnBranch), "{name}");
    }
    assert!(matches!(named(&mirrors, "v9").unwrap_err(), Error::TagMissing { .. }));
    let mut offline = settings(&root);
    offline.network = Network::Off;
    let offline = Mirrors::open(offline).unwrap();
    assert_eq!(named(&offline, "v2").unwrap().commit(), study[3]);
    assert!(matches!(named(&offline, "v9").unwrap_err(), Error::Offline { .. }));
}

#[test]
fn a_pinned_commit_outlives_its_branch() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let (first, second) = (source.simple("main", "1", &[]), source.simple("other", "2", &[]));
    let mirrors = mirrors(&dir.path().join("mirrors"));
    let main = branch("main");
    mirrors.ensure(&source.repo(), &main, first).unwrap();
    let found = mirrors.ensure(&source.repo(), &main, first).unwrap();
    found.pin().unwrap();
    found.pin().unwrap();
    source.git(&["update-ref", "refs/heads/main", &second.to_string()], b"");
    mirrors.ensure(&source.repo(), &main, second).unwrap();
    git(found.mirror(), &["-c", "gc.pruneExpire=now", "gc", "--quiet", "--prune=now"], b"");
    let again = mirrors.ensure(&source.repo(), &main, first).unwrap();
    assert_eq!(again.project_file().unwrap().bytes, b"1");
}

#[test]
fn names_of_a_tree_are_told_without_its_bytes() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let (one, two) = (source.blob(b"one"), source.blob(b"two"));
    let below = source.tree(&[("100755", b"run.sh", &two)]);
    let tree = source.tree(&[("100644", b"a", &one), ("120000", b"link", &one), ("40000", b"sub", &below)]);
    let commit = source.commit("main", &tree, &[]);
    let found = mirrors(&dir.path().join("mirrors")).ensure(&source.repo(), &branch("main"), commit).unwrap();
    let names = found.names(&Limits::BACKEND).unwrap();
    let told: Vec<_> = names
        .files
        .iter()
        .map(|file| (file.path.as_str().unwrap(), file.executable, data_encoding::HEXLOWER.encode(&file.blob)))
        .collect();
    assert_eq!(told, [("a", false, one), ("sub/run.sh", true, two)]);
    assert_eq!(names.tree_id, tree);
    let few = Limits { files: 2, ..Limits::BACKEND };
    assert!(found.names(&few).is_err());
    let mut reader = found.reader().unwrap();
    assert_eq!(reader.file("sub/run.sh", 3).unwrap(), b"two");
    for bad in ["link", "sub", "none", "a/b", ""] {
        assert!(reader.file(bad, 3).is_err(), "{bad}");
    }
    assert!(reader.file("a", 2).is_err());
    assert_eq!(reader.file("a", 3).unwrap(), b"one");
}
