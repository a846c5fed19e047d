//! What an `r` reference becomes on machines of several kinds. An R is a script that answers like one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::options::{Builtins, Choice, Configured, Places};

fn options(folder: &Path) -> Options {
    Options {
        cache_dir: folder.join("cache"),
        offline: true,
        packages: None,
        builtins: Builtins::default(),
        configured: Vec::new(),
        places: Places { folders: vec![folder.join("opt/R/bin")] },
        library: &[],
    }
}

fn locate(options: &Options, release: &str) -> Result<Found, Missing> {
    let reference = RuntimeRef { name: "r".into(), tag: "latest".into() };
    let resolved = crate::settle(&reference);
    Request { reference: &reference, resolved, options, fallback: Fallback::System }
        .locate_on(release, &Index::default())
}

fn make_r(folder: &Path, version: &str) -> PathBuf {
    let path = folder.join("opt/R/bin/Rscript");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let home = folder.join("opt/R/lib/R").canonicalize().unwrap_or_else(|_| folder.join("opt/R/lib/R"));
    let script = format!("#!/bin/sh\nprintf '%s\\n' {version} {} base dplyr readr\n", home.display());
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn without_r_and_without_a_list_the_missing_packages_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = locate(&options(folder.path()), "plan9-4").map(|_| ()).unwrap_err();
    assert_eq!(missing.code, "X205");
    let text = missing.to_string();
    assert!(text.starts_with("r:latest: nothing on this machine runs it; it needs R, best 4.0"), "{text}");
    assert!(text.contains("there is none for plan9-4"), "{text}");
    assert!(text.contains("the system's R: no Rscript in 1 folders"), "{text}");
    assert!(missing.fix.unwrap().contains("install"));
}

#[test]
fn offline_and_with_nothing_in_the_cache_the_size_is_told() {
    let folder = tempfile::tempdir().unwrap();
    if lock::for_release("debian-12").is_none() || !lacking().is_empty() {
        println!(
            "ignored: offline_and_with_nothing_in_the_cache_the_size_is_told needs apt, dpkg and an x86-64 machine"
        );
        return;
    }
    let missing = locate(&options(folder.path()), "debian-12").map(|_| ()).unwrap_err();
    let text = missing.to_string();
    assert!(
        text.contains("R 4.2.2 of debian-12: its packages are not here (3") && text.contains("--offline"),
        "{text}"
    );
    assert_eq!(missing.fix.as_deref(), Some("cloister env install r:v1"));
}

#[test]
fn the_systems_r_is_taken_with_a_warning_that_names_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    make_r(&root, "4.1.0");
    let Found::Ready(program) = locate(&options(&root), "plan9-4").unwrap() else { panic!("nothing is to be built") };
    let message = &program.located.warnings[0].message;
    assert!(message.contains("r:v1 stands for R 4.0") && message.contains("runs with R 4.1.0"), "{message}");
    assert!(message.contains("Not among them: data.table, ggplot2, glue,"), "{message}");
    let sandbox::Root::Host { prefixes, .. } = &program.root else { panic!("not a host root") };
    assert_eq!(prefixes, &[root.join("opt/R")]);
    assert!(program.env[0].1.starts_with(root.join("opt/R/bin").to_str().unwrap()), "{:?}", program.env[0]);
    make_r(&root, "3.6.3");
    let text = locate(&options(&root), "plan9-4").map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("R 3.6.3 is older than 4.0"), "{text}");
}

#[test]
fn the_users_own_r_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let path = make_r(&root, "4.3.1");
    let mut options = options(&root);
    let reference = RuntimeRef { name: "r".into(), tag: "v2".into() };
    for choice in [path, root.join("opt/R")] {
        options.configured = vec![Configured { reference: reference.clone(), choice: Choice::Native(choice) }];
        let Ok(Found::Ready(program)) = crate::locate(&reference, &options) else { panic!("not found") };
        assert!(program.located.title.starts_with("R 4.3.1 of "), "{}", program.located.title);
    }
    options.configured[0].choice = Choice::Native("/nowhere".into());
    let text = crate::locate(&reference, &options).map(|_| ()).unwrap_err().to_string();
    assert!(text.contains("/nowhere is not a program"), "{text}");
}
