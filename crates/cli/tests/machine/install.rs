//! `cloister env install` where nothing can be fetched: it says what is lacking, and never takes the system's
//! interpreter for what was asked. Spec cli.md 5, 12.

use std::path::Path;
use std::process::Command;

/// Exit code, output, diagnostics.
fn install(runtime: &str, packages: &Path) -> (Option<i32>, String, String) {
    let home = tempfile::tempdir().unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_cloister"))
        .args(["--offline", "env", "install", runtime, "--packages"])
        .arg(packages)
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn an_empty_folder_of_packages_installs_nothing() {
    let empty = tempfile::tempdir().unwrap();
    for runtime in ["python:v2", "jupyter:v1", "r:v2"] {
        let (code, out, err) = install(runtime, empty.path());
        assert_eq!(code, Some(1), "{runtime}: {out}{err}");
        assert!(!out.contains("ready"), "{runtime}: {out}");
        assert!(err.starts_with(&format!("error[X205]: {runtime}: nothing on this machine runs it")), "{err}");
    }
    // Any Python that has a list serves, so there is one wherever the other tests run.
    let (_, _, err) = install("python:v2", empty.path());
    let lacks = format!("{} lacks ", empty.path().display());
    assert!(err.contains(&lacks) && err.contains(".whl and "), "{err}");
}

#[test]
fn a_folder_of_packages_that_is_not_there_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let (code, out, err) = install("python:v2", &empty.path().join("wheels"));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("/wheels cannot be read: "), "{err}");
}
