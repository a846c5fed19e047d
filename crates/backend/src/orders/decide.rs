//! From an order to its one answer, and to the jobs that follow from it.
//! Spec protocol.md 1, 3.2 (4), 4.3; jobs.md 2, 3.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jobs::fault::point;
use jobs::plan::{Plan, PlanRequest};
use jobs::reusable::Library;
use jobs::server::{Judging, Planned, SeenBefore, Server, SubmitError};
use jobs::state::{Answer, StateError};
use jobs::{CodeSource, Request};
use protocol::directive::envelope::Directive;
use protocol::fact::FactBody;
use protocol::fact::request::Checking;
use protocol::fact::words::{CheckingReason, RefusedReason};
use protocol::order::{Codelists, Order, Stale};
use repositories::Mirrors;
use serde_json::json;

use super::answer::{Telling, moment, now};
use super::code::{Code, NoCode, of_order};
use super::reusable::Actions;
use super::{Here, Kit, Lately, Outage, Refused, Rules, Standing, codelists, may_run, permits};
use crate::log::Log;

/// What planning has seen.
pub(super) struct Seen {
    pub(super) before: SeenBefore,
}

/// How far an order came.
pub enum Decided {
    /// It has its answer, now or before; these are its jobs that have not ended.
    Answered(Vec<Kit>),
    /// Nothing can be said yet. Ask again after this long.
    Later(Duration),
}

/// Decides orders. Cheap to share.
pub struct Decider {
    /// What this backend allows.
    pub rules: Arc<Rules>,
    /// Its jobs.
    pub server: Arc<Server>,
    /// Its copies of repositories.
    pub mirrors: Arc<Mirrors>,
    /// Its copies of reusable actions.
    pub library: Arc<Library>,
    /// What is in force.
    pub standing: Arc<Standing>,
    /// Its record.
    pub log: Arc<Log>,
    /// What was found lately.
    pub lately: Arc<Lately>,
}

/// Runs what waits for git or the disk aside; a fault of it counts as an outage.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Outage> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| Outage(format!("a fault of this program: {fault}")))
}

/// How many new latest jobs can come between judging and storing before it counts as an outage.
const PLANS: u32 = 50;

/// Why an order has no plan.
enum NoPlan {
    Refused(Refused),
    Outage(Outage),
    /// The roster has not arrived yet.
    NotYet,
    State(StateError),
}

impl From<StateError> for NoPlan {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<Outage> for NoPlan {
    fn from(outage: Outage) -> Self {
        Self::Outage(outage)
    }
}

impl From<NoCode> for NoPlan {
    fn from(none: NoCode) -> Self {
        match none {
            NoCode::Refused(refused) => Self::Refused(refused),
            NoCode::Outage(outage) => Self::Outage(outage),
        }
    }
}

impl Decider {
    /// The request that an order is.
    ///
    /// # Errors
    /// A field is outside its bounds here: told as a refusal.
    pub fn request(&self, order: &Order) -> Result<Request, Refused> {
        let bad = |what: &str| Refused::new(RefusedReason::BadRequest, format!("its {what} is none"));
        let named = order.requested_actions.iter().map(|name| pipeline::ActionName::new(name.as_str()));
        Ok(Request {
            id: order.request.as_str().parse().map_err(|_| bad("id"))?,
            backend: self.rules.backend.to_string(),
            workspace: order
                .workspace
                .as_str()
                .parse()
                .map_err(|_| Refused::new(RefusedReason::BadWorkspaceName, "the workspace's name is none"))?,
            code: CodeSource::Commit {
                repo_url: order.repo_url.to_string(),
                branch: order.branch.to_string(),
                commit: order.commit.as_str().parse().map_err(|_| bad("commit"))?,
            },
            database_name: "default".to_owned(),
            requested_actions: named.collect(),
            force_run_dependencies: order.force_run_dependencies,
            stale: match order.stale {
                Some(Stale::Rerun) => jobs::Stale::Rerun,
                Some(Stale::Keep) | None => jobs::Stale::Keep,
            },
            codelists_ok: order.codelists != Codelists::Stale,
            created_by: order.requested_by.username.to_string(),
            project: order.project.slug.to_string(),
            orgs: order.orgs.iter().map(ToString::to_string).collect(),
            analysis_scope: self.standing.scope(order.project.slug.as_str(), now()),
            created_at: order.created_at.microseconds().div_euclid(1_000_000),
        })
    }

    /// One try at an order whose request is noted. It is answered, or there is something to wait for; `tries` counts.
    ///
    /// # Errors
    /// The records cannot be read or written.
    pub async fn decide(&self, directive: &Directive, order: &Order, tries: u32) -> Result<Decided, StateError> {
        let state = self.server.state();
        let request = match self.request(order) {
            Ok(request) => request,
            Err(refused) => return self.refuse(directive, order, None, &refused).await,
        };
        if let Some((_, phase)) = state.request(request.id).await?
            && phase != "checking"
        {
            return Ok(Decided::Answered(Vec::new()));
        }
        point("order.before", None);
        let planned = self.plan(directive, order, &request).await;
        point("order.after", None);
        match planned {
            Ok(kits) => Ok(Decided::Answered(kits)),
            Err(NoPlan::State(error)) => Err(error),
            // Nobody has rights that are not known: it waits without a word, and is asked again when the roster comes.
            Err(NoPlan::NotYet) => Ok(Decided::Later(Duration::from_secs(300))),
            Err(NoPlan::Refused(refused)) => self.refuse(directive, order, Some(&request), &refused).await,
            Err(NoPlan::Outage(outage)) => {
                tracing::warn!(request = %request.id, %outage, tries, "an order cannot be decided yet");
                self.checking(directive, order, &request, tries).await
            }
        }
    }

    async fn refuse(
        &self,
        directive: &Directive,
        order: &Order,
        request: Option<&Request>,
        refused: &Refused,
    ) -> Result<Decided, StateError> {
        let (state, at) = (self.server.state(), Timestamp::now());
        let body = refused.body(directive, order).write().map_err(|error| StateError::Stored(error.to_string()))?;
        let answer = Answer { kind: "request.refused", answers: Some(directive.id.as_str()), body: &body };
        let rejection = json!({ "code": refused.reason, "words": refused.words });
        match request {
            // Another order under a known id: the request keeps the answer that it has.
            None => drop(state.answer(&answer, at).await?),
            Some(request) => match state.refuse(request.id, &rejection, &answer, at).await {
                Err(StateError::UnknownRequest(_)) => {}
                done => done?,
            },
        }
        Ok(Decided::Answered(Vec::new()))
    }

    /// Tells that the id of an order is known with another repository, workspace or commit.
    ///
    /// # Errors
    /// The records cannot be written.
    pub async fn inconsistent(&self, directive: &Directive, order: &Order) -> Result<(), StateError> {
        let words = "its id is known with another repository, workspace or commit";
        self.refuse(directive, order, None, &Refused::new(RefusedReason::InconsistentRequest, words)).await.map(drop)
    }

    /// Says that the code cannot be reached; after long enough that is the answer.
    async fn checking(
        &self,
        directive: &Directive,
        order: &Order,
        request: &Request,
        tries: u32,
    ) -> Result<Decided, StateError> {
        let state = self.server.state();
        let at = Timestamp::now();
        let since = match state.still_checking(request.id, at).await {
            Err(StateError::UnknownRequest(_)) => return Ok(Decided::Answered(Vec::new())),
            since => since?,
        };
        let waited = Duration::from_secs(u64::try_from(at.as_second().saturating_sub(since)).unwrap_or(0));
        if waited >= self.rules.request_check_max {
            let refused = Refused::new(RefusedReason::CodeUnreachable, "its code could not be reached for too long");
            return self.refuse(directive, order, Some(request), &refused).await;
        }
        let since = moment(Timestamp::from_second(since).unwrap_or(at));
        let told = Checking { request: order.request.clone(), reason: CheckingReason::CodeUnreachable, since };
        if let Ok(body) = FactBody::from(told).write() {
            let key = format!("checking:{}", directive.id);
            let answer = Answer { kind: "request.checking", answers: Some(&key), body: &body };
            state.answer(&answer, at).await?;
        }
        let doubled = self.rules.first_wait.saturating_mul(1 << tries.min(10));
        Ok(Decided::Later(doubled.min(Duration::from_secs(300))))
    }

    async fn code(&self, order: &Order) -> Result<Code, NoPlan> {
        let (order, rules) = (order.clone(), self.rules.clone());
        let (mirrors, shop) = (self.mirrors.clone(), self.server.workshop().clone());
        let read = move || of_order(&order, &rules.repositories, &mirrors, &rules.tree, &shop.store);
        Ok(aside(read).await??)
    }

    pub(super) async fn look(&self, code: &Code) -> Result<Here, Outage> {
        let (project, rules, lately) = (code.project.clone(), self.rules.clone(), self.lately.clone());
        aside(move || Here::look(&project, &rules, &lately)).await
    }

    /// Makes of the project what would run, with the reusable actions as they are now.
    async fn actions(&self, mut code: Code, request: &Request) -> Result<(Code, Actions), NoPlan> {
        let (rules, library, shop) = (self.rules.clone(), self.library.clone(), self.server.workshop().clone());
        let requested = request.requested_actions.clone();
        let look_up = move || {
            let actions = Actions::of_order(&mut code, &requested, &rules, &library, &shop.store);
            actions.map(|actions| (code, actions))
        };
        aside(look_up).await?.map_err(NoPlan::Refused)
    }

    async fn plan(&self, directive: &Directive, order: &Order, request: &Request) -> Result<Vec<Kit>, NoPlan> {
        let refused = |reason, words: String| NoPlan::Refused(Refused::new(reason, words));
        let code = self.code(order).await?;
        let state = self.server.state();
        let binding = state.binding(&request.workspace).await?;
        let differs = |bound: &Option<String>, now: &str| bound.as_ref().is_some_and(|bound| bound != now);
        if differs(&binding.repo_url, order.repo_url.as_str()) || differs(&binding.project, &request.project) {
            let words = "the workspace belongs to another repository or project here; an operator can bind it anew";
            return Err(refused(RefusedReason::NotPermitted, words.to_owned()));
        }
        let roster = self.log.roster();
        let at_site = roster.as_ref().and_then(|roster| roster.workspaces.get(&order.workspace));
        if binding.archived
            || binding.retired
            || at_site.is_some_and(|site| site.archived || !site.project_details.ongoing)
        {
            return Err(refused(RefusedReason::WorkspaceArchived, "the workspace is archived".to_owned()));
        }
        let (code, actions) = self.actions(code, request).await?;
        let here = self.look(&code).await?;
        let images = here.images(&code.project);
        let located = here.located();
        for _ in 0..PLANS {
            let judging =
                Judging { project: &code.project, code: &code.code, images: &images, reusable: &actions.reusable };
            let seen = Seen { before: self.server.judge(&request.workspace, &judging, &code.tree).await? };
            let asked = PlanRequest {
                requested: request.requested_actions.clone(),
                force: request.force_run_dependencies,
                stale: request.stale,
                codelists_ok: true,
                commit: request.code.commit().cloned(),
            };
            let plan = jobs::plan::plan(&code.project, &asked, &seen.before.latest)
                .map_err(|rejection| NoPlan::Refused(Refused::of_plan(&rejection)))?;
            self.may(order, &code, &actions, &here, &plan).await?;
            let telling = Telling {
                directive,
                order,
                request,
                project: &code.project,
                plan: &plan,
                seen: &seen,
                tree: &code.tree_id,
                weights: &self.server.workshop().settings.weights,
            };
            let told = telling.body().map_err(NoPlan::Refused)?;
            let body = told.write().map_err(|error| refused(RefusedReason::ProjectInvalid, error.to_string()))?;
            let answer = Answer { kind: told.kind().name(), answers: Some(directive.id.as_str()), body: &body };
            let planned = Planned {
                project: &code.project,
                request,
                plan: &plan,
                seen: &seen.before.seen,
                tree_id: &code.tree_id,
                located: &located,
                reusable: &actions.reusable,
                answer,
            };
            match self.server.submit(&planned).await {
                Err(SubmitError::State(StateError::PlanOutdated { .. })) => {}
                Err(SubmitError::State(error)) => return Err(error.into()),
                Err(error @ SubmitError::NoRuntime(_)) => {
                    return Err(refused(RefusedReason::ImageNotFound, error.to_string()));
                }
                Ok(_) => return Ok(self.kits(request, &code, &actions.reusable, &here).await?),
            }
        }
        Err(Outage("other requests of its workspace change all the time".to_owned()).into())
    }

    /// What is allowed to whom, once it is known what would run.
    async fn may(&self, order: &Order, code: &Code, actions: &Actions, here: &Here, plan: &Plan) -> Result<(), NoPlan> {
        let refused = |reason, words: String| Err(NoPlan::Refused(Refused::new(reason, words)));
        let new = || plan.new_jobs().map(|visited| &code.project.actions[visited.index]);
        for action in new() {
            actions.check(action, &code.project, &self.rules)?.map_err(NoPlan::Refused)?;
            here.check(action).map_err(NoPlan::Refused)?;
        }
        let unknown = permits::unknown(&order.permissions, now());
        if !unknown.is_empty() {
            return refused(RefusedReason::NotPermitted, format!("no such permissions: {}", unknown.join(", ")));
        }
        let roster = self.log.roster().ok_or(NoPlan::NotYet)?;
        if !may_run(&roster, &order.requested_by.username, &order.project.slug, now()) {
            return refused(RefusedReason::NotPermitted, "who asked may not run jobs here for this project".to_owned());
        }
        if new().any(|action| action.is_database()) {
            if order.codelists == Codelists::Stale {
                let words = "the site found the codelists out of date, and a database action would run";
                return refused(RefusedReason::CodelistsStale, words.to_owned());
            }
            let (tree, shop) = (code.tree.clone(), self.server.workshop().clone());
            let room = self.rules.folders.state.join("room");
            if let Some(fault) = aside(move || codelists::fault(&tree, &shop.store, &room)).await?? {
                return refused(RefusedReason::CodelistsStale, fault);
            }
        }
        Ok(())
    }
}
