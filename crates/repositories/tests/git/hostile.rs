//! Rows 41 and 42 of spec sandbox.md 13: repositories that try to run something, to write outside, to exhaust us.
//! Each has a positive control: the same repository in the hands of plain git, or of a writer that trusts names, does harm.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use repositories::{BadTree, CommitOnBranch, FileError, FileKind, Limits, ReadError, Refusal};
use sha1::{Digest, Sha1};
use tempfile::TempDir;

use crate::child;
use crate::rig::{Got, Keep, Source, branch, git, mirrors, quiet};

/// Objects put straight into a mirror, as a hostile server could: git's own server refuses to send some of them.
pub(crate) struct Planted {
    root: TempDir,
    from: Source,
    /// The mirror, to be filled.
    pub(crate) inside: Source,
}

impl Planted {
    pub(crate) fn new() -> Self {
        let root = TempDir::new().unwrap();
        let from = Source::new(&root.path().join("source"));
        let first = from.simple("main", "x", &[]);
        let found = mirrors(&root.path().join("mirrors")).ensure(&from.repo(), &branch("main"), first).unwrap();
        let inside = Source { path: found.mirror().to_owned() };
        Self { root, from, inside }
    }

    /// The commit of a tree, with the ref that says it was proven.
    pub(crate) fn commit(&self, tree: &str) -> CommitOnBranch {
        let text = format!("tree {tree}\nauthor A <a@example.org> 1 +0000\ncommitter A <a@example.org> 1 +0000\n\nx\n");
        let id = self.inside.object("commit", text.as_bytes());
        let main = data_encoding::HEXLOWER.encode(&Sha1::digest("main"));
        // By hand: git would look whether the tree is there.
        let file = self.inside.path.join(format!("refs/cloister/on/{main}/{id}"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, format!("{id}\n")).unwrap();
        let mirrors = mirrors(&self.root.path().join("mirrors"));
        mirrors.ensure(&self.from.repo(), &branch("main"), id.parse().unwrap()).unwrap()
    }

    /// The entry that a tree is refused for, and why.
    pub(crate) fn refused(&self, tree: &str) -> (String, BadTree) {
        let mut keep = Keep::default();
        match self.commit(tree).read_tree(&Limits::BACKEND, &mut keep).unwrap_err() {
            ReadError::BadCommit { path, why, .. } => {
                assert_eq!(keep.stored, 0, "nothing may be read before all names are checked");
                (path.to_string(), why)
            }
            other => panic!("{other}"),
        }
    }
}

/// A settings file and hooks that run `touch MARK`, as a careless user or a shared machine may have them.
struct Trap {
    dir: TempDir,
}

impl Trap {
    fn new() -> Self {
        let dir = TempDir::new_in("/tmp").unwrap();
        let at = dir.path().to_str().unwrap().to_owned();
        let script = format!("#!/bin/sh\necho \"$0\" >>{at}/mark\ncat\n");
        for hook in ["hooks/post-checkout", "hooks/reference-transaction", "template/hooks/post-checkout", "smudge"] {
            let path = dir.path().join(hook);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let script = if hook == "smudge" { script.clone() } else { script.replace("cat\n", "cat >/dev/null\n") };
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let config = format!(
            "[core]\n hooksPath = {at}/hooks\n fsmonitor = {at}/smudge\n autocrlf = true\n\
             [filter \"trap\"]\n smudge = {at}/smudge\n clean = {at}/smudge\n required = true\n\
             [init]\n templateDir = {at}/template\n[protocol]\n allow = always\n[protocol \"ext\"]\n allow = always\n\
             [submodule]\n recurse = true\n[fetch]\n recurseSubmodules = true\n\
             [uploadpack]\n packObjectsHook = {at}/smudge\n[url \"ext::sh {at}/smudge %S \"]\n insteadOf = trap:\n"
        );
        fs::write(dir.path().join(".gitconfig"), config).unwrap();
        Self { dir }
    }

    fn mark(&self) -> Option<String> {
        fs::read_to_string(self.dir.path().join("mark")).ok()
    }

    /// The environment in which all of it works.
    fn around(&self, command: &mut Command) {
        let at = self.dir.path();
        command.env("HOME", at).env("XDG_CONFIG_HOME", at).env("GIT_TEMPLATE_DIR", at.join("template"));
        command.env("GIT_TRACE", at.join("trace")).env("GIT_ASKPASS", at.join("smudge"));
        command.env("GIT_CONFIG_PARAMETERS", format!("'core.hooksPath'='{}'", at.join("hooks").display()));
    }
}

/// A commit whose attributes ask for everything that attributes can ask for.
fn attributes(source: &Source, trap: &Trap) -> repositories::Commit {
    let text = "a $Id$ $Format:%H$\r\nline\n";
    let attributes = "* filter=trap\n*.txt ident export-subst text eol=crlf working-tree-encoding=UTF-16\nsecret.txt export-ignore\n";
    let modules =
        format!("[submodule \"sub\"]\n path = sub\n url = ext::sh -c touch% {}/submodule\n", trap.dir.path().display());
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let (text, attributes) = (source.blob(text.as_bytes()), source.blob(attributes.as_bytes()));
    let (modules, pointer) = (source.blob(modules.as_bytes()), source.blob(pointer.as_bytes()));
    let tree = source.tree(&[
        ("100644", b".gitattributes", &attributes),
        ("100644", b".gitmodules", &modules),
        ("100644", b"a.txt", &text),
        ("100644", b"big.csv", &pointer),
        ("100644", b"project.yaml", &text),
        ("100644", b"secret.txt", &text),
        ("160000", b"sub", "1111111111111111111111111111111111111111"),
    ]);
    source.commit("main", &tree, &[])
}

#[test]
fn row_41_hooks_filters_attributes_and_submodules_do_nothing() {
    let trap = Trap::new();
    let dir = TempDir::new_in("/tmp").unwrap();
    let source = Source::new(&dir.path().join("source"));
    let commit = attributes(&source, &trap);

    // Positive control: plain git runs hooks and filters, and changes bytes.
    let work = dir.path().join("work");
    let mut clone = Command::new("git");
    clone.args(["clone", "-q"]).arg(&source.path).arg(&work).env("HOME", trap.dir.path());
    assert!(clone.output().unwrap().status.success());
    let mark = trap.mark().unwrap();
    assert!(mark.contains("smudge") && mark.contains("hooks/post-checkout"), "{mark}");
    assert_ne!(fs::read(work.join("a.txt")).unwrap(), b"a $Id$ $Format:%H$\r\nline\n");
    let mut update = Command::new("git");
    update.current_dir(&work).env("HOME", trap.dir.path()).args(["submodule", "update", "--init", "-q"]);
    let _ = update.output().unwrap();
    assert!(trap.dir.path().join("submodule").exists(), "the control runs what .gitmodules says");
    fs::remove_file(trap.dir.path().join("mark")).unwrap();
    fs::remove_file(trap.dir.path().join("submodule")).unwrap();
    let _ = fs::remove_file(trap.dir.path().join("trace"));

    // The room, in the same surroundings.
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let mut start = Command::new(std::env::current_exe().unwrap());
    trap.around(&mut start);
    let done = child::command(start, &root, &source, &commit.to_string()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = child::report(&root);
    assert_eq!(said[0], "files 6 links 0", "{said:?}");
    for file in ["a.txt", "secret.txt", "project.yaml"] {
        assert!(said.contains(&format!("{file} = a $Id$ $Format:%H$\\r\\nline\\n")), "{said:?}");
    }
    assert_eq!(trap.mark(), None, "nothing was executed");
    for left in ["submodule", "trace"] {
        assert!(!trap.dir.path().join(left).exists(), "{left}");
    }
}

#[test]
fn row_41_lfs_pointers_and_submodules_are_named() {
    let trap = Trap::new();
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let commit = attributes(&source, &trap);
    let found = mirrors(&dir.path().join("mirrors")).ensure(&source.repo(), &branch("main"), commit).unwrap();
    let mut keep = Keep::default();
    let summary = found.read_tree(&Limits::BACKEND, &mut keep).unwrap();
    let names = |paths: &[repositories::TreePath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&summary.lfs_pointers), ["big.csv"]);
    assert_eq!(names(&summary.submodules), ["sub"]);
    assert!(!keep.all.contains_key(b"sub".as_slice()));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n".to_vec();
    assert_eq!(keep.all[b"big.csv".as_slice()], Got::File { executable: false, bytes: pointer });
}

/// What a writer does that trusts the names of a tree: each entry in its order, by its path.
fn naive_write(tree: &[(&str, &str, &str)], at: &Path) {
    for (mode, path, content) in tree {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match *mode {
            "120000" => symlink(content, path).unwrap(),
            _ => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }
}

#[test]
fn row_41_a_folder_named_like_gits_own_is_refused() {
    let dir = TempDir::new().unwrap();
    let mark = dir.path().join("mark");
    let hook = format!("#!/bin/sh\ntouch {}\n", mark.display());

    // Positive control: written by its names, the hook of the tree is run by the next command of git.
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    let plain = |words: &[&str]| {
        let done = Command::new("git").current_dir(&work).envs(quiet()).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}");
    };
    plain(&["init", "-q", "--initial-branch=main"]);
    naive_write(&[("100755", ".git/hooks/post-checkout", &hook), ("100644", "a", "a")], &work);
    plain(&["add", "a"]);
    plain(&["commit", "-q", "-m", "x"]);
    plain(&["checkout", "-q", "-b", "other"]);
    assert!(mark.exists(), "the control runs the hook");
    fs::remove_file(&mark).unwrap();

    let planted = Planted::new();
    let inside = &planted.inside;
    let blob = inside.blob(hook.as_bytes());
    let hooks = inside.tree(&[("100755", b"post-checkout", &blob)]);
    let folder = inside.tree(&[("40000", b"hooks", &hooks)]);
    for name in [".git", ".GIT", ".gIt", "git~1", ".git ", ".git.", ".git::$INDEX_ALLOCATION", ".g\u{200c}it"] {
        let tree = inside.tree(&[("40000", name.as_bytes(), &folder)]);
        let shown = repositories::visible(name);
        assert_eq!(planted.refused(&tree), (shown.clone(), BadTree::DotGit), "{name}");
        let below = inside.tree(&[("100644", b"a", &blob), ("40000", b"deep", &tree)]);
        assert_eq!(planted.refused(&below), (format!("deep/{shown}"), BadTree::DotGit), "{name}");
        let file = inside.tree(&[("100644", name.as_bytes(), &blob)]);
        assert_eq!(planted.refused(&file).1, BadTree::DotGit, "{name} as a file, which points to a repository");
    }
    assert!(!mark.exists());
}

#[test]
fn row_41_names_that_lead_outside_are_refused() {
    let dir = TempDir::new().unwrap();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let target = outside.to_str().unwrap();

    // Positive control: a writer that trusts names writes outside in each of these ways.
    for (way, tree) in [
        ("up", vec![("100644", "../outside/up", "x")]),
        ("twice", vec![("120000", "a", target), ("100644", "a/twice", "x")]),
    ] {
        let work = dir.path().join("work");
        fs::create_dir(&work).unwrap();
        naive_write(&tree, &work);
        assert!(outside.join(way).exists(), "the control writes outside: {way}");
        fs::remove_file(outside.join(way)).unwrap();
        fs::remove_dir_all(&work).unwrap();
    }

    let planted = Planted::new();
    let inside = &planted.inside;
    let (blob, link) = (inside.blob(b"x"), inside.blob(target.as_bytes()));
    let folder = inside.tree(&[("100644", b"x", &blob)]);
    let refused = |entries: &[(&str, &[u8], &str)]| planted.refused(&inside.tree(entries));
    for name in ["..", ".", "", "a/b", "../x", "/etc/passwd", "a\0"] {
        // A NUL ends a name in the raw tree, so what follows it is garbage there.
        let why = if name.contains('\0') { BadTree::Malformed } else { BadTree::Name };
        let (_, found) = refused(&[("100644", name.as_bytes(), &blob)]);
        assert_eq!(found, why, "{name:?}");
        let (_, found) = refused(&[("40000", name.as_bytes(), &folder)]);
        assert_eq!(found, why, "{name:?} as a folder");
    }
    assert_eq!(refused(&[("120000", b"a", &link), ("40000", b"a", &folder)]), ("a".to_owned(), BadTree::Twice));
    let spread: [(&str, &[u8], &str); 3] =
        [("120000", b"a", &link), ("100644", b"a.b", &blob), ("40000", b"a", &folder)];
    assert_eq!(refused(&spread), ("a".to_owned(), BadTree::Twice), "as git's own order puts them");
    assert_eq!(refused(&[("100644", b"z", &blob), ("100644", b"z", &link)]).1, BadTree::Twice);
    assert_eq!(refused(&[("100644", b"a\x1b[2J", &blob), ("100644", b"a\x1b[2J", &blob)]).0, "a\\u{1b}[2J");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn row_41_case_twins_are_two_files_or_refused() {
    let planted = Planted::new();
    let inside = &planted.inside;
    let (one, two, link) = (inside.blob(b"one"), inside.blob(b"two"), inside.blob(b"/tmp"));
    let folder = inside.tree(&[("100644", b"x", &one)]);
    let tree = inside.tree(&[("100644", b"README", &one), ("100644", b"readme", &two)]);
    let mut keep = Keep::default();
    planted.commit(&tree).read_tree(&Limits::BACKEND, &mut keep).unwrap();
    assert_eq!(keep.all[b"README".as_slice()], Got::File { executable: false, bytes: b"one".to_vec() });
    assert_eq!(keep.all[b"readme".as_slice()], Got::File { executable: false, bytes: b"two".to_vec() });
    // Where case does not count, the file would be written through the link.
    let tree = inside.tree(&[("120000", b"A", &link), ("40000", b"a", &folder)]);
    assert_eq!(planted.refused(&tree), ("a".to_owned(), BadTree::CaseTwin));
    let tree = inside.tree(&[("40000", b"\xc3\x89", &folder), ("120000", b"\xc3\xa9", &link)]);
    assert_eq!(planted.refused(&tree).1, BadTree::CaseTwin, "letters beyond ASCII as well");
}

#[test]
fn row_41_entries_that_lie_about_their_objects() {
    let planted = Planted::new();
    let inside = &planted.inside;
    let (blob, nul) = (inside.blob(b"x"), inside.blob(b"a\0b"));
    let (empty, long) = (inside.blob(b""), inside.blob(&[b'x'; 4096]));
    let folder = inside.tree(&[("100644", b"x", &blob)]);
    let why = |entries: &[(&str, &[u8], &str)]| planted.refused(&inside.tree(entries));
    assert_eq!(why(&[("100644", b"f", &folder)]), ("f".to_owned(), BadTree::WrongKind));
    assert_eq!(why(&[("40000", b"d", &blob)]), ("d".to_owned(), BadTree::WrongKind));
    assert_eq!(why(&[("120000", b"l", &empty)]), ("l".to_owned(), BadTree::Target));
    assert_eq!(why(&[("100644", b"f", &long), ("120000", b"l", &long)]), ("l".to_owned(), BadTree::Target));
    assert_eq!(why(&[("60000", b"dev", &blob)]), ("dev".to_owned(), BadTree::Mode(0o060_000)));
    let found = planted.commit(&inside.tree(&[("120000", b"l", &nul)]));
    let error = found.read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap_err();
    assert!(matches!(error, ReadError::BadCommit { why: BadTree::Target, .. }), "{error}");
    let found = planted.commit(&"1".repeat(40));
    assert!(matches!(found.read_tree(&Limits::BACKEND, &mut Keep::default()).unwrap_err(), ReadError::Repository(_)));
    assert!(matches!(planted.commit(&blob).project_file().unwrap_err(), FileError::Tree(ReadError::BadCommit { .. })));
    let cut = inside.object("tree", b"100644 a\0short");
    assert_eq!(planted.refused(&cut).1, BadTree::Malformed);
}

#[test]
fn row_42_project_yaml_must_be_a_file_of_bearable_size() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let secret = dir.path().join("secret");
    fs::write(&secret, "patients").unwrap();
    let link = source.blob(secret.to_str().unwrap().as_bytes());
    let tree = source.tree(&[("120000", b"project.yaml", &link)]);
    let linked = source.commit("main", &tree, &[]);

    // Positive control: plain git makes the link, and whoever opens the path reads the secret.
    let work = dir.path().join("work");
    let clone = ["clone", "-q", source.path.to_str().unwrap(), work.to_str().unwrap()];
    assert!(Command::new("git").args(clone).envs(quiet()).output().unwrap().status.success());
    assert_eq!(fs::read_to_string(work.join("project.yaml")).unwrap(), "patients");

    let mirrors = mirrors(&dir.path().join("mirrors"));
    let project = |commit| mirrors.ensure(&source.repo(), &branch("main"), commit).unwrap().project_file();
    let error = project(linked).unwrap_err();
    assert!(matches!(error, FileError::NotAFile { kind: FileKind::Link, .. }), "{error}");
    insta::assert_snapshot!(error.to_string().replace(&linked.to_string(), "0123456"), @"`project.yaml` of commit 0123456 is a link: a regular file must be there");

    let folder = source.tree(&[("40000", b"project.yaml", &tree)]);
    let error = project(source.commit("main", &folder, &[])).unwrap_err();
    assert!(matches!(error, FileError::NotAFile { kind: FileKind::Folder, .. }), "{error}");
    let module = source.tree(&[("160000", b"project.yaml", &linked.to_string())]);
    let error = project(source.commit("main", &module, &[])).unwrap_err();
    assert!(matches!(error, FileError::NotAFile { kind: FileKind::Submodule, .. }), "{error}");
    let other = source.tree(&[("100644", b"Project.yaml", &link)]);
    let error = project(source.commit("main", &other, &[])).unwrap_err();
    assert!(matches!(error, FileError::Absent { .. }), "{error}");
    assert_eq!(error.refusal(), Some(Refusal::ProjectMissing));

    // Exactly 8 MiB is read, a byte more is not.
    let most = vec![b'#'; 8 << 20];
    let tree = source.tree(&[("100644", b"project.yaml", &source.blob(&most))]);
    let read = project(source.commit("main", &tree, &[])).unwrap();
    assert_eq!(read.bytes.len(), 8 << 20);
    let (other, own) = ([0; 32], read.sha256);
    assert_eq!(read.clone().expect(other).unwrap_err().refusal(), Some(Refusal::ProjectChanged));
    read.expect(own).unwrap();
    let tree = source.tree(&[("100644", b"project.yaml", &source.blob(&vec![b'#'; (8 << 20) + 1]))]);
    let error = project(source.commit("main", &tree, &[])).unwrap_err();
    assert!(matches!(error, FileError::TooLarge { size: 8_388_609, .. }), "{error}");
}

#[test]
fn row_42_a_huge_project_yaml_is_never_read() {
    let dir = TempDir::new().unwrap();
    let source = Source::new(&dir.path().join("source"));
    let size: usize = 96 << 20;
    let huge = source.blob(&vec![0; size]);
    let tree = source.tree(&[("100644", b"project.yaml", &huge), ("100644", b"z", &source.blob(b"z"))]);
    let commit = source.commit("main", &tree, &[]);
    // Positive control: it is there, in full.
    assert_eq!(git(&source.path, &["cat-file", "-s", &huge], b""), format!("{size}\n").as_bytes());
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let found = mirrors(&root.join("mirrors")).ensure(&source.repo(), &branch("main"), commit).unwrap();
    let limits = Limits { one_file: 64 << 20, ..Limits::BACKEND };
    let mut keep = Keep::default();
    let error = found.read_tree(&limits, &mut keep).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { .. }) && keep.stored == 0, "{error}");
    let before = peak_kib();
    let error = found.project_file().unwrap_err();
    assert!(matches!(error, FileError::TooLarge { .. }), "{error}");
    assert!(peak_kib() - before < 16 << 10, "not read into memory");
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
