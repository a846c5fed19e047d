//! Completions in a real bash, and as the other shells ask for them.

use std::process::Command;

use crate::rig::Study;

fn study() -> Study {
    Study::of(
        "  clean:\n    run: python:v2 analysis/a.py\n    outputs:\n      highly_sensitive: {o: a.csv}\n  \
         describe:\n    run: python:v2 analysis/a.py\n    needs: [clean]\n    outputs:\n      moderately_sensitive: {o: b.csv}\n",
        &[],
    )
}

/// What bash would offer for this line, whose last word is being typed.
fn bash(study: &Study, line: &str) -> Vec<String> {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_cloister")).parent().unwrap().display().to_string();
    let script = r#"
        source <(cloister completions bash) || exit 9
        set -f
        # As readline breaks a line: at blanks and at each colon.
        read -r -a COMP_WORDS <<< "${1//:/ : }"
        [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_LINE=$1 COMP_POINT=${#1} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
        word=${COMP_WORDS[COMP_CWORD]}
        spec=$(complete -p cloister); function=${spec#*-F }; function=${function%% *}
        "$function" cloister "$word" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", script, "bash", line]).current_dir(&study.folder).env("PATH", path);
    let output = command.env("HOME", &study.folder).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "silent");
    assert!(output.status.success());
    let out = String::from_utf8(output.stdout).unwrap();
    // Options are offered too; they count only where one is being typed.
    let option = line.rsplit(' ').next().is_some_and(|word| word.starts_with('-'));
    let wanted = |line: &String| !line.is_empty() && (option || !line.starts_with('-'));
    let mut offered: Vec<String> = out.lines().map(|line| line.trim_end().to_owned()).filter(wanted).collect();
    offered.sort();
    offered
}

#[test]
fn bash_offers_what_is_there() {
    let study = study();
    assert_eq!(bash(&study, "cloister codel"), ["codelists"]);
    assert_eq!(
        bash(&study, "cloister run "),
        ["clean", "describe", "run_all"].map(str::to_owned).to_vec(),
        "any order"
    );
}

#[test]
fn live_values() {
    let study = study();
    let sorted = |line: &str| bash(&study, line);
    assert_eq!(sorted("cloister run d"), ["describe"]);
    assert_eq!(sorted("cloister logs "), ["clean", "describe"]);
    assert_eq!(sorted("cloister plan --why c"), ["clean"]);
    assert_eq!(sorted("cloister codelists "), ["add", "check", "check-upstream", "diff", "help", "update"]);
    assert_eq!(
        sorted("cloister check --explain P51"),
        ["P510", "P511", "P512", "P513", "P514", "P515", "P516", "P517", "P518", "P519"]
    );
    assert_eq!(sorted("cloister check --allow C40"), ["C401", "C402", "C403"]);
    assert_eq!(sorted("cloister exec python:v"), ["v1", "v2"], "readline has the part before the colon");
    assert_eq!(sorted("cloister exec py"), ["python:v1", "python:v2"]);
    assert!(sorted("cloister run --conti").contains(&"--continue-on-error".to_owned()));
    assert_eq!(sorted("cloister env install jup"), ["jupyter:v1"]);
}

#[test]
fn a_broken_project_offers_no_action_and_says_nothing() {
    let study = study();
    study.write("project.yaml", "actions: [\n\u{0}");
    assert!(bash(&study, "cloister run x").is_empty());
    std::fs::remove_file(study.folder.join("project.yaml")).unwrap();
    assert!(bash(&study, "cloister logs ").is_empty());
    study.write("project.yaml", "version: '4.0'\nactions:\n  half:\n    run: nonsense\n    outputs: {}\n");
    let offered = bash(&study, "cloister logs ");
    assert!(offered.is_empty() || offered == ["half"], "{offered:?}");
}

#[test]
fn every_shell_has_a_script() {
    let study = study();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = study.cloister(&["completions", shell]).done().out;
        assert!(script.contains("CLOISTER_COMPLETE") && script.contains("cloister"), "{shell}: {script}");
    }
    assert_eq!(study.cloister(&["completions", "tcsh"]).code, Some(2));
    // As the script of fish asks.
    let program = env!("CARGO_BIN_EXE_cloister");
    let mut command = Command::new(program);
    command.args(["--", "cloister", "logs", ""]).env("CLOISTER_COMPLETE", "fish").current_dir(&study.folder);
    let out = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(out.lines().any(|line| line.starts_with("describe")), "{out}");
}
