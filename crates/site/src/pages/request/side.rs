//! The cards beside a request: statistics, timeline with bars, details in their order, comparisons, provenance.
//! Spec site.md 4.6, 4.7, 4.9.

use askama::Template;
use ui::bars::{Bar, Stretch};
use ui::html::Html;
use ui::icon::State;
use ui::list::percent;
use ui::time::{At, Hms};

use super::super::words::{self, Said};
use super::View;
use crate::store::read::{Earlier, JobRow, RequestPage};

/// A difference of clocks that is told, in microseconds.
const CLOCKS_DIFFER: i64 = 5_000_000;
/// The most bars: more jobs than this are read in the list.
const BARS: usize = 60;

#[derive(Template)]
#[template(path = "request/stats.html")]
struct Stats {
    rows: Vec<(&'static str, u64, String)>,
    completed: u64,
    total: u64,
    percent: String,
    import: bool,
}

#[derive(Template)]
#[template(path = "request/timeline.html")]
struct Timeline<'a> {
    created: Html,
    started: Option<Html>,
    finished: Option<Html>,
    runtime: String,
    elapsed: Option<String>,
    /// Seconds so far, while it is not finished.
    ticking: Option<i64>,
    waited: Option<String>,
    bars: Html,
    backend: &'a str,
    offset: Option<String>,
}

#[derive(Template)]
#[template(path = "request/facts.html")]
struct Facts<'a> {
    r: &'a RequestPage,
    label: Html,
    reason: Option<Said>,
    code: Option<String>,
    short: String,
    codelists: String,
    permissions: Vec<String>,
}

struct Compared {
    words: &'static str,
    number: i64,
    same: bool,
    outside: Option<String>,
}

#[derive(Template)]
#[template(path = "request/comparison.html")]
struct Comparison {
    rows: Vec<Compared>,
}

#[derive(Template)]
#[template(path = "request/provenance.html")]
struct Provenance<'a> {
    r: &'a RequestPage,
}

impl View<'_> {
    pub(super) fn stats_part(&self) -> Html {
        let [pending, running, succeeded, failed] = self.request.counts.map(|n| u64::try_from(n).unwrap_or(0));
        let total = pending + running + succeeded + failed;
        let row = |word, count| (word, count, percent(count, total));
        Html::of(&Stats {
            rows: vec![
                row("Pending", pending),
                row("Running", running),
                row("Succeeded", succeeded),
                row("Failed", failed),
            ],
            completed: succeeded + failed,
            total,
            percent: percent(succeeded + failed, total),
            import: self.request.is_import,
        })
    }

    pub(super) fn timeline_part(&self) -> Html {
        let request = self.request;
        let now = At(self.now);
        let end = request.last_finished_at.filter(|_| self.is_final());
        let started = request.first_started_at;
        let runtime = if started.is_none() { Hms(None) } else { Hms::seconds(request.runtime_s) };
        let elapsed = started
            .filter(|_| end.is_some() || !self.is_final())
            .map(|from| Hms::between(At(from), At(end.unwrap_or(self.now))).to_string());
        Html::of(&Timeline {
            created: At(request.created_at).shown(now),
            started: started.map(|at| At(at).shown(now)),
            finished: end.map(|at| At(at).shown(now)),
            runtime: runtime.to_string(),
            elapsed,
            ticking: started.filter(|_| !self.is_final()).map(|from| self.now.saturating_sub(from).max(0) / 1_000_000),
            waited: started.map(|at| Hms::between(At(request.created_at), At(at)).to_string()),
            bars: self.bars(end),
            backend: &request.backend.name,
            offset: request.clock_offset.filter(|o| o.saturating_abs() > CLOCKS_DIFFER).map(|offset| {
                let seconds = offset.saturating_abs() / 1_000_000;
                format!("{seconds} s {}", if offset > 0 { "ahead" } else { "behind" })
            }),
        })
    }

    fn bars(&self, end: Option<i64>) -> Html {
        if self.jobs.len() > BARS || self.request.first_started_at.is_none() {
            return Html::default();
        }
        let bars: Vec<Bar> = self.jobs.iter().map(|job| self.bar(job)).collect();
        let to = At(end.unwrap_or(self.now));
        ui::bars::draw(&bars, At(self.request.created_at), to, "Waiting (hatched) and running time of each job")
    }

    fn bar(&self, job: &JobRow) -> Bar {
        let end = At(job.finished_at.unwrap_or(self.now));
        let mut stretches = Vec::new();
        let mut waiting_from = job.created_at;
        for attempt in &job.attempts {
            let Some(ended) = attempt.ended_at.filter(|_| Some(attempt.started_at) != job.started_at) else { continue };
            stretches.push(Stretch { from: At(waiting_from), to: At(attempt.started_at), state: None });
            stretches.push(Stretch { from: At(attempt.started_at), to: At(ended), state: Some(State::Unknown) });
            waiting_from = ended;
        }
        let started = At(job.started_at.unwrap_or(end.0));
        stretches.push(Stretch { from: At(waiting_from), to: started, state: None });
        if job.started_at.is_some() {
            let state = words::state(&job.status, &job.code);
            stretches.push(Stretch { from: started, to: end, state: Some(state) });
        }
        let ran = self.ran(job).or(job.started_at.map(|from| self.now.saturating_sub(from) / 1_000_000));
        Bar { name: job.action.clone(), figure: Hms(ran).to_string(), stretches }
    }

    pub(super) fn facts_part(&self) -> Html {
        let request = self.request;
        let code = request.commit.as_ref().filter(|_| !request.is_private && request.repo.starts_with("https://"));
        Html::of(&Facts {
            r: request,
            label: self.label(),
            reason: self.reason(),
            code: code.map(|commit| format!("{}/tree/{commit}", request.repo)),
            short: request.commit.as_deref().and_then(|c| c.get(..7)).unwrap_or("-").to_owned(),
            codelists: words::codelists(&request.codelists),
            permissions: request.permissions.iter().map(words::permission).collect(),
        })
    }

    pub(super) fn comparison(&self) -> Html {
        let request = self.request;
        let row = |words, earlier: &Option<Earlier>| {
            let earlier = earlier.as_ref()?;
            let known = request.commit.as_ref().zip(earlier.commit.as_ref());
            let outside = known.filter(|_| !request.is_private && request.repo.starts_with("https://"));
            Some(Compared {
                words,
                number: earlier.number,
                same: known.is_some_and(|(new, old)| new == old),
                outside: outside.map(|(new, old)| format!("{}/compare/{old}..{new}", request.repo)),
            })
        };
        let rows = [
            row("The previous job request", &request.previous),
            row("The previous successful one", &request.previous_successful),
            row("The previous failed one", &request.previous_failed),
        ];
        Html::of(&Comparison { rows: rows.into_iter().flatten().collect() })
    }

    pub(super) fn provenance(&self) -> Html {
        Html::of(&Provenance { r: self.request })
    }
}
