//! Programs of built environments where they will really run: in the sandbox, on read-only binds and overlays.
//! The supervisor is the example `environment`, which `cargo test` and `cargo nextest run` build first.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sandbox::{IsolationLevel, Limits, Native, NativeOptions, RunName, Runtime, Spec};

use crate::Program;

fn supervisor() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().with_file_name("examples").join("environment");
    assert!(path.exists(), "{} is missing: build it with `cargo build -p runtimes --examples`", path.display());
    path
}

/// The exit code, and what was said without the times.
fn run(program: &Program, args: &[&str]) -> (i32, String) {
    let folder = tempfile::Builder::new().prefix("run-").tempdir().unwrap();
    for part in ["workspace", "tmp"] {
        fs::create_dir(folder.path().join(part)).unwrap();
    }
    let args: Vec<String> = args.iter().map(|one| (*one).to_owned()).collect();
    let mut env = program.env.clone();
    env.push(("HOME".to_owned(), "/tmp".to_owned()));
    let spec = Spec {
        name: RunName(folder.path().file_name().unwrap().to_str().unwrap().to_owned()),
        root: program.root.clone(),
        argv: program.argv(&args),
        env,
        folder: folder.path().to_path_buf(),
        limits: Limits {
            memory: 1 << 30,
            cpus: 2,
            processes: 100,
            disk: 1 << 30,
            files: 10_000,
            time: Some(Duration::from_secs(50)),
            log: 1 << 20,
        },
        grace: Duration::from_secs(1),
        isolation: IsolationLevel::FullWithoutLandlock,
        die_with_parent: true,
    };
    let runtime = Native::new(NativeOptions { supervisor: supervisor(), ..NativeOptions::default() });
    runtime.start(&spec).unwrap();
    let exit = runtime.wait(&spec).unwrap();
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    let lines: Vec<&str> = log.lines().map(|line| line.split_once(' ').map_or("", |(_, text)| text)).collect();
    (exit.code, lines.join("\n"))
}

/// Every file below a folder, with its length and time of change.
fn state(folder: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = path.symlink_metadata().unwrap();
        if about.is_dir() {
            found.extend(state(&path));
        }
        found.push((path, about.len(), about.modified().unwrap()));
    }
    found.sort();
    found
}

#[test]
fn python_sees_its_packages_and_writes_nothing_into_them() {
    let folder = tempfile::tempdir().unwrap();
    let program = crate::python::build::tests::tiny(folder.path());
    let cache = folder.path().join("cache");
    let program = crate::python::library::with(program, &[("tiny_own/__init__.py", "")], &cache).unwrap();
    let environments = folder.path().join("cache/environments");
    let before = state(&environments);
    let script = "import os, sys, tiny_base, tiny_more, tiny_own\n\
                  try: open(os.path.join(sys.prefix, 'x'), 'w')\n\
                  except OSError: print('read-only')\n\
                  print(os.environ['HOME'], os.environ.get('CARGO_PKG_NAME'))";
    assert_eq!(run(&program, &["python", "-c", script]), (0, "read-only\n/tmp None".to_owned()));
    let (code, said) = run(&program, &["tiny_base"]);
    assert_eq!((code, said.ends_with("/bin/python")), (0, true), "{said}");
    assert_eq!(state(&environments), before);
}

#[test]
fn r_is_laid_over_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = crate::r::build::tests::tiny(folder.path()) else { return };
    assert_eq!(run(&program, &["analysis/a.R", "x"]), (0, "tiny R analysis/a.R x".to_owned()));
    assert_eq!(run(&program, &["cat", "/usr/lib/R/cloister-library/tiny/DESCRIPTION"]), (0, "tiny".to_owned()));
    // What the system has beside the tree is there too; the tree cannot be written.
    assert_eq!(run(&program, &["sh", "-c", "touch /usr/lib/R/x 2>/dev/null || echo no"]), (0, "no".to_owned()));
    let (code, said) = run(&program, &["sh", "-c", "dpkg -s libtiny | grep Version"]);
    assert_eq!((code, said.as_str()), (0, "Version: 2-1"));
}
