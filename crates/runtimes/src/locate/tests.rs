//! Answers that need no interpreter: built-ins, what is planned, names that are nothing, the user's own choices.

use std::path::PathBuf;

use pipeline::RuntimeRef;
use sandbox::Root;

use super::locate;
use crate::located::{Found, Kind};
use crate::options::{BuiltinEngine, Builtins, Choice, Configured, Options, Places, Profile};

fn reference(text: &str) -> RuntimeRef {
    let (name, tag) = text.split_once(':').unwrap();
    RuntimeRef { name: name.into(), tag: tag.into() }
}

fn newest() -> Profile {
    Profile { name: "v0.0.48".into(), revision: 1 }
}

fn options() -> Options {
    Options {
        cache_dir: PathBuf::from("/nowhere/cache"),
        offline: false,
        packages: None,
        builtins: Builtins {
            program: "/opt/cloister".into(),
            version: "1.2.3".into(),
            project_version: None,
            era: None,
            engines: vec![BuiltinEngine { name: "cohort-joiner".into(), profile: |_| Some(newest()) }],
        },
        configured: Vec::new(),
        places: Places::default(),
        library: &[],
    }
}

#[test]
fn a_builtin_is_this_program_itself() {
    let Ok(Found::Ready(program)) = locate(&reference("cohort-joiner:latest"), &options()) else { panic!("not found") };
    assert_eq!(program.located.kind, Kind::Builtin);
    assert_eq!(program.located.resolved.tag, "v0.0.58");
    assert_eq!(program.located.profile, Some(newest()));
    assert_eq!(program.located.identity, "builtin:cohort-joiner:v0.0.58:1.2.3");
    assert_eq!(program.root, Root::Host { prefixes: vec!["/opt/cloister".into()], overlays: vec![] });
    let args = ["--lhs".to_owned()];
    assert_eq!(program.argv(&args), ["/opt/cloister", "action", "cohort-joiner:latest", "--lhs"]);
}

#[test]
fn the_action_that_reads_studies_gets_a_python() {
    let mut options = options();
    options.builtins.engines = vec![BuiltinEngine { name: "cohortextractor".into(), profile: |_| None }];
    let variable = |program: &crate::Program| {
        program.env.iter().find(|(name, _)| name == "CLOISTER_RECORDER_PYTHON").map(|(_, value)| value.clone())
    };
    let located = |options: &Options| match locate(&reference("cohortextractor:latest"), options) {
        Ok(Found::Ready(program)) => program,
        other => panic!("{other:?}"),
    };
    let without = located(&options);
    assert_eq!(variable(&without), None);
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().canonicalize().unwrap().join(path);
    std::fs::create_dir_all(at("bin")).unwrap();
    std::fs::create_dir_all(at("lib/python3.9")).unwrap();
    std::fs::write(at("bin/python3.9"), "").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(at("bin/python3.9"), executable).unwrap();
    options.places.folders.push(at("bin"));
    let with = located(&options);
    assert_eq!(variable(&with), Some(at("bin/python3.9").display().to_string()));
    let prefixes = vec!["/opt/cloister".into(), folder.path().canonicalize().unwrap()];
    assert_eq!(with.root, Root::Host { prefixes, overlays: vec![] });
    assert_eq!(with.located, without.located);
}

#[test]
fn what_cannot_run_says_so() {
    let cases = [
        ("sqlrunner:v1", "X206", "sqlrunner is known, but not in this version yet"),
        ("ehrql:v1", "X206", "ehrql is known, but not in this version yet"),
        ("databuilder:v0", "X206", "databuilder is known, but not in this version yet"),
        ("safetab:v4.0.0", "X206", "no runtime"),
        ("r:v41", "X205", "the nearest are v1, v2"),
        ("stata-mp:v1", "X205", "nothing on this machine runs it"),
        ("python:v1", "X205", "it needs Python 3.8 or a newer one"),
        ("jupyter:latest", "X205", "it needs Python 3.8 or a newer one"),
        ("python:v2", "X205", "it needs Python 3.10 or a newer one"),
    ];
    for (text, code, words) in cases {
        let missing = locate(&reference(text), &options()).map(|_| ()).unwrap_err();
        assert_eq!(missing.code, code, "{text}");
        assert!(missing.to_string().contains(words), "{missing}");
        assert!(missing.to_string().starts_with(text), "{missing}");
    }
}

#[test]
fn the_users_choice_comes_first() {
    let mut options = options();
    options.configured = vec![
        Configured { reference: reference("python:latest"), choice: Choice::Container },
        Configured { reference: reference("jupyter:v1"), choice: Choice::Native("/nowhere/env".into()) },
    ];
    let container = locate(&reference("python:v1"), &options).map(|_| ()).unwrap_err();
    assert!(container.to_string().contains("starts no containers"), "{container}");
    let native = locate(&reference("jupyter:latest"), &options).map(|_| ()).unwrap_err();
    assert!(native.to_string().contains("/nowhere/env is not a program"), "{native}");
}
