//! The one answer to an order, in protocol's words: accepted, nothing to do, or refused.
//! Spec protocol.md 4.3, 4.4; jobs.md 2, 3, 17.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jobs::plan::{Pin, Plan, Reason, Visited};
use jobs::provenance::{Component, Difference, Staleness};
use jobs::schedule::Weights;
use jobs::{NothingToDo as Nothing, PlanRejection, RejectionCode, Request};
use pipeline::{DataKind, Project};
use protocol::directive::envelope::Directive;
use protocol::fact::FactBody;
use protocol::fact::codes::Pool;
use protocol::fact::parts::Parted;
use protocol::fact::request::{
    Accepted, Answer, Decision, Fault, KeptJob, Need, NewJob, NothingToDo, Reason as Why, Refused as RefusedBody,
};
use protocol::fact::words::{Decided, NeedKind, NothingReason, ReasonCode, RefusedReason};
use protocol::order::Order;
use protocol::text::hashes::TreeId;
use protocol::text::ids::JobId;
use protocol::text::list::List;
use protocol::text::names::ActionName;
use protocol::text::time::Moment;

use super::decide::Seen;

/// This machine's clock.
pub(crate) fn now() -> Moment {
    moment(Timestamp::now())
}

pub(crate) fn moment(at: Timestamp) -> Moment {
    // Clocks that show a year beyond 9999 count as 1970: no fact has a moment that is none.
    Moment::from_microseconds(at.as_microsecond()).or_else(|_| Moment::from_microseconds(0)).unwrap_or_else(|_| now())
}

/// An order that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why, as it is told.
    pub reason: RefusedReason,
    /// Faults of project.yaml by code and place.
    pub faults: Vec<Fault>,
    /// In words, for the records inside.
    pub words: String,
}

impl Refused {
    pub(super) fn new(reason: RefusedReason, words: impl Into<String>) -> Self {
        Self { reason, faults: Vec::new(), words: words.into() }
    }

    /// The faults of a project.yaml that does not load. A cycle of needs alone has a reason of its own.
    pub(super) fn of_project(diagnostics: &[pipeline::Diagnostic]) -> Self {
        let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == pipeline::Severity::Error).collect();
        let is_cycle = !errors.is_empty() && errors.iter().all(|d| ["P405", "P406"].contains(&d.code.0));
        let reason = if is_cycle { RefusedReason::NeedsCycle } else { RefusedReason::ProjectInvalid };
        let words = errors.first().map_or_else(|| "it is empty".to_owned(), |d| format!("{}: {}", d.code.0, d.message));
        let faults = errors.iter().take(10_000).filter_map(|d| fault(d)).collect();
        Self { reason, faults, words }
    }

    pub(super) fn of_plan(rejection: &PlanRejection) -> Self {
        let reason = match rejection.code() {
            RejectionCode::UnknownAction => RefusedReason::UnknownAction,
            RejectionCode::NeedsCycle => RefusedReason::NeedsCycle,
            RejectionCode::CodelistsStale => RefusedReason::CodelistsStale,
            RejectionCode::ProjectInvalid => RefusedReason::ProjectInvalid,
            _ => RefusedReason::BadRequest,
        };
        Self::new(reason, rejection.to_string())
    }

    /// The fact that tells it.
    pub fn body(&self, directive: &Directive, order: &Order) -> FactBody {
        let answer = answer(directive, order);
        let whole = RefusedBody { answer, reason: self.reason, faults: list(self.faults.clone()) };
        // Faults without end say no more than that there are faults.
        if whole.clone().split().is_ok() {
            return whole.into();
        }
        RefusedBody { faults: List::default(), ..whole }.into()
    }
}

fn fault(diagnostic: &pipeline::Diagnostic) -> Option<Fault> {
    let at = diagnostic.span.map(|span| span.start);
    let place = |number: u32| u64::from(number.max(1)).try_into().ok();
    Some(Fault {
        code: diagnostic.code.0.parse().ok()?,
        line: place(at.map_or(1, |at| at.line))?,
        column: place(at.map_or(1, |at| at.column))?,
        action: diagnostic.action.as_ref().and_then(|action| action.as_str().parse().ok()),
    })
}

fn answer(directive: &Directive, order: &Order) -> Answer {
    Answer {
        directive: directive.id.clone(),
        request: order.request.clone(),
        part: None,
        order: Some(order.clone()),
        more_actions: List::default(),
    }
}

/// The first of them, as many as fit.
fn list<T, const MAX: usize>(mut entries: Vec<T>) -> List<T, 0, MAX> {
    entries.truncate(MAX);
    entries.try_into().unwrap_or_default()
}

/// What a plan is told from.
pub(super) struct Telling<'a> {
    pub(super) directive: &'a Directive,
    pub(super) order: &'a Order,
    pub(super) request: &'a Request,
    pub(super) project: &'a Project,
    pub(super) plan: &'a Plan,
    pub(super) seen: &'a Seen,
    pub(super) tree: &'a str,
    pub(super) weights: &'a Weights,
}

impl Telling<'_> {
    /// The fact that tells the plan.
    ///
    /// # Errors
    /// Something in it does not fit into a fact: a name, a command, or all of it.
    pub(super) fn body(&self) -> Result<FactBody, Refused> {
        let too_large = || Refused::new(RefusedReason::TooLarge, "its plan does not fit into the answer");
        let kept = |reason: Reason| -> Result<List<KeptJob, 0, 10_000>, Refused> {
            let kept = self.plan.visited.iter().filter(|visited| visited.reason == reason);
            let kept: Vec<_> = kept.map(|visited| self.kept(visited)).collect::<Result<_, _>>()?;
            kept.try_into().map_err(|_| too_large())
        };
        let (attached, reused) = (kept(Reason::AlreadyActive)?, kept(Reason::Succeeded)?);
        let answer = answer(self.directive, self.order);
        if let Some(nothing) = self.plan.nothing_to_do {
            let reason = match nothing {
                Nothing::AllSucceeded => NothingReason::AllSucceeded,
                Nothing::AlreadyScheduled => NothingReason::AlreadyScheduled,
            };
            let whole = NothingToDo { answer, reason, attached, reused };
            whole.clone().split().map_err(|_| too_large())?;
            return Ok(whole.into());
        }
        let tree: TreeId = self.tree.parse().map_err(|_| too_large())?;
        let jobs: Vec<_> = self.plan.new_jobs().map(|visited| self.job(visited)).collect::<Result<_, _>>()?;
        let decisions: Vec<_> =
            self.plan.visited.iter().map(|visited| self.decision(visited)).collect::<Result<_, _>>()?;
        let jobs = jobs.try_into().map_err(|_| too_large())?;
        let decisions = decisions.try_into().map_err(|_| too_large())?;
        let whole = Accepted { answer, tree, jobs, attached, reused, decisions };
        whole.clone().split().map_err(|_| too_large())?;
        Ok(whole.into())
    }

    fn kept(&self, visited: &Visited) -> Result<KeptJob, Refused> {
        let latest = self.seen.before.latest.get(&visited.action);
        let job = latest.and_then(|latest| latest.job.to_string().parse().ok()).ok_or_else(|| no_name(visited))?;
        Ok(KeptJob { action: name(&visited.action)?, job })
    }

    fn job(&self, visited: &Visited) -> Result<NewJob, Refused> {
        let action = &self.project.actions[visited.index];
        let name_of = name(&visited.action)?;
        let db = action.is_database();
        let words = action.expand(self.project, DataKind::Dummy).words;
        let run_command = pipeline::quote_command(&words);
        let run_command = run_command.parse().map_err(|_| {
            Refused::new(RefusedReason::TooLarge, format!("the command of {} is too long to be told", visited.action))
        })?;
        let weight = self.weights.of(&self.request.workspace, visited.action.as_str(), &words.join(" "));
        let waits: BTreeSet<_> = visited.waits_for.iter().collect();
        let mut needs = Vec::with_capacity(visited.pins.len());
        for pin in &visited.pins {
            let action = name(&pin.action)?;
            let job = match pin.pin {
                Pin::New => JobId::of(&self.order.request, &action),
                Pin::Existing(job) => job.to_string().parse().map_err(|_| no_name(visited))?,
            };
            let kind = if waits.contains(&pin.action) { NeedKind::Waits } else { NeedKind::Reuses };
            needs.push(Need { job, action, kind });
        }
        Ok(NewJob {
            job: JobId::of(&self.order.request, &name_of),
            action: name_of,
            run_command,
            db,
            pool: if db { Pool::Db } else { Pool::Other },
            weight: weight.whole().clamp(1, 1000).try_into().map_err(|_| no_name(visited))?,
            needs: needs
                .try_into()
                .map_err(|_| Refused::new(RefusedReason::TooLarge, "an action has too many needs"))?,
        })
    }

    fn decision(&self, visited: &Visited) -> Result<Decision, Refused> {
        let mut reasons = vec![Why { code: rule(visited.reason), action: None }];
        if matches!(visited.reason, Reason::Succeeded | Reason::Stale) {
            reasons.extend(self.seen.before.staleness.get(&visited.action).into_iter().flat_map(|staleness| {
                let differs = differences(staleness);
                let state =
                    (visited.reason == Reason::Succeeded).then(|| Why { code: standing(staleness), action: None });
                state.into_iter().chain(differs)
            }));
        }
        reasons.truncate(100);
        let decision = if visited.is_new() { Decided::New } else { Decided::Keep };
        let reasons = reasons.try_into().map_err(|_| no_name(visited))?;
        Ok(Decision { action: name(&visited.action)?, decision, reasons })
    }
}

fn name(action: &pipeline::ActionName) -> Result<ActionName, Refused> {
    let words = || format!("`{}` is a name that cannot be told outside", action.as_str().escape_debug());
    action.as_str().parse().map_err(|_| Refused::new(RefusedReason::ProjectInvalid, words()))
}

fn no_name(visited: &Visited) -> Refused {
    Refused::new(RefusedReason::ProjectInvalid, format!("{} cannot be told outside", visited.action))
}

fn rule(reason: Reason) -> ReasonCode {
    match reason {
        Reason::AlreadyActive => ReasonCode::AlreadyActive,
        Reason::Requested => ReasonCode::Requested,
        Reason::Forced => ReasonCode::Forced,
        Reason::OutputMissing => ReasonCode::OutputMissing,
        Reason::Stale => ReasonCode::Stale,
        Reason::Succeeded => ReasonCode::Succeeded,
        Reason::FailedBefore => ReasonCode::FailedBefore,
        Reason::NeverRun => ReasonCode::NeverRun,
    }
}

fn standing(staleness: &Staleness) -> ReasonCode {
    match staleness {
        Staleness::UpToDate => ReasonCode::UpToDate,
        Staleness::Stale(_) => ReasonCode::Stale,
        Staleness::PossiblyStale(_) => ReasonCode::PossiblyStale,
        Staleness::Unknown => ReasonCode::Unknown,
    }
}

/// The components that differ, each once; of what comes from another action only that one's name.
fn differences(staleness: &Staleness) -> Vec<Why> {
    let Staleness::Stale(differences) = staleness else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for difference in differences {
        let (code, action) = match difference {
            Difference::Inputs { action, .. } => (ReasonCode::Inputs, action.as_str().parse::<ActionName>().ok()),
            Difference::Needs { first, .. } => (ReasonCode::Stale, first.as_str().parse::<ActionName>().ok()),
            other => (component(other), None),
        };
        if seen.insert((code, action.clone())) {
            all.push(Why { code, action });
        }
    }
    all
}

fn component(difference: &Difference) -> ReasonCode {
    match difference.component() {
        Some(Component::Command) => ReasonCode::Command,
        Some(Component::Config) => ReasonCode::Config,
        Some(Component::Image) => ReasonCode::Image,
        Some(Component::Code) => ReasonCode::Code,
        Some(Component::Inputs) => ReasonCode::Inputs,
        Some(Component::Outputs) => ReasonCode::Outputs,
        Some(Component::Environment) => ReasonCode::Environment,
        Some(Component::Data) => ReasonCode::Data,
        None => ReasonCode::Stale,
    }
}
