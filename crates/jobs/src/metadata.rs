//! metadata.json of a job: everything that is known about one attempt, for operators and tools.
//! Spec jobs.md 15: keys as today, in this order, then ours.

use std::collections::BTreeMap;

use pipeline::PrivacyLevel;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands for a value that is nobody's business.
pub const REDACTED: &str = "xxxx-REDACTED-xxxx";

/// Variables whose values may be shown.
const SAFE: [&str; 9] = [
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
    "OPENSAFELY_BACKEND",
    "PYTHON_VERSION",
    "UBUNTU_VERSION",
];

/// What an image says about itself; "unknown" where it says nothing.
pub const UNKNOWN: &str = "unknown";

/// The file; fields are keys, in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Path to level.
    pub outputs: BTreeMap<String, PrivacyLevel>,
    /// Patterns without a file.
    pub unmatched_patterns: Vec<String>,
    /// Files without a pattern, as far as the hint lists them.
    pub unmatched_outputs: Vec<String>,
    /// What people were told.
    pub status_message: Option<String>,
    /// The hint's text.
    pub hint: Option<String>,
    /// When this was made: nanoseconds since 1970.
    pub timestamp_ns: i64,
    /// Job id.
    pub job_definition_id: String,
    /// Request id.
    pub job_definition_rap_id: String,
    /// Attempt id.
    pub task_id: String,
    /// Unix seconds.
    pub created_at: Option<i64>,
    /// Who asked.
    pub user: Option<String>,
    /// Unix seconds.
    pub completed_at: Option<i64>,
    /// What ran.
    pub docker_image_id: Option<String>,
    /// What was to run.
    pub expected_image_id: Option<String>,
    /// As text; `"None"` if nothing ran.
    pub exit_code: String,
    /// `None` where the machine cannot tell.
    pub oom_killed: Option<bool>,
    /// What the runtime knows about the run; see [`redact`].
    pub container_metadata: Value,
    /// The study's commit.
    pub commit: Option<String>,
    /// The database, for database jobs.
    pub database_name: Option<String>,
    /// From the image.
    pub action_version: String,
    /// From the image.
    pub action_revision: String,
    /// From the image.
    pub action_created: String,
    /// From the image.
    pub base_revision: String,
    /// From the image.
    pub base_created: String,
    /// Path to reasons.
    pub level4_excluded_files: BTreeMap<String, String>,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// An error that was not the command's.
    pub error: Option<String>,
    /// Resources, by name.
    pub job_metrics: BTreeMap<String, Value>,
    /// Ours: provenance, isolation level and what else the engine records.
    pub cloister: Value,
}

impl Metadata {
    /// The text of the file, without a final newline.
    ///
    /// # Errors
    /// Only what JSON cannot say.
    pub fn render(&self) -> Result<String, serde_json::Error> {
        crate::json::python_json(self)
    }
}

/// An exit code as the file has it.
pub fn exit_code(code: Option<i32>) -> String {
    code.map_or_else(|| "None".to_owned(), |c| c.to_string())
}

/// `NAME=value` for each variable, the value replaced unless the name is on the list of harmless ones.
pub fn redact<'a>(env: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    env.into_iter()
        .map(|(name, value)| format!("{name}={}", if SAFE.contains(&name) { value } else { REDACTED }))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_keys_are_todays_in_their_order() {
        let metadata = Metadata {
            outputs: [("output/a.csv".to_owned(), PrivacyLevel::ModeratelySensitive)].into(),
            unmatched_patterns: vec![],
            unmatched_outputs: vec![],
            status_message: Some("Completed successfully".to_owned()),
            hint: None,
            timestamp_ns: 1_700_000_000_000_000_000,
            job_definition_id: "54fy7iwzg25g3bvp".to_owned(),
            job_definition_rap_id: "5i42i3xk2j47qlg6".to_owned(),
            task_id: "54fy7iwzg25g3bvp-001".to_owned(),
            created_at: Some(1),
            user: None,
            completed_at: Some(2),
            docker_image_id: None,
            expected_image_id: None,
            exit_code: exit_code(Some(0)),
            oom_killed: Some(false),
            container_metadata: json!({ "env": redact([("PATH", "/bin"), ("TOKEN", "s3cret")]) }),
            commit: None,
            database_name: None,
            action_version: UNKNOWN.to_owned(),
            action_revision: UNKNOWN.to_owned(),
            action_created: UNKNOWN.to_owned(),
            base_revision: UNKNOWN.to_owned(),
            base_created: UNKNOWN.to_owned(),
            level4_excluded_files: BTreeMap::new(),
            cancelled: false,
            error: None,
            job_metrics: [("cpu_peak".to_owned(), json!(99.5))].into(),
            cloister: json!({ "isolation": "full" }),
        };
        assert_eq!(exit_code(None), "None");
        insta::assert_snapshot!(metadata.render().unwrap());
    }
}
