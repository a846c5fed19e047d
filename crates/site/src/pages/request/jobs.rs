//! The rows of jobs, and the quieter list of work that was done before or is shared.
//! Spec site.md 4.2, 4.3.

use askama::Template;
use ui::html::Html;
use ui::icon::Level;
use ui::time::{At, Hms};

use super::super::words::{self, Said};
use super::View;
use crate::store::read::{JobRow, OtherJob};

/// The most patterns of outputs in one row; the pipeline has all of them.
const PATTERNS: usize = 8;

#[derive(Template)]
#[template(path = "request/explanation.html")]
struct Explanation<'a> {
    person: &'a str,
    backend: &'a str,
    synthetic: bool,
}

#[derive(Template)]
#[template(path = "request/row.html")]
struct Row<'a> {
    job: &'a JobRow,
    class: &'static str,
    label: Html,
    runtime: String,
    /// Seconds so far, while it runs.
    ticking: Option<i64>,
    waited: Option<String>,
    anchor: Option<String>,
    said: Said,
    guess: String,
    /// The code, where its state does not say it.
    code: Option<&'a str>,
    links: Vec<(String, String)>,
    outputs: &'a [(Level, String)],
    more: usize,
}

#[derive(Template)]
#[template(path = "request/jobs.html")]
struct Jobs<'a> {
    rows: &'a [(String, Html)],
    left: usize,
    number: i64,
    label: Html,
    reason: Option<Said>,
    detail: Html,
    waiting: bool,
    import: bool,
    backend: &'a str,
    contact: Option<Html>,
}

struct Reused {
    action: String,
    place: Option<(String, i64)>,
    why: &'static str,
    staleness: String,
}

#[derive(Template)]
#[template(path = "request/reused.html")]
struct ReusedList {
    rows: Vec<Reused>,
}

/// Where the page of a job of another request is.
pub(in crate::pages) fn place(job: &OtherJob) -> Option<(String, i64)> {
    let (number, project, workspace) = job.request.as_ref()?;
    Some((format!("/{project}/{workspace}/{number}/{}/", job.identifier), *number))
}

impl View<'_> {
    pub(super) fn explanation(&self) -> Html {
        let backend = &self.request.backend;
        Html::of(&Explanation {
            person: &self.request.requested_by.fullname,
            backend: &backend.name,
            synthetic: backend.is_synthetic,
        })
    }

    pub(super) fn row(&self, job: &JobRow) -> Html {
        let state = words::state(&job.status, &job.code);
        let said = words::job(job, &self.around(job));
        let line = self.pipeline.as_ref().and_then(|p| p.action(&job.action));
        let running = job.status == "running";
        let so_far = job.started_at.filter(|_| running).map(|from| self.now.saturating_sub(from).max(0) / 1_000_000);
        let outputs = line.map_or(&[][..], |line| &line.outputs);
        Html::of(&Row {
            class: state.class(),
            label: state.label_as(&words::word(&job.status, &job.code)),
            runtime: Hms(so_far.or(self.ran(job))).to_string(),
            ticking: so_far,
            waited: job.started_at.map(|at| Hms::between(At(job.created_at), At(at)).to_string()),
            anchor: line.map(|line| ui::yaml::anchor(&line.name)),
            links: said.jobs.iter().map(|id| self.link(id)).collect(),
            code: matches!(job.status.as_str(), "failed" | "pending").then_some(job.code.as_str()),
            said,
            guess: self.request.estimates.get(&job.action).map(|e| words::estimate(e, &job.code)).unwrap_or_default(),
            outputs: &outputs[..outputs.len().min(PATTERNS)],
            more: outputs.len().saturating_sub(PATTERNS),
            job,
        })
    }

    /// Seconds that a finished job ran; nothing without a start.
    pub(super) fn ran(&self, job: &JobRow) -> Option<i64> {
        let from = job.started_at?;
        job.runtime_s.or(job.finished_at.map(|to| to.saturating_sub(from).max(0) / 1_000_000))
    }

    /// A link to another job: its row here, its page elsewhere, or its identifier alone.
    fn link(&self, identifier: &str) -> (String, String) {
        if let Some(job) = self.job(identifier) {
            return (format!("#j-{identifier}"), job.action.clone());
        }
        match self.other(identifier).and_then(|job| Some((place(job)?, job))) {
            Some(((href, number), job)) => (href, format!("{} (job request {number})", job.action)),
            None => (format!("/jobs/{identifier}/"), identifier.to_owned()),
        }
    }

    pub(super) fn jobs_part(&self, rows: &[(String, Html)]) -> Html {
        let request = self.request;
        let answered = request.delivery == "answered" || request.status != "pending";
        Html::of(&Jobs {
            rows,
            left: self.jobs.len() - rows.len(),
            number: request.number,
            label: self.label(),
            reason: self.reason(),
            detail: self.detail(),
            waiting: !answered && !request.is_import,
            import: request.is_import,
            backend: &request.backend.name,
            contact: request.last_contact_at.map(|at| At(at).shown(At(self.now))),
        })
    }

    pub(super) fn reused_part(&self) -> Html {
        let staleness = |id: &str| {
            let need = self.request.jobs.iter().flat_map(|job| &job.needs).find(|need| need.needed == id);
            need.and_then(|need| need.staleness.as_deref()).map(words::staleness).unwrap_or_default()
        };
        let rows = self
            .request
            .others
            .iter()
            .map(|job| Reused {
                action: job.action.clone(),
                place: place(job),
                why: match job.status.as_deref() {
                    Some("succeeded") => "succeeded there",
                    Some("running") => "running there",
                    Some("pending") => "waiting there",
                    Some("failed") => "failed there",
                    _ => "nothing more is known",
                },
                staleness: staleness(&job.identifier),
            })
            .collect();
        Html::of(&ReusedList { rows })
    }
}
