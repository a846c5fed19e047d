//! Why a job failed, and what to change or whom to ask.
//! Spec site.md 4.8, jobs.md 4. Nothing here names a file, a log line or a number out of study code.

use serde_json::Value;

use super::{Around, Said, long, unknown};

pub(super) fn said(action: &str, code: &str, params: &Value, around: &Around) -> Said {
    let backend = &around.backend;
    match code {
        "dependency_failed" => Said::just("Not started, because a job that it needs did not succeed:")
            .then("Mend that one first, then ask for both again.")
            .about(params),
        "nonzero_exit" => exit(action, params),
        "unmatched_patterns" => Said::just("It ran to its end, but not all of its declared outputs were found.")
            .then(format!("{} It also lists files with similar names.", log(action))),
        "cancelled_by_user" if !around.cancelled.is_empty() => Said::just(format!("Cancelled {}", around.cancelled)),
        "cancelled_by_user" => match params["by"].as_str() {
            Some(by) => Said::just(format!("Cancelled by {by}.")),
            None => Said::just("Cancelled."),
        },
        "killed_by_admin" => Said::just(format!("Stopped by an operator of the {backend} backend."))
            .then("Ask the operators why before you run it again."),
        "timed_out" => {
            let limit = params["limit_s"].as_i64().map(|s| format!(" of {}", long(s))).unwrap_or_default();
            Said::just(format!("It ran longer than the limit{limit}."))
                .then("Do the work in smaller actions, or ask the operators for a longer limit.")
        }
        "job_error" => error(params, around),
        "internal_error" => {
            let reference = params["ref"].as_str().map(|r| format!(" (reference {r})")).unwrap_or_default();
            Said::just(format!("A fault of Cloister, not of the study{reference}."))
                .then("Nothing has to change in the study. The operators are told; run it again later.")
        }
        "stale_codelists" => Said::just("Its codelists differed from their source.")
            .then("Run “cloister codelists update”, commit the files, and ask again."),
        "legacy" => Said::default(),
        code => unknown(code),
    }
}

/// Where an action's log is. Never the log itself.
fn log(action: &str) -> String {
    format!("The log says more: “metadata/{action}.log” on the review site of the backend.")
}

fn exit(action: &str, params: &Value) -> Said {
    if let Some(code) = params["engine_exit"].as_i64() {
        return engine(action, code);
    }
    match params["exit"].as_str() {
        Some("out_of_memory") => {
            let limit = params["limit_mb"].as_i64().map(|mb| format!(" of {mb} MB")).unwrap_or_default();
            Said::just(format!("The action's program needed more memory than its limit{limit}."))
                .then("Let it read less at once, or do the work in smaller actions.")
        }
        Some("killed") => Said::just("The action's program was ended by a signal.").then(log(action)),
        _ => Said::just("The action's program stopped with an error.").then(log(action)),
    }
}

/// What the exit codes of the trusted database engines mean.
fn engine(action: &str, code: i64) -> Said {
    let (sentence, advice) = match code {
        2 => ("The command of the action has wrong arguments.", "Correct its “run” line."),
        3 => ("The database had a passing fault.", "Run it again."),
        4 => ("New data were being imported into the database.", "Run it again later."),
        5 => ("The database has a problem.", "The operators know; run it again later."),
        6 => ("The query is too complex for the database.", "Simplify the study definition, or split it up."),
        10 => ("The study definition could not be read.", "Run it on dummy data first: the same error is shown there."),
        11 => ("A data file that the action reads is not as it should be.", "Check the file it names in its log."),
        12 => (
            "The project has no permission for data that the action asks for.",
            "The log names the data; ask for the permission.",
        ),
        13 => ("The assurance tests of the study definition failed.", "Mend the definition or its tests."),
        14 => ("It made progress too slowly and was stopped.", "Simplify the study definition, or split it up."),
        _ => ("The action's program stopped with an error.", ""),
    };
    let advice = if advice.is_empty() { log(action) } else { advice.to_owned() };
    Said::just(sentence).then(advice)
}

fn error(params: &Value, around: &Around) -> Said {
    let backend = &around.backend;
    match params["reason"].as_str().unwrap_or_default() {
        "missing_input" => Said::just(match params["needed"].as_str() {
            Some(needed) => format!("Outputs of “{needed}”, which it needs, are no longer there."),
            None => "Outputs that it needs are no longer there.".to_owned(),
        })
        .then("Run the needed action again."),
        "bad_commit" => Said::just("The commit cannot be read as files.")
            .then("Look for odd names in the repository, such as “.git” or names with line breaks."),
        "image_gone" => Said::just(format!(
            "The image {} is no longer to be had on this backend.",
            params["image"].as_str().unwrap_or("it needs")
        ))
        .then("Ask for it again, or change the image in the action's “run” line."),
        "unsafe_output" => Said::just("One of its outputs is a link or a special file.")
            .then("Write plain files only; copy a file rather than linking to it."),
        "too_many_outputs" => Said::just("It wrote more output files than are allowed.")
            .then("Write fewer, larger files, or narrow the patterns."),
        "disk_limit" => {
            let limit = params["limit_mb"].as_i64().map(|mb| format!(" of {mb} MB")).unwrap_or_default();
            Said::just(format!("Its outputs need more disk than the limit{limit}."))
                .then("Write less, or compressed files.")
        }
        "refused_by_policy" => policy(params["rule"].as_str().unwrap_or_default(), backend),
        "retries_exhausted" => {
            let times = params["attempts"].as_i64().map(|n| format!(" ({n} times)")).unwrap_or_default();
            Said::just(format!("It was tried as often as is allowed{times}, and ended for a passing reason each time."))
                .then("Run it again later; tell the operators if it happens again.")
        }
        other => Said::just(format!("It could not be run: “{other}”.")),
    }
}

/// The rules of a backend that a job can meet between its request and its start.
fn policy(rule: &str, backend: &str) -> Said {
    let (sentence, advice) = match rule {
        "permission_ended" => {
            ("a data permission of the project ended", "Ask for the permission again, then run it again.")
        }
        "workspace_archived" => ("the workspace was archived", "Unarchive the workspace, or use another."),
        "project_retired" => ("the project was retired", "Ask the staff of this site."),
        "repo_not_allowed" => ("the repository is no longer allowed there", "Ask the operators of the backend."),
        "image_not_allowed" => ("the image is no longer allowed there", "Change the image in the action's “run” line."),
        "person_not_allowed" => {
            ("the person who asked may no longer run jobs there", "Another member can ask for the same.")
        }
        other => return Said::just(format!("The {backend} backend refused it before it began: “{other}”.")),
    };
    Said::just(format!("The {backend} backend refused it before it began: {sentence}.")).then(advice)
}
