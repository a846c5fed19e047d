//! The help of every command at 80 columns, and the older name of the program.

use std::process::Command;

use crate::rig::Study;

fn help(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
    command.args(words).env_clear().env("COLUMNS", "80").env("LC_ALL", "C");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_help_text_fits_80_columns() {
    let commands: &[&[&str]] = &[
        &[],
        &["check"],
        &["run"],
        &["plan"],
        &["codelists"],
        &["codelists", "add"],
        &["codelists", "update"],
        &["codelists", "check"],
        &["codelists", "check-upstream"],
        &["codelists", "diff"],
        &["exec"],
        &["logs"],
        &["clean"],
        &["env"],
        &["env", "list"],
        &["env", "install"],
        &["info"],
        &["unzip"],
        &["demo"],
        &["site"],
        &["site", "serve"],
        &["site", "check-config"],
        &["site", "user"],
        &["site", "user", "add"],
        &["site", "role"],
        &["site", "role", "grant"],
        &["site", "token"],
        &["site", "token", "make"],
        &["site", "org"],
        &["site", "project"],
        &["site", "project", "add"],
        &["site", "workspace"],
        &["site", "workspace", "add"],
        &["site", "permission"],
        &["site", "permission", "propose"],
        &["site", "backend"],
        &["site", "backend", "confirm"],
        &["site", "request"],
        &["site", "request", "list"],
        &["site", "cancel"],
        &["site", "backup"],
        &["site", "restore"],
        &["site", "import"],
        &["site", "rebuild"],
        &["site", "audit-verify"],
        &["backend"],
        &["backend", "serve"],
        &["backend", "enrol"],
        &["backend", "new-epoch"],
        &["backend", "rotate-key"],
        &["backend", "resume-line"],
        &["backend", "rebind"],
        &["backend", "egress"],
        &["backend", "status"],
        &["backend", "jobs"],
        &["backend", "job"],
        &["backend", "logs"],
        &["backend", "pause"],
        &["backend", "maintenance"],
        &["backend", "drain"],
        &["backend", "kill"],
        &["backend", "cancel"],
        &["backend", "weights"],
        &["backend", "snapshot"],
        &["backend", "verify"],
        &["backend", "gc"],
        &["backend", "restore"],
        &["schema"],
        &["init"],
        &["study"],
        &["completions"],
    ];
    for words in commands {
        let text = help(&[words, &["--help"][..]].concat());
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{words:?}: {line}");
        }
        let name = if words.is_empty() { "cloister".to_owned() } else { words.join("-") };
        insta::assert_snapshot!(format!("help-{name}"), text);
    }
    // None is forgotten: the names at the beginning of the lines below "Commands:".
    let listed = help(&["--help"]);
    let listed: Vec<&str> = listed
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && !["action", "help"].contains(name))
        .collect();
    for name in listed {
        assert!(commands.iter().any(|words| words.first() == Some(&name)), "{name} has no test of its help");
    }
}

#[test]
fn under_its_older_name_it_is_the_same_program() {
    let study = Study::of("  a:\n    run: python:v2 -V\n    outputs:\n      moderately_sensitive: {o: a.csv}\n", &[]);
    let link = study.folder.join("opensafely");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cloister"), &link).unwrap();
    let run = |words: &[&str]| Command::new(&link).args(words).current_dir(&study.folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let help = text(&run(&["--help"]).stdout);
    assert!(help.contains("Usage: opensafely") && help.contains("opensafely run run_all"), "{help}");
    assert!(!help.contains("cloister") && !help.contains("extract-stats"), "{help}");
    assert!(text(&run(&["run", "--help"]).stdout).contains("opensafely run run_all"));
    assert_eq!(run(&["extract-stats"]).status.code(), Some(0));
    assert_eq!(run(&["extract-stats", "--any", "thing"]).status.code(), Some(0));
    assert_eq!(run(&["check", "--only", "project"]).status.code(), Some(0));
    assert_eq!(run(&["nonsense"]).status.code(), Some(2));
    study.write("codelists/codelists.txt", "org/a/v1\n");
    assert!(text(&run(&["codelists", "check"]).stderr).ends_with("opensafely codelists update\n"));
    assert_eq!(study.cloister(&["extract-stats"]).code, Some(2), "only under that name");
}
