//! Real builds of a tiny list with the machine's own apt and dpkg: whole, killed, from a corrupt cache, two at a time,
//! from a folder. Nothing is fetched from outside: the packages and their mirror are made here.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use pipeline::RuntimeRef;
use sha2::{Digest, Sha256};

use super::*;
use crate::r::environment::{located, other_packages};
use crate::r::index::lacking;
use crate::r::lock::Lock;
use crate::store::{Stored, hex};

/// Whether this machine has apt and dpkg; tells, by name, which test is left out without them.
fn has_tools(test: &str) -> bool {
    let lacking = lacking();
    if !lacking.is_empty() {
        println!("ignored: {test} needs {}", lacking.join(", "));
    }
    lacking.is_empty()
}

/// Makes a package with these files in `mirror`, and tells its record in a package list.
fn make_deb(mirror: &Path, name: &str, version: &str, files: &[(&str, &str)]) -> String {
    let tree = tempfile::tempdir().unwrap();
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n\
         Installed-Size: 4\nDescription: a test\n"
    );
    for (path, text) in files.iter().copied().chain([("DEBIAN/control", control.as_str())]) {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let mode = if path.starts_with(tree.path().join("usr/bin")) { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::set_permissions(tree.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let file = mirror.join(format!("{name}_all.deb"));
    let made = Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(tree.path()).arg(&file).output();
    assert!(made.unwrap().status.success());
    let bytes = fs::read(&file).unwrap();
    let (size, sha256) = (bytes.len(), hex(&Sha256::digest(&bytes)));
    format!("{control}Filename: ./{name}_all.deb\nSize: {size}\nSHA256: {sha256}\n\n")
}

/// A mirror with an R that is a shell script, a package of R and a library, and apt's settings that name it alone.
fn index(folder: &Path) -> Index {
    let at = |name: &str| folder.join(name);
    let settings = [
        format!("Dir::Etc::SourceList={}", at("sources.list").display()),
        "Dir::Etc::SourceParts=/dev/null".to_owned(),
        "Dir::Etc::Parts=/dev/null".to_owned(),
        "Dir::State::Status=/dev/null".to_owned(),
        format!("Dir::State={}", at("state").display()),
        format!("Dir::State::Lists={}", at("state/lists").display()),
        format!("Dir::Cache={}", at("apt-cache").display()),
        "APT::Sandbox::User=root".to_owned(),
    ];
    let index = Index { settings: settings.to_vec() };
    if at("mirror").exists() {
        return index;
    }
    for name in ["mirror", "state/lists/partial", "apt-cache/archives/partial"] {
        fs::create_dir_all(at(name)).unwrap();
    }
    let records = [
        make_deb(&at("mirror"), "r-base-core", "4.2.2-1", &[("usr/bin/Rscript", "#!/bin/sh\necho tiny R \"$@\"\n")]),
        make_deb(&at("mirror"), "r-cran-tiny", "1:1.0-1", &[("usr/lib/R/site-library/tiny/DESCRIPTION", "tiny\n")]),
        make_deb(&at("mirror"), "libtiny", "2-1", &[("usr/lib/some-arch/blas/libblas.so.3", "blas\n")]),
    ];
    fs::write(at("mirror/Packages"), records.concat()).unwrap();
    fs::write(at("sources.list"), format!("deb [trusted=yes] copy:{} ./\n", at("mirror").display())).unwrap();
    let mut update = Command::new("apt-get");
    update.args(index.settings.iter().flat_map(|setting| ["-o", setting])).args(["-qq", "update"]);
    let update = update.output().unwrap();
    assert!(update.status.success(), "{}", String::from_utf8_lossy(&update.stderr));
    index
}

/// The list of what `index` offers. Of the library, the list names an older version.
fn lock(folder: &Path) -> Lock {
    let text = fs::read_to_string(folder.join("mirror/Packages")).unwrap();
    let mut lock = "release = 'tiny-1'\nr = '4.2.2'\nabsent = ['arrow']\npackage = [\n".to_owned();
    for record in text.split_terminator("\n\n") {
        let field = |key: &str| record.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        let (name, sha256, size) = (field("Package: "), field("SHA256: "), field("Size: "));
        let listed = if name == "libtiny" { ("1-1", "00".repeat(32)) } else { (field("Version: "), sha256.to_owned()) };
        lock.push_str(&format!(
            "{{ name = '{name}', version = '{}', arch = 'all', sha256 = '{}', size = {size}, unpacked = 4096 }},\n",
            listed.0, listed.1
        ));
    }
    Lock::parse(&format!("{lock}]")).unwrap()
}

fn work(folder: &Path) -> Work {
    let index = index(folder);
    let lock = lock(folder);
    let cache_dir = folder.join("cache");
    let offer = index.offer(&lock.packages, |_| false);
    assert_eq!(offer.gap, None);
    Work {
        environment: Environment::of(&cache_dir, &lock),
        cache_dir,
        given: None,
        release: lock.release,
        packages: offer.packages,
        title: "tiny".to_owned(),
        index,
    }
}

fn build_it(work: &Work) -> (Result<Program, BuildError>, Vec<Progress>) {
    let reference = RuntimeRef { name: "r".into(), tag: "v1".into() };
    let warning = other_packages(&reference, "4.2.2", "tiny packages", &["arrow".to_owned()]);
    let located = located(&reference, &reference, "tiny".into(), warning, String::new());
    let mut seen = Vec::new();
    (build(work, &located, &mut |progress| seen.push(progress)), seen)
}

/// The program of a complete build, where this machine can make one.
pub(crate) fn tiny(folder: &Path) -> Option<Program> {
    has_tools("a test in the sandbox").then(|| build_it(&work(folder)).0.unwrap())
}

fn fetched(seen: &[Progress]) -> bool {
    seen.iter().any(|progress| matches!(progress, Progress::Fetching { .. }))
}

#[test]
fn a_whole_build() {
    if !has_tools("a_whole_build") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    // The library comes in the later version that the mirror has.
    assert_eq!(work.packages.iter().find(|one| one.name == "libtiny").unwrap().version, "2-1");
    assert_eq!(work.bytes_to_fetch(), work.packages.iter().map(|one| one.size).sum::<u64>());
    let (built, seen) = build_it(&work);
    let program = built.unwrap();
    assert!(fetched(&seen) && work.bytes_to_fetch() == 0);
    let tree = work.environment.tree();
    let sandbox::Root::Host { prefixes, overlays } = &program.root else { panic!("not a host root") };
    assert_eq!((prefixes.as_slice(), overlays.as_slice()), (&[][..], std::slice::from_ref(&tree)));
    for (path, text) in [
        ("usr/bin/Rscript", "#!/bin/sh\necho tiny R \"$@\"\n"),
        ("usr/lib/R/cloister-library/tiny/DESCRIPTION", "tiny\n"),
        ("usr/lib/some-arch/libblas.so.3", "blas\n"),
    ] {
        assert_eq!(fs::read_to_string(tree.join(path)).unwrap(), text, "{path}");
    }
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(program.argv(&words(&["analysis/a.R", "x"])), ["Rscript", "analysis/a.R", "x"]);
    assert_eq!(program.argv(&words(&["Rscript", "a.R"])), ["Rscript", "a.R"]);
    assert_eq!(program.located.identity, format!("host:{}", work.identity()));
    assert!(program.located.warnings[0].message.contains("Not among them: arrow."), "{:?}", program.located.warnings);
    // A second time there is nothing to do, and no mirror is needed.
    fs::remove_dir_all(folder.path().join("mirror")).unwrap();
    let (again, seen) = build_it(&work);
    assert_eq!((again.unwrap(), seen), (program, vec![]));
}

#[test]
fn packages_can_come_from_a_folder() {
    if !has_tools("packages_can_come_from_a_folder") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(folder.path());
    let given = folder.path().join("given");
    fs::create_dir(&given).unwrap();
    for package in &work.packages {
        fs::copy(folder.path().join(format!("mirror/{}_all.deb", package.name)), given.join(package.file())).unwrap();
    }
    work.given = Some(given);
    work.index.settings = vec!["Dir::State::Lists=/nowhere".to_owned()];
    assert_eq!(work.bytes_to_fetch(), 0);
    let (built, seen) = build_it(&work);
    built.unwrap();
    assert!(!fetched(&seen));
}

#[test]
fn a_corrupt_cache_is_mended_and_a_corrupt_mirror_refused() {
    if !has_tools("a_corrupt_cache_is_mended_and_a_corrupt_mirror_refused") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    build_it(&work).0.unwrap();
    let change = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[70] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    change(&Store::new(&work.cache_dir, DEBS).path(&work.packages[0]));
    fs::remove_dir_all(work.cache_dir.join("environments")).unwrap();
    let (built, seen) = build_it(&work);
    built.unwrap();
    assert!(fetched(&seen));

    fs::remove_dir_all(&work.cache_dir).unwrap();
    change(&folder.path().join("mirror/r-cran-tiny_all.deb"));
    let error = build_it(&work).0.unwrap_err();
    assert!(matches!(&error, BuildError::Fetch { hint, .. } if hint.contains("apt-get update")), "{error}");
    assert!(work.environment.complete().is_none());
}

#[test]
fn what_the_lists_do_not_offer_is_named() {
    if !has_tools("what_the_lists_do_not_offer_is_named") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    let mut listed = work.packages.clone();
    listed[1].sha256 = "11".repeat(32);
    let gap = work.index.offer(&listed, |_| false).gap.unwrap();
    assert!(gap.contains("other versions of 1 R packages, as r-cran-tiny 1:1.0-1"), "{gap}");
    let empty = Index { settings: vec!["Dir::State::Lists=/nowhere".into(), "Dir::State::Status=/dev/null".into()] };
    let gap = empty.offer(&work.packages, |_| false).gap.unwrap();
    assert!(gap.contains("do not offer 3 of 3 packages"), "{gap}");
}

#[test]
fn two_builds_at_once_make_one_environment() {
    if !has_tools("two_builds_at_once_make_one_environment") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    let both = std::thread::scope(|scope| {
        let build = || scope.spawn(|| build_it(&work));
        [build(), build()].map(|one| one.join().unwrap())
    });
    let made = both.iter().flat_map(|(_, seen)| seen).filter(|one| matches!(one, Progress::Installing { .. })).count();
    assert_eq!(made, 1);
    let [(one, _), (other, _)] = both;
    assert_eq!(one.unwrap(), other.unwrap());
}

const CHILD: &str = "CLOISTER_TEST_R_BUILD";

/// Not a test by itself: the process that `a_killed_build_is_resumed` kills. It stops for ever at the given progress.
#[test]
#[ignore = "started by a_killed_build_is_resumed"]
fn child() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let stop = std::env::var("CLOISTER_TEST_STOP").unwrap();
    let reference = RuntimeRef { name: "r".into(), tag: "v1".into() };
    let warning = other_packages(&reference, "4.2.2", "tiny packages", &[]);
    let located = located(&reference, &reference, "tiny".into(), warning, String::new());
    build(&work(&folder), &located, &mut |progress| {
        let text = format!("{progress:?}");
        println!("\nprogress {text}");
        std::io::stdout().flush().unwrap();
        if text.starts_with(&stop) {
            std::thread::sleep(std::time::Duration::from_secs(600));
        }
    })
    .unwrap();
}

#[test]
fn a_killed_build_is_resumed() {
    if !has_tools("a_killed_build_is_resumed") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let work = work(folder.path());
    for (stop, has_packages) in [("Fetching", false), ("Installing", true)] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "r::build::tests::child", "--ignored", "--nocapture"]);
        command.env(CHILD, folder.path()).env("CLOISTER_TEST_STOP", stop).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reached = lines.map_while(Result::ok).any(|line| line.starts_with(&format!("progress {stop}")));
        assert!(reached, "the build never came to {stop}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(work.environment.complete().is_none(), "killed at {stop}");
        assert_eq!(work.bytes_to_fetch() == 0, has_packages, "killed at {stop}");
    }
    let (built, seen) = build_it(&work);
    built.unwrap();
    assert!(!fetched(&seen), "the packages were there: {seen:?}");
}
