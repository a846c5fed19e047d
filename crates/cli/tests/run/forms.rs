//! The other forms of a run's output: JSON lines, GitHub's workflow logs, times, logs of one action.
//! Spec cli.md 4.4 to 4.6, 9.

use serde_json::Value;

use crate::rig::Study;

fn two() -> Study {
    Study::of(
        "  good:\n    run: python:v2 -c \"open('output/good.csv', 'w').write('a')\"\n    outputs:\n      moderately_sensitive: {o: output/good.csv}\n  \
         bad:\n    needs: [good]\n    run: python:v2 analysis/bad.py\n    outputs:\n      moderately_sensitive: {o: output/bad.csv}\n",
        &[("analysis/bad.py", "print('::set-output name=x::y')\nraise SystemExit(7)\n")],
    )
}

#[test]
fn json_lines_tell_the_whole_run() {
    let ran = two().run(&["run_all", "--json"]).failed();
    let events: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["schema"] == "cloister.events/1" && event["at"].is_string()));
    assert_eq!(events[0]["event"], "run_started");
    assert_eq!(events[0]["plan"]["actions"].as_array().unwrap().len(), 2);
    let finished: Vec<_> = events.iter().filter(|event| event["event"] == "job_finished").collect();
    assert_eq!(finished.len(), 2);
    assert_eq!((&finished[0]["action"], &finished[0]["state"]), (&"good".into(), &"succeeded".into()));
    assert_eq!(finished[0]["outputs"][0]["bytes"], 1);
    // SHA-256 of "a".
    let sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    assert_eq!(finished[0]["outputs"][0]["sha256"], sha256);
    assert_eq!((&finished[1]["code"], &finished[1]["exit_code"]), (&"nonzero_exit".into(), &7.into()));
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["exit"]), (&"run_finished".into(), &1.into()));
    assert_eq!(
        last["counts"],
        serde_json::json!({"succeeded": 1, "failed": 1, "cancelled": 0, "not_started": 0, "reused": 0})
    );
}

/// The lines in which GitHub looks for commands: behind blanks too, unless commands are stopped until a token comes.
fn heard<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let (mut token, mut heard) = (None::<&str>, Vec::new());
    for line in lines.map(str::trim_start) {
        match token {
            None => {
                token = line.strip_prefix("::stop-commands::");
                heard.push(line);
            }
            Some(end) if line.strip_prefix("::").and_then(|line| line.strip_suffix("::")) == Some(end) => token = None,
            Some(_) => {}
        }
    }
    heard
}

#[test]
fn github_gets_groups_and_annotations_and_a_study_cannot_command_it() {
    let study = two();
    study
        .write("analysis/bad.py", &(study.read("analysis/bad.py").replace("print(", "print('##[add-mask]a')\nprint(")));
    let ran = study.run(&["run_all", "--format-output-for-github"]).failed();
    assert!(ran.out.starts_with("::group::"), "{}", ran.out);
    assert!(ran.out.contains("\u{1b}[1m=> good\u{1b}[0m"), "{}", ran.out);
    let error = "::error file=project.yaml,line=7,title=bad::The command failed with exit code 7";
    assert!(ran.out.lines().any(|line| line == error), "{}", ran.out);
    let heard = heard(ran.out.lines());
    assert!(ran.out.contains("::set-output"), "{}", ran.out);
    assert!(!heard.iter().any(|line| line.contains("::set-output") || line.contains("##[")), "{heard:#?}");
    assert_eq!(heard.iter().filter(|line| line.starts_with("::group::")).count(), 3);
    assert_eq!(heard.iter().filter(|line| **line == "::endgroup::").count(), 3);
}

#[test]
fn a_hostile_log_stays_text_and_short() {
    let study = two();
    let script = "import sys\nfor n in range(12000): print('line', n)\n\
                  for end in '\\r', '\\x0b', '\\x0c', '\\x85', '\\u2028', '\\x00', '\\t', ' ':\n    \
                  sys.stdout.write('x' + end + '::error::hostile\\n' + end + '::stop-commands::x\\n')\n\
                  print('::endgroup::')\nsys.stdout.write('a' * 9000000 + '::warning::wide\\n')\nraise SystemExit(7)\n";
    study.write("analysis/bad.py", script);
    let ran = study.run(&["run_all", "--format-output-for-github"]).failed();
    // Any of these might end a line for some reader.
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let heard = heard(ran.out.split(ends));
    assert_eq!(heard.iter().filter(|line| line.starts_with("::error")).count(), 1, "ours");
    assert!(!heard.iter().any(|line| line.contains("hostile") || line.contains("wide")), "{heard:#?}");
    assert_eq!(heard.iter().filter(|line| **line == "::endgroup::").count(), 3);
    assert!(
        ran.out.contains("earlier lines are in the log file)") && !ran.out.contains("line 100\n"),
        "cut at its beginning"
    );
    assert!(ran.out.len() < 2_000_000, "{} bytes", ran.out.len());
}

#[test]
fn the_page_of_the_workflow_gets_a_table() {
    let study = two();
    let third = "  after:\n    needs: [bad]\n    run: python:v2 -V\n    outputs:\n      moderately_sensitive: {o: output/c.csv}\n";
    study.write("project.yaml", &(study.read("project.yaml") + third));
    let page = study.folder.join("page.md");
    std::fs::write(&page, "before\n").unwrap();
    let mut command = study.command(&["run", "run_all", "--format-output-for-github", "--continue-on-error"]);
    assert_eq!(command.env("GITHUB_STEP_SUMMARY", &page).output().unwrap().status.code(), Some(1));
    let text = std::fs::read_to_string(&page).unwrap();
    let head =
        "before\n### cloister run\n\n| action | result | time | outputs |\n|---|---|---|---|\n| good | ✓ succeeded | ";
    assert!(text.starts_with(head), "{text}");
    assert!(text.contains("\n| bad | ✗ The command failed with exit code 7 | "), "{text}");
    assert!(text.contains("\n| after | – "), "{text}");
    assert!(text.contains("\n\n1 job succeeded, 1 failed, 1 not started, in "), "{text}");
    let quiet = study.folder.join("none.md");
    let mut command = study.command(&["run", "good"]);
    command.env("GITHUB_STEP_SUMMARY", &quiet).output().unwrap();
    assert!(!quiet.exists(), "only where the form was asked for");
}

#[test]
fn lines_can_begin_with_the_time() {
    let ran = two().run(&["good", "--timestamps"]).done();
    let line = ran.out.lines().find(|line| line.ends_with("good: executing")).unwrap();
    let (stamp, _) = line.split_at(24);
    let shape: String = stamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00 00:00:00.000Z");
}

#[test]
fn the_log_of_an_action_is_printed() {
    let study = two();
    study.cloister(&["logs", "bad"]).failed().says("bad has no log");
    study.cloister(&["logs", "bat"]).failed().says("error[X103]");
    study.run(&["run_all"]).failed();
    study.cloister(&["logs", "bad"]).done().says("set-output").says("exit_code: 7");
    let last = study.cloister(&["logs", "bad", "--lines", "1"]).done();
    assert_eq!(last.out.lines().count(), 1);
}

#[test]
fn a_dry_run_is_a_plan_and_writes_nothing() {
    let study = two();
    let dry = study.run(&["run_all", "-n"]).done();
    assert_eq!(dry.out, study.cloister(&["plan", "run_all"]).done().out);
    assert!(!study.has("metadata"));
}

#[test]
fn without_isolation_it_says_so_every_time() {
    let study = two();
    for _ in 0..2 {
        study.run(&["good", "--isolation", "none"]).done().says("warning: --isolation none");
    }
    assert_eq!(study.read("output/good.csv"), "a");
}

/// Without the option too: many workflows run the plain form.
#[test]
fn the_plain_form_commands_nobody_either() {
    let study = two();
    study.write(
        "analysis/bad.py",
        "print('::error::x')\nprint('   ::add-mask::y')\nprint('##[add-mask]z')\nraise SystemExit(7)\n",
    );
    let ran = study.run(&["run_all"]).failed().says("add-mask");
    let commands = ran.out.lines().filter(|line| line.trim_start().starts_with("::") || line.contains("##["));
    assert_eq!(commands.count(), 0, "{}", ran.out);
}
