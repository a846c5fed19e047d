//! What the page of the form shows, ready for the template.
//! Spec site.md 7.3, 7.4, 15.

use askama::Template;
use pipeline::{Action, ActionName, PrivacyLevel};
use protocol::fact::codes::Pool;
use protocol::gauges::{Gauges, PoolGauge};
use ui::html::Html;
use ui::icon::{Level, State};
use ui::time::At;

use super::again::From;
use super::excerpt::{self, Fault};
use super::expect::{Deed, Expected};
use super::ground::{Choice, Ground, Waits};
use super::judge::Wrong;
use super::permit::Permits;
use super::record::Record;
use super::wish::Wish;
use crate::mirror::{CodelistFault, Resolved, Study};

/// Actions that are listed at a time (spec site.md 16).
pub(super) const LISTED: usize = 500;

/// All that the page is made of.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) ground: &'a Ground,
    pub(super) choices: &'a [Choice],
    pub(super) records: &'a [Record],
    pub(super) permits: &'a Permits,
    pub(super) resolved: &'a Resolved,
    pub(super) wish: &'a Wish,
    pub(super) filter: &'a str,
    pub(super) csrf: &'a str,
    pub(super) wrong: &'a [Wrong],
    pub(super) expected: Option<&'a Expected>,
    /// The request that the same form made before.
    pub(super) made: Option<i64>,
    /// The request that the form was filled in from.
    pub(super) from: Option<&'a From>,
    /// What the chosen backend told last of its workers.
    pub(super) gauges: Option<&'a Gauges>,
    pub(super) now: i64,
}

#[derive(Template)]
#[template(path = "form/form.html")]
pub(super) struct FormPage<'a> {
    pub(super) address: String,
    pub(super) csrf: &'a str,
    pub(super) key: &'a str,
    pub(super) commit: String,
    pub(super) code: Code,
    pub(super) faults: Vec<Fault>,
    pub(super) remarks: Vec<Fault>,
    pub(super) codelists: &'a [CodelistFault],
    pub(super) repair: Option<&'static str>,
    pub(super) missing: Option<String>,
    pub(super) wrong: &'a [Wrong],
    pub(super) made: Option<i64>,
    pub(super) from: Option<&'a From>,
    pub(super) backends: Vec<Backend<'a>>,
    pub(super) run_all: bool,
    pub(super) actions: Vec<Row>,
    /// Ticked, and not among the listed.
    pub(super) hidden: Vec<&'a str>,
    pub(super) total: usize,
    pub(super) filter: &'a str,
    pub(super) is_filtered: bool,
    pub(super) wish: &'a Wish,
    pub(super) preview: Option<Preview<'a>>,
    pub(super) request: String,
}

impl FormPage<'_> {
    fn is_wrong(&self, field: &str) -> bool {
        self.wrong.iter().any(|one| one.field == field)
    }

    fn has_nothing(&self) -> bool {
        self.preview.as_ref().is_some_and(|plan| plan.nothing.is_some())
    }
}

/// Which code it is, and how new.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) short: String,
    pub(super) branch: String,
    pub(super) repo: String,
    /// The branch has this newer commit.
    pub(super) moved_to: Option<String>,
    /// When the repository was last heard, if it does not answer now; and why it does not.
    pub(super) outdated: Option<(Html, String)>,
    /// It was never heard which commit is the newest.
    pub(super) head_unknown: bool,
}

/// A backend to choose.
#[derive(Debug)]
pub(super) struct Backend<'a> {
    pub(super) slug: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: String,
    pub(super) chosen: bool,
    pub(super) waits: Option<Html>,
}

/// An action of the list.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) ticked: bool,
    /// Why it cannot be ticked.
    pub(super) closed: Option<String>,
    pub(super) needs: Vec<String>,
    /// The mark of each level, and its words.
    pub(super) levels: Vec<(Html, &'static str)>,
    pub(super) database: bool,
    /// Last status by backend; the backend's name only where there are several.
    pub(super) lasts: Vec<LastRow>,
}

/// How an action last ended on one backend.
#[derive(Debug)]
pub(super) struct LastRow {
    pub(super) backend: Option<String>,
    /// Label, request, time; `None` if it has not run there.
    pub(super) run: Option<(Html, i64, Html)>,
}

/// What is expected.
#[derive(Debug)]
pub(super) struct Preview<'a> {
    pub(super) steps: Vec<StepRow<'a>>,
    pub(super) runs: usize,
    pub(super) nothing: Option<&'static str>,
    pub(super) warnings: &'a [String],
    pub(super) backend: String,
    /// How busy it is, as last told.
    pub(super) pools: Vec<String>,
    /// With `rerun` the backend may find more than the site knows of.
    pub(super) rerun: bool,
}

/// One line of it.
#[derive(Debug)]
pub(super) struct StepRow<'a> {
    pub(super) action: &'a str,
    pub(super) word: &'static str,
    pub(super) class: &'static str,
    pub(super) words: &'a str,
    /// The words around the request that they name.
    pub(super) linked: Option<(&'a str, i64, &'a str)>,
    pub(super) pool: Option<&'static str>,
    pub(super) waits_for: &'a [String],
}

/// How a job stands, with icon and word.
pub(crate) fn label(status: &str, code: &str) -> Html {
    let state = match (status, code) {
        ("failed", "cancelled_by_user") => State::Cancelled,
        ("pending", _) => State::Pending,
        ("running", _) => State::Running,
        ("succeeded", _) => State::Succeeded,
        ("failed", _) => State::Failed,
        _ => return State::Unknown.label_as(status),
    };
    state.label()
}

fn levels(action: &Action) -> Vec<(Html, &'static str)> {
    let mut levels: Vec<Level> = action
        .outputs
        .iter()
        .map(|output| match output.level {
            PrivacyLevel::HighlySensitive => Level::High,
            PrivacyLevel::ModeratelySensitive => Level::Medium,
            PrivacyLevel::MinimallySensitive => Level::Low,
        })
        .collect();
    levels.sort_unstable();
    levels.dedup();
    levels.into_iter().map(|level| (level.mark(), level.words())).collect()
}

impl<'a> Shown<'a> {
    pub(super) fn page(&self) -> FormPage<'a> {
        let Shown { ground, resolved, wish, .. } = *self;
        let study: &Study = &resolved.study;
        let text = study.text();
        let (actions, hidden, total) = self.rows();
        let mut all = study.loaded.diagnostics.clone();
        all.extend(study.remarks.iter().cloned());
        let blocks = |found: &Fault| study.project().is_none() && found.severity == "error";
        let (faults, remarks) = excerpt::faults(&text, &all).into_iter().partition(blocks);
        FormPage {
            address: format!("/{}/{}/run-jobs/", ground.slug, ground.name),
            request: format!("/{}/{}/", ground.slug, ground.name),
            csrf: self.csrf,
            key: &wish.key,
            commit: study.commit.to_string(),
            code: self.code(),
            faults,
            remarks,
            codelists: &self.resolved.study.codelists.faults,
            repair: study.codelists.repair,
            missing: study.yaml.as_ref().err().map(|missing| missing.message.clone()),
            wrong: self.wrong,
            made: self.made,
            from: self.from,
            backends: self.backends(),
            run_all: wish.actions.iter().any(ActionName::is_run_all),
            actions,
            hidden,
            total,
            filter: self.filter,
            is_filtered: total > LISTED || !self.filter.is_empty(),
            wish,
            preview: self.preview(),
        }
    }

    fn code(&self) -> Code {
        let head = self.resolved.head.as_ref();
        let outdated = head.and_then(|head| {
            let why = head.outdated.clone()?;
            Some((At(head.at).told(At(self.now)), why))
        });
        Code {
            short: self.resolved.commit().to_string().chars().take(7).collect(),
            branch: self.ground.branch.clone(),
            repo: self.ground.repo.clone(),
            moved_to: self.resolved.moved_to().map(|commit| commit.to_string().chars().take(7).collect()),
            outdated,
            head_unknown: head.is_none(),
        }
    }

    fn backends(&self) -> Vec<Backend<'a>> {
        let only = self.choices.len() == 1;
        let waits = |choice: &Choice| choice.waits(self.now).map(|waits| waiting(waits, self.now));
        let backend = |choice: &'a Choice| Backend {
            slug: &choice.slug,
            name: &choice.name,
            kind: choice.kind(),
            chosen: only || choice.slug == self.wish.backend,
            waits: waits(choice),
        };
        self.choices.iter().map(backend).collect()
    }

    /// The listed actions, the ticked ones that are not listed, and how many actions there are.
    fn rows(&self) -> (Vec<Row>, Vec<&'a str>, usize) {
        let Some(project) = self.resolved.study.project() else { return (Vec::new(), Vec::new(), 0) };
        let filter = self.filter.to_lowercase();
        let all = || project.actions.iter().filter(|action| !action.name.is_run_all());
        let fits = |action: &&Action| filter.is_empty() || action.name.as_str().to_lowercase().contains(&filter);
        let listed: Vec<&Action> = all().filter(fits).take(LISTED).collect();
        let names: std::collections::HashSet<&str> = listed.iter().map(|action| action.name.as_str()).collect();
        let is_listed = |name: &&ActionName| !name.is_run_all() && !names.contains(name.as_str());
        let hidden = self.wish.actions.iter().filter(is_listed).map(ActionName::as_str).collect();
        (listed.into_iter().map(|action| self.row(action)).collect(), hidden, all().count())
    }

    fn row(&self, action: &Action) -> Row {
        let codelists = &self.resolved.study.codelists;
        let closed = match self.permits.lack(action, self.now) {
            Some(lack) => Some(lack.words(|at| At(at).day())),
            None if action.is_database() && !codelists.ok() => {
                Some("it reads the database, and the codelists are not as they were published".to_owned())
            }
            None => None,
        };
        Row {
            name: action.name.to_string(),
            // What cannot be ticked loses its tick, or a person could not take it away.
            ticked: closed.is_none() && self.wish.has(&action.name),
            closed,
            needs: action.needs.iter().map(ToString::to_string).collect(),
            levels: levels(action),
            database: action.is_database(),
            lasts: self.lasts(&action.name),
        }
    }

    /// The chosen backend's record alone, or all if none is chosen yet.
    fn lasts(&self, action: &ActionName) -> Vec<LastRow> {
        let chosen = |choice: &Choice| self.wish.backend.is_empty() || choice.slug == self.wish.backend;
        let shown = self.choices.iter().zip(self.records).filter(|(choice, _)| chosen(choice));
        let several = shown.clone().count() > 1;
        let row = |(choice, record): (&Choice, &Record)| {
            let last = record.0.get(action).and_then(|known| known.last.as_ref());
            let run = last.map(|last| (label(&last.status, &last.code), last.request, At(last.at).told(At(self.now))));
            LastRow { backend: several.then(|| choice.name.clone()), run }
        };
        shown.map(row).collect()
    }

    fn preview(&self) -> Option<Preview<'a>> {
        let expected = self.expected?;
        let step = |step: &'a super::expect::Step| {
            let (word, class) = match step.decision {
                Deed::Run => ("Run", "run"),
                Deed::Reuse => ("Reuse", "ok"),
                Deed::Attach => ("Share", "wait"),
            };
            let pool = match (step.decision, step.database) {
                (Deed::Run, true) => Some("waits for a database worker"),
                (Deed::Run, false) => Some("waits for a worker"),
                _ => None,
            };
            StepRow {
                action: &step.action,
                word,
                class,
                words: &step.words,
                linked: step.request.and_then(|number| around(&step.words, number)),
                pool,
                waits_for: &step.waits_for,
            }
        };
        let backend = self.choices.iter().find(|choice| choice.slug == self.wish.backend);
        Some(Preview {
            steps: expected.steps.iter().map(step).collect(),
            runs: expected.runs(),
            nothing: expected.nothing(),
            warnings: &expected.warnings,
            backend: backend.map_or_else(String::new, |choice| choice.name.clone()),
            pools: self.gauges.map(pools).unwrap_or_default(),
            rerun: self.wish.rerun,
        })
    }
}

/// How busy each pool is.
fn pools(gauges: &Gauges) -> Vec<String> {
    let pools = gauges.pools.as_ref().map(|pools| pools.iter()).into_iter().flatten();
    let told = |pool: &PoolGauge| {
        let name = match pool.pool {
            Pool::Db => "Workers that read the database",
            Pool::Other => "Other workers",
        };
        let (waiting, running, capacity) = (pool.waiting.get(), pool.weight_running.get(), pool.capacity.get());
        let waiting = if waiting == 1 { "1 job waits".to_owned() } else { format!("{waiting} jobs wait") };
        format!("{name}: {running} of {capacity} places taken, {waiting}.")
    };
    pools.map(told).collect()
}

/// The words before and behind `request N`.
fn around(words: &str, number: i64) -> Option<(&str, i64, &str)> {
    let (before, after) = words.split_once(&format!("request {number}"))?;
    Some((before, number, after))
}

/// Why a request will wait, said plainly.
pub(super) fn waiting(waits: Waits, now: i64) -> Html {
    let since = |at: Option<i64>| match at {
        Some(at) => format!(" since {}", At(at).told(At(now)).as_str()),
        None => String::new(),
    };
    Html::trusted(match waits {
        Waits::Never => "It has never made contact. Your request will wait until it does.".to_owned(),
        Waits::Missing(at) => {
            format!("No contact{}. Your request will wait until it is back.", since(Some(at)))
        }
        Waits::Paused(at) => format!("Its operator paused it{}. Your request will wait until it goes on.", since(at)),
        Waits::Maintenance(at) => {
            format!("Its database is under maintenance{}. Actions that read it will wait; others run.", since(at))
        }
        Waits::Behind => {
            "It is behind: more than a thousand requests wait for its answer. Yours will wait for its turn.".to_owned()
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
mod tests;
