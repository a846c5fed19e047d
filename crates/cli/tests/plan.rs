//! `cloister plan` on the studies of the seeds: exactly the jobs that the seeds' pages imply.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn plan(study: &str, words: &[&str]) -> Value {
    let home = tempfile::tempdir().unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_cloister"))
        .args(["plan", "--format", "json"])
        .args(words)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(study))
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{study}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn names(plan: &Value) -> Vec<&str> {
    plan["actions"].as_array().unwrap().iter().map(|action| action["action"].as_str().unwrap()).collect()
}

fn waves(plan: &Value) -> u64 {
    plan["actions"].as_array().unwrap().iter().map(|action| action["wave"].as_u64().unwrap()).max().unwrap()
}

#[test]
fn seed_000_leaves_its_own_run_all_out() {
    let plan = plan("carehomes_mortality", &["run_all", "-f"]);
    assert_eq!(
        names(&plan),
        ["generate_cohort", "generate_cohort_coverage", "calculate_coverage", "feasibility_checks"]
    );
    assert_eq!(waves(&plan), 3);
}

#[test]
fn seed_001_makes_seven_jobs_in_three_waves() {
    let plan = plan("flucats", &["run_all"]);
    assert_eq!(names(&plan).len(), 7);
    assert_eq!(waves(&plan), 3);
}

#[test]
fn seed_001_gives_the_job_id_of_its_page() {
    let plan = plan("flucats", &["run_all", "--request-id", "rvvj5jxpbiteq2d5"]);
    let job = plan["actions"].as_array().unwrap().iter().find(|a| a["action"] == "generate_dataset_report_test");
    assert_eq!(job.unwrap()["job"], "vr766iowztlp3x3w");
}

#[test]
fn seed_002_runs_the_thirteen_named_actions() {
    let named = [
        "generate_study_population_1",
        "generate_study_population_2",
        "generate_study_population_3",
        "generate_study_population_ethnicity",
        "join_ethnicity_region",
        "calculate_numerators",
        "calculate_composite_indicators",
        "generate_measures",
        "generate_measures_demographics",
        "generate_summary_counts",
        "generate_plots",
        "generate_notebook",
        "generate_dem_notebook",
    ];
    let plan = plan("pincer-measures", &named);
    let mut planned = names(&plan);
    planned.sort_unstable();
    let mut expected = named;
    expected.sort_unstable();
    assert_eq!(planned, expected);
}

#[test]
fn seed_003_ends_its_chart_job_with_the_config() {
    let plan = plan("opensafely-interactive", &["run_all", "-f"]);
    assert_eq!(names(&plan).len(), 4);
    let chart = plan["actions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["action"].as_str().unwrap().starts_with("deciles_charts"));
    let command = chart.unwrap()["command"].as_array().unwrap();
    let end: Vec<&str> = command[command.len() - 2..].iter().map(|word| word.as_str().unwrap()).collect();
    let config = r#"{"show_outer_percentiles": false, "tables": {"output": true}, "charts": {"output": true}}"#;
    assert_eq!(end, ["--config", config]);
}

#[test]
fn seed_004_plans_what_its_report_needs() {
    let plan = plan("ons-cis-short-data-report", &["render_report", "--request-id", "5i42i3xk2j47qlg6"]);
    assert_eq!(names(&plan), ["visit_num", "make_safe", "render_report"]);
    assert_eq!(plan["actions"][2]["job"], "54fy7iwzg25g3bvp");
}

/// An action whose name is known, and which `run` refuses (X206), is not called built-in.
#[test]
fn only_what_has_an_engine_is_called_built_in() {
    for study in ["carehomes_mortality", "flucats", "opensafely-interactive"] {
        let plan = plan(study, &["run_all", "-f"]);
        let mut kinds = plan["actions"].as_array().unwrap().iter().map(|action| &action["runtime"]["kind"]);
        assert!(kinds.all(|kind| kind == "builtin" || kind == "native"), "{plan}");
    }
    let folder = tempfile::tempdir().unwrap();
    let yaml = "version: '5'\nactions:\n  form:\n    run: interactive:v1 measures\n    outputs: {highly_sensitive: {o: a.csv}}\n";
    std::fs::write(folder.path().join("project.yaml"), yaml).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloister"));
    let out = command.args(["plan", "form", "--format", "json"]).current_dir(&folder).output().unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(plan["actions"][0]["runtime"]["kind"], "planned", "{plan}");
}

#[test]
fn words_that_make_no_sense_exit_2() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies/ons-cis-short-data-report");
    let plan = |words: &[&str]| {
        let program = env!("CARGO_BIN_EXE_cloister");
        let out = Command::new(program).arg("plan").args(words).current_dir(&folder).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, out, err) = plan(&["--request-id", "abc123"]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.starts_with("error: ") && err.contains("abc123"), "{err}");
    let (code, out, err) = plan(&["--why", "make_safe", "--format", "json"]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.starts_with("error: --why"), "{err}");
    let (code, _, err) = plan(&["mak"]);
    assert!(code == Some(1) && err.contains("did you mean `make_safe`?"), "{err}");
}

#[test]
fn an_unknown_action_names_the_near_ones() {
    let out = Command::new(env!("CARGO_BIN_EXE_cloister"))
        .args(["plan", "render_reprot"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies/ons-cis-short-data-report"))
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("render_report"));
}
