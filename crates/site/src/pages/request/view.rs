//! One request as its page sees it: jobs in the order of the page, where links lead, what is known beside.
//! Spec site.md 4.3 (order), 2.4 (derived values).

use std::collections::HashMap;
use std::sync::Arc;

use ui::html::Html;
use ui::icon::State;
use ui::page::notices;
use ui::time::At;

use super::super::Drawn;
use super::super::words::{self, Around};
use super::{Memory, Pipeline};
use crate::line::Seen;
use crate::store::read::{JobRow, OtherJob, RequestPage};

/// The most jobs that are shown at once.
const SHOWN: usize = 200;
/// No news for longer than this is told, in microseconds.
const SILENCE: i64 = 30 * 60 * 1_000_000;

pub(super) struct View<'a> {
    pub(super) request: &'a RequestPage,
    pub(super) pipeline: Option<Arc<Pipeline>>,
    pub(super) seen: &'a Seen,
    pub(super) now: i64,
    /// In the order of the page.
    pub(super) jobs: Vec<&'a JobRow>,
    by_action: HashMap<&'a str, &'a JobRow>,
    by_id: HashMap<&'a str, &'a JobRow>,
    others: HashMap<&'a str, &'a OtherJob>,
}

impl<'a> View<'a> {
    pub(super) fn of(request: &'a RequestPage, memory: &Memory, seen: &'a Seen, now: i64) -> Self {
        let mut jobs: Vec<&JobRow> = request.jobs.iter().collect();
        jobs.sort_by_key(|job| (job.started_at.is_none(), job.started_at, job.position, job.action.as_str()));
        if jobs.len() > SHOWN {
            // The sort is stable: within each kind the order stays.
            jobs.sort_by_key(|job| !matches!(job.status.as_str(), "failed" | "running"));
        }
        let pipeline = request.yaml.as_ref().map(|bytes| {
            let hash = request.yaml_sha256.as_deref().unwrap_or_default();
            memory.pipeline(hash, bytes)
        });
        Self {
            request,
            pipeline,
            seen,
            now,
            jobs,
            by_action: request.jobs.iter().map(|job| (job.action.as_str(), job)).collect(),
            by_id: request.jobs.iter().map(|job| (job.identifier.as_str(), job)).collect(),
            others: request.others.iter().map(|job| (job.identifier.as_str(), job)).collect(),
        }
    }

    pub(super) fn path(&self) -> String {
        format!("/{}/{}/{}/", self.request.project.slug, self.request.workspace, self.request.number)
    }

    pub(super) fn shown(&self) -> &[&'a JobRow] {
        &self.jobs[..self.jobs.len().min(SHOWN)]
    }

    pub(super) fn job_of(&self, action: &str) -> Option<&'a JobRow> {
        self.by_action.get(action).copied()
    }

    pub(super) fn job(&self, identifier: &str) -> Option<&'a JobRow> {
        self.by_id.get(identifier).copied()
    }

    pub(super) fn other(&self, identifier: &str) -> Option<&'a OtherJob> {
        self.others.get(identifier).copied()
    }

    /// Where an action's row is, in this page.
    pub(super) fn row_of(&self, action: &str) -> Option<String> {
        self.job_of(action).map(|job| format!("#j-{}", job.identifier))
    }

    pub(super) fn is_final(&self) -> bool {
        !matches!(self.request.status.as_str(), "pending" | "running")
    }

    /// Since when there is no news, if that is for too long.
    pub(super) fn silent_since(&self) -> Option<i64> {
        let heard = self.request.last_contact_at.unwrap_or(0).min(self.request.news_at.max(self.request.created_at));
        let last = if self.request.last_contact_at.is_none() { self.request.news_at } else { heard };
        (!self.is_final() && !self.request.is_import && self.now.saturating_sub(last) > SILENCE).then_some(last)
    }

    pub(super) fn state(&self) -> State {
        words::request_state(&self.request.status, self.request.cancelled)
    }

    pub(super) fn label(&self) -> Html {
        match self.state() {
            State::Unknown if self.request.status != "unknown" => {
                State::Unknown.label_as(&words::neutral(&self.request.status))
            }
            state => state.label(),
        }
    }

    pub(super) fn around(&self, job: &JobRow) -> Around {
        around(self.request, self.seen, job)
    }

    /// One sentence for those who show links to the page.
    pub(super) fn summary(&self) -> String {
        let [_, _, succeeded, _] = self.request.counts;
        format!(
            "{}: {} of {} jobs succeeded on {}. Requested by {}.",
            self.state().word(),
            succeeded,
            self.request.jobs.len(),
            self.request.backend.told(),
            self.request.requested_by.fullname
        )
    }

    pub(super) fn drawn(&self) -> Drawn {
        let rows: Vec<(String, Html)> =
            self.shown().iter().map(|job| (format!("j-{}", job.identifier), self.row(job))).collect();
        let parts = vec![
            ("notices", notices(&self.notices())),
            ("state", self.state_part()),
            ("jobs", self.jobs_part(&rows)),
            ("reused", self.reused_part()),
            ("graph", self.graph_part()),
            ("stats", self.stats_part()),
            ("timeline", self.timeline_part()),
            ("facts", self.facts_part()),
        ];
        Drawn { parts, rows, holder: "jobs", is_final: self.is_final() }
    }

    fn state_part(&self) -> Html {
        let mut html = Html::trusted("<span id=state role=status>");
        html.push(&self.label());
        html.push(&Html::trusted("</span>"));
        html
    }
}

/// What is known beside a job of a request.
pub(in crate::pages) fn around(request: &RequestPage, seen: &Seen, job: &JobRow) -> Around {
    Around {
        backend: request.backend.name.clone(),
        mode_since: request.mode_since.map(|at| At(at).exact()).unwrap_or_default(),
        mode_kind: request.mode_kind.clone().unwrap_or_default(),
        position: position(seen, job).unwrap_or_default(),
        since: At(job.created_at).exact(),
        cancelled: cancelled(request, job).unwrap_or_default(),
    }
}

/// The place of a waiting job in its queue, by the backend's last gauges: `3rd of 17`.
fn position(seen: &Seen, job: &JobRow) -> Option<String> {
    let gauges = seen.gauges.as_ref()?;
    let queued = gauges.queue.as_ref()?.iter().find(|queued| queued.job.to_string() == job.identifier)?;
    let place = words::ordinal(queued.position.get());
    let pool = gauges.pools.as_ref().and_then(|pools| pools.iter().find(|pool| pool.pool == queued.pool));
    Some(pool.map_or(place.clone(), |pool| format!("{place} of {}", pool.waiting.get())))
}

/// Who asked for this job to be stopped, when, and why.
fn cancelled(request: &RequestPage, job: &JobRow) -> Option<String> {
    let asked = request.cancellations.iter().filter(|c| c.action == job.action).min_by_key(|c| c.at)?;
    let by = asked.by.as_deref().map(|by| format!("by {by} ")).unwrap_or_default();
    let why = if asked.reason.is_empty() { ".".to_owned() } else { format!(": “{}”.", asked.reason) };
    Some(format!("{by}at {}{why}", At(asked.at).exact()))
}
