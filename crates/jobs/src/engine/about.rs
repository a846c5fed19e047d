//! metadata.json of an ended attempt, from what the engine knows of it.
//! Spec jobs.md 15.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sandbox::{Exit, OutOfMemory};
use serde_json::{Value, json};

use super::Work;
use crate::StatusCode;
use crate::collect::Collected;
use crate::manifest::BuiltIn;
use crate::metadata::{Metadata, UNKNOWN, exit_code, redact};
use crate::state::{Attempt, Status};

/// An ended attempt.
pub(super) struct About<'a> {
    pub(super) work: &'a Work,
    pub(super) attempt: &'a Attempt,
    pub(super) status: &'a Status,
    pub(super) collected: &'a Collected,
    pub(super) exit: Option<&'a Exit>,
}

impl About<'_> {
    pub(super) fn metadata(&self, at: Timestamp) -> Metadata {
        let Self { work, status, collected, exit, .. } = self;
        let (job, definition) = (&work.job, &work.job.definition);
        let image = definition.image.to_string();
        let unknown = || UNKNOWN.to_owned();
        let hint = collected.hint.as_ref().map(ToString::to_string).filter(|hint| !hint.is_empty());
        let excluded = collected.outputs.iter().filter_map(|o| Some((o.path.clone(), o.excluded.clone()?))).collect();
        Metadata {
            outputs: collected.outputs.iter().map(|output| (output.path.clone(), output.level)).collect(),
            unmatched_patterns: collected.unmatched_patterns.iter().map(ToString::to_string).collect(),
            unmatched_outputs: Vec::new(),
            status_message: Some(status.message.clone()),
            hint,
            timestamp_ns: i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX),
            job_definition_id: job.id.to_string(),
            job_definition_rap_id: job.request.to_string(),
            task_id: self.attempt.id.to_string(),
            created_at: Some(job.times.created_at),
            user: Some(work.created_by.clone()),
            completed_at: Some(at.as_second()),
            docker_image_id: exit.map(|_| image.clone()),
            expected_image_id: Some(image),
            exit_code: exit_code(exit.map(|exit| exit.code)),
            oom_killed: exit.map(|exit| exit.out_of_memory == OutOfMemory::Yes),
            container_metadata: json!({ "env": redact(work.program.env.iter().map(|(k, v)| (k.as_str(), v.as_str()))) }),
            commit: definition.code.commit().map(ToString::to_string),
            database_name: definition.is_database.then(|| "default".to_owned()),
            action_version: definition.reusable.as_ref().map_or_else(unknown, |by| by.reference.tag.clone()),
            action_revision: definition.reusable.as_ref().map_or_else(unknown, |by| by.commit.clone()),
            action_created: unknown(),
            base_revision: unknown(),
            base_created: unknown(),
            level4_excluded_files: excluded,
            cancelled: status.code == StatusCode::CancelledByUser,
            error: matches!(status.code, StatusCode::JobError | StatusCode::InternalError)
                .then(|| status.message.clone()),
            job_metrics: exit.map(metrics).unwrap_or_default(),
            cloister: json!({
                "code": status.code,
                "reason": status.reason,
                "isolation": exit.map(|exit| exit.isolation),
                "tree": definition.tree,
                "reusable": definition.reusable,
                "warnings": collected.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "builtin": BuiltIn::of(definition),
                "program": env!("CARGO_PKG_VERSION"),
            }),
        }
    }
}

/// What the kernel counted until the end.
fn metrics(exit: &Exit) -> BTreeMap<String, Value> {
    let (seconds, usage) = ((exit.ended - exit.started).max(0.001), &exit.usage);
    let memory = usage.peak_memory as f64 / f64::from(1 << 20);
    let rounded = |number: f64| json!((number * 10.0).round() / 10.0);
    [
        ("cpu_cumsum", rounded(usage.cpu_seconds * 100.0)),
        ("cpu_mean", rounded(usage.cpu_seconds / seconds * 100.0)),
        ("mem_mb_peak", rounded(memory)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
