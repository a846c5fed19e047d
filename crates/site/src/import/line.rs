//! One line of the file: what kind of record it is, its fields under the old site's names, made one in form.
//! Spec site.md 2.5. Fields that are not known are left out, for old records have many.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Cause;
use super::record::{Job, NoJobs, Record, Request};

/// What a line is.
#[derive(Debug)]
pub(super) enum Line {
    Request(Box<Request>),
    /// A job, or the error that stands in place of jobs.
    Job(Box<Record>),
    Place(Place),
}

/// Something that requests name. It has `kind`; requests and jobs need none.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Place {
    Org { slug: String, name: String },
    Project { slug: String, name: String, number: Option<String>, org: Option<String> },
    Workspace { name: String, project: String, repo: String, branch: String, purpose: Option<String> },
    User { username: String, fullname: String, service: Option<bool> },
    Backend { slug: String, name: String, flavour: Option<String>, data_kind: Option<String> },
}

/// The name of the job that stands for an error of the whole request.
const ERROR: &str = "__error__";

#[derive(Deserialize)]
struct OldRequest {
    id: i64,
    identifier: String,
    workspace: String,
    backend: String,
    created_by: String,
    created_at: String,
    #[serde(default)]
    branch: Option<String>,
    #[serde(default)]
    sha: Option<String>,
    requested_actions: Vec<String>,
    #[serde(default)]
    force_run_dependencies: bool,
    #[serde(default)]
    will_notify: bool,
    #[serde(default)]
    codelists_ok: Option<bool>,
    #[serde(default)]
    project_definition: Option<String>,
    #[serde(default, rename = "_status")]
    status: Option<Value>,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    started_at: Option<String>,
    #[serde(default)]
    completed_at: Option<String>,
    #[serde(default)]
    runtime: Option<String>,
}

#[derive(Deserialize)]
struct OldJob {
    job_request_id: i64,
    identifier: String,
    action: String,
    status: Value,
    #[serde(default)]
    status_code: Option<String>,
    #[serde(default)]
    status_message: Option<String>,
    #[serde(default)]
    run_command: Option<String>,
    created_at: String,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    started_at: Option<String>,
    #[serde(default)]
    completed_at: Option<String>,
}

fn rule(field: &'static str, rule: &'static str) -> Cause {
    Cause::Rule { field, rule }
}

fn shaped<T: DeserializeOwned>(value: &Value) -> Result<T, Cause> {
    T::deserialize(value).map_err(|error| Cause::Unreadable(error.to_string()))
}

/// Reads a line.
pub(super) fn read(line: &str) -> Result<Line, Cause> {
    let value: Value = serde_json::from_str(line).map_err(|error| Cause::Unreadable(error.to_string()))?;
    let Value::Object(map) = &value else { return Err(Cause::Unreadable("it is no object".to_owned())) };
    match map.get("kind").and_then(Value::as_str) {
        Some("job_request" | "job") | None => {}
        Some(_) => return Ok(Line::Place(shaped(&value)?)),
    }
    if map.contains_key("job_request_id") {
        return job(shaped(&value)?).map(|record| Line::Job(Box::new(record)));
    }
    request(shaped(&value)?).map(|request| Line::Request(Box::new(request)))
}

fn request(old: OldRequest) -> Result<Request, Cause> {
    if old.id < 1 {
        return Err(rule("id", "no number from 1 on"));
    }
    identifier(&old.identifier)?;
    if old.requested_actions.is_empty() {
        return Err(rule("requested_actions", "empty"));
    }
    for action in &old.requested_actions {
        name("requested_actions", action)?;
    }
    let commit = old.sha.filter(|sha| !sha.is_empty()).map(|sha| sha.to_ascii_lowercase());
    if let Some(commit) = &commit
        && !((7..=40).contains(&commit.len()) && commit.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return Err(rule("sha", "not 7 to 40 hexadecimal digits"));
    }
    let branch = old.branch.unwrap_or_default();
    if branch.len() > 200 || branch.chars().any(char::is_control) {
        return Err(rule("branch", "not the name of a branch"));
    }
    let codelists = match old.codelists_ok {
        Some(true) => "ok",
        Some(false) => "stale",
        None => "unchecked",
    };
    Ok(Request {
        number: old.id,
        identifier: old.identifier,
        workspace: old.workspace,
        backend: old.backend,
        requested_by: old.created_by,
        branch,
        commit,
        requested_actions: old.requested_actions,
        force_run_dependencies: old.force_run_dependencies,
        notify: old.will_notify,
        codelists: codelists.to_owned(),
        project_yaml: old.project_definition.filter(|text| !text.is_empty()),
        created_at: moment("created_at", &old.created_at)?,
        status: status(old.status.as_ref(), &["pending", "running", "failed", "succeeded", "nothing_to_do"]),
        detail: old.status_message.filter(|text| !text.is_empty()),
        started_at: old.started_at.map(|at| moment("started_at", &at)).transpose()?,
        finished_at: old.completed_at.map(|at| moment("completed_at", &at)).transpose()?,
        runtime_s: old.runtime.map(|text| runtime(&text)).transpose()?,
    })
}

fn job(old: OldJob) -> Result<Record, Cause> {
    if old.action == ERROR {
        return Ok(Record::Error(NoJobs {
            request_number: old.job_request_id,
            code: old.status_code.filter(|code| !code.is_empty()).unwrap_or_else(|| "legacy".to_owned()),
            detail: old.status_message.filter(|text| !text.is_empty()),
            at: moment("created_at", &old.created_at)?,
        }));
    }
    identifier(&old.identifier)?;
    name("action", &old.action)?;
    let status = status(Some(&old.status), &["pending", "running", "failed", "succeeded"]);
    let code = match (old.status_code.filter(|code| !code.is_empty()), status.as_str()) {
        (_, "unknown") => "legacy".to_owned(),
        (Some(code), _) => code.to_ascii_lowercase(),
        (None, "succeeded") => "succeeded".to_owned(),
        (None, _) => "legacy".to_owned(),
    };
    if code.len() > 100 || !code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        return Err(rule("status_code", "not a code of lower-case letters, digits and `_`"));
    }
    let created_at = moment("created_at", &old.created_at)?;
    let updated_at = old.updated_at.map(|at| moment("updated_at", &at)).transpose()?.unwrap_or(created_at);
    Ok(Record::Job(Job {
        request_number: old.job_request_id,
        identifier: old.identifier,
        action: old.action,
        run_command: old.run_command.filter(|text| !text.is_empty()),
        status,
        code,
        message: old.status_message.filter(|text| !text.is_empty()),
        created_at,
        updated_at,
        started_at: old.started_at.map(|at| moment("started_at", &at)).transpose()?,
        finished_at: old.completed_at.map(|at| moment("completed_at", &at)).transpose()?,
    }))
}

/// A status in one spelling; what is not known stays unknown.
fn status(old: Option<&Value>, known: &[&str]) -> String {
    let word = old.and_then(Value::as_str).unwrap_or_default().trim().to_ascii_lowercase().replace(' ', "_");
    if known.contains(&word.as_str()) { word } else { "unknown".to_owned() }
}

fn identifier(text: &str) -> Result<(), Cause> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if fits { Ok(()) } else { Err(rule("identifier", "not 1 to 64 lower-case letters and digits")) }
}

fn name(field: &'static str, text: &str) -> Result<(), Cause> {
    let fits = !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(rule(field, "not a name of 1 to 200 characters on one line")) }
}

fn moment(field: &'static str, text: &str) -> Result<i64, Cause> {
    // Old records write an offset without minutes, as PostgreSQL does.
    let text = match text.len().checked_sub(3).and_then(|at| text.split_at_checked(at)) {
        Some((_, end)) if end.starts_with(['+', '-']) && text.contains(':') => format!("{text}:00"),
        _ => text.to_owned(),
    };
    let moment: Timestamp = text.parse().map_err(|_| rule(field, "not a time with date, clock and offset"))?;
    Ok(moment.as_microsecond())
}

/// `HH:MM:SS`, hours unbounded.
fn runtime(text: &str) -> Result<i64, Cause> {
    let bad = || rule("runtime", "not of the form HH:MM:SS");
    let parts: Vec<&str> = text.split(':').collect();
    let &[hours, minutes, seconds] = parts.as_slice() else { return Err(bad()) };
    let number = |text: &str| -> Option<i64> {
        if text.len() >= 2 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
    };
    let (Some(hours), Some(minutes), Some(seconds)) = (number(hours), number(minutes), number(seconds)) else {
        return Err(bad());
    };
    if minutes > 59 || seconds > 59 || hours > 1_000_000 {
        return Err(bad());
    }
    Ok((hours * 60 + minutes) * 60 + seconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use super::*;

    #[test]
    fn times_in_the_spellings_of_old_records() {
        // 2021-03-01 is day 18,687 after 1970-01-01.
        let second = 18_687 * 86_400 + 12 * 3600;
        for text in ["2021-03-01T12:00:00Z", "2021-03-01 12:00:00+00", "2021-03-01T13:00:00.000000+01:00"] {
            assert_eq!(moment("x", text).unwrap(), second * 1_000_000, "{text}");
        }
        for bad in ["", "2021-03-01", "yesterday", "2021-13-01T12:00:00Z", "é", "+00"] {
            assert!(moment("x", bad).is_err(), "{bad}");
        }
        assert_eq!(runtime("45:28:32").unwrap(), 163_712);
        for bad in ["45:28", "1:00:00", "00:60:00", "a:b:c", "-1:00:00", ""] {
            assert!(runtime(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_in_one_spelling() {
        let known = ["failed", "succeeded", "nothing_to_do"];
        for (old, new) in [
            ("Failed", "failed"),
            ("SUCCEEDED", "succeeded"),
            ("nothing to do", "nothing_to_do"),
            ("unknown_error_creating_jobs", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(status(Some(&Value::from(old)), &known), new);
        }
        assert_eq!(status(Some(&Value::from(0)), &known), "unknown");
        assert_eq!(status(None, &known), "unknown");
    }
}
