//! Directives as they come: what is in force changes at once, orders are decided aside, workspace by workspace.
//! Spec protocol.md 3.2 (4), 3.3: an order of another workspace is never held up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jobs::fault::point;
use jobs::local::{NOTICE, WISH};
use jobs::schedule::{Cause, Next};
use jobs::state::{CancelOrder, PolicyRule, StateError};
use jobs::{RequestId, WorkspaceName};
use protocol::directive::DirectiveBody;
use protocol::directive::body::{Cancel, PermissionsInForce, WorkspaceState};
use protocol::directive::envelope::Directive;
use protocol::order::Order;
use protocol::text::ids::Ulid;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::{Bench, REST, WorkError};
use crate::desk::ended;
use crate::log::LogError;
use crate::orders::Decided;

/// What has come and is not applied yet.
#[derive(Default)]
struct Hand {
    held: BTreeSet<Ulid>,
    /// The last order of each workspace: the next one waits for it.
    last: HashMap<String, oneshot::Receiver<()>>,
    orders: JoinSet<()>,
}

pub(super) async fn run(bench: Arc<Bench>, mut stop: watch::Receiver<bool>) -> Result<(), WorkError> {
    let mut arrived = bench.log.arrived();
    let (done, mut finished) = mpsc::unbounded_channel();
    let mut hand = Hand::default();
    loop {
        arrived.mark_unchanged();
        let settled = match bench.log.waiting().await {
            Ok(waiting) => {
                let mut settled = true;
                for directive in waiting {
                    if !hand.held.contains(&directive.id)
                        && let Err(error) = take(&bench, &mut hand, &directive, &done, &stop).await
                    {
                        tracing::error!(directive = %directive.id, %error, "a directive cannot be applied now");
                        settled = false;
                    }
                }
                settled
            }
            Err(error) => {
                tracing::error!(%error, "directives cannot be read now");
                false
            }
        };
        // What could not be done now is tried again: in the order of the line, from the first that is not applied.
        let rest = if settled { Duration::from_secs(3600) } else { REST };
        tokio::select! {
            changed = arrived.changed() => if changed.is_err() { return Ok(()) },
            Some(directive) = finished.recv() => { hand.held.remove(&directive); }
            Some(_) = hand.orders.join_next() => {}
            () = tokio::time::sleep(rest) => {}
            () = ended(&mut stop) => return Ok(()),
        }
    }
}

/// Why a directive is not applied now.
#[derive(Debug, thiserror::Error)]
enum NotNow {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Log(#[from] LogError),
}

async fn take(
    bench: &Arc<Bench>,
    hand: &mut Hand,
    directive: &Arc<Directive>,
    done: &mpsc::UnboundedSender<Ulid>,
    stop: &watch::Receiver<bool>,
) -> Result<(), NotNow> {
    point("directive.before", None);
    match &directive.body {
        DirectiveBody::JobRequest(order) => {
            if note(bench, directive, order).await? {
                hand.held.insert(directive.id.clone());
                queue(bench, hand, directive.clone(), order.clone(), done.clone(), stop.clone());
                return Ok(());
            }
        }
        DirectiveBody::Cancel(order) => cancel(bench, directive, order).await?,
        DirectiveBody::Permissions(list) => permissions(bench, directive, list).await?,
        DirectiveBody::Workspace(state) => workspace(bench, state).await?,
        DirectiveBody::PauseWish(wish) => {
            // Shown to the operator, never acted on (spec protocol.md 3.3).
            let text = serde_json::json!({ "wish": wish.wish, "by": wish.by, "reason": wish.reason }).to_string();
            bench.server.state().set_flag(WISH, Some(&text), Timestamp::now()).await?;
            tracing::warn!(wish = text, "the site's staff wish something");
        }
        // Nothing is released from here yet: there is no file that could be taken back.
        DirectiveBody::FileRevoked(_) => {}
        DirectiveBody::Notice(notice) => {
            let text = serde_json::json!({ "code": notice.code, "date": notice.date }).to_string();
            bench.server.state().set_flag(NOTICE, Some(&text), Timestamp::now()).await?;
            tracing::warn!(notice = text, "the site has a word for the operator");
        }
        // The line's own errands: the desk is handed none of them.
        DirectiveBody::RightsChanged(_) | DirectiveBody::Resend(_) | DirectiveBody::Credential(_) => return Ok(()),
    }
    point("directive.applied", None);
    bench.log.applied(&directive.id, Vec::new()).await?;
    point("directive.after", None);
    Ok(())
}

/// Notes an order before anything of it is looked at, so that a cancel behind it finds it. True if it has to be decided.
async fn note(bench: &Bench, directive: &Directive, order: &Order) -> Result<bool, NotNow> {
    let list = serde_json::to_value(&order.permissions).map_err(StateError::from)?;
    let project = order.project.slug.as_str();
    let Ok(request) = bench.decider.request(order) else { return Ok(true) };
    match bench.server.state().accept(&request).await {
        Err(StateError::InconsistentRequest(_)) => {
            bench.decider.inconsistent(directive, order).await?;
            return Ok(false);
        }
        accepted => accepted?,
    }
    // The order has the list in force when it was made. After a restart it may be heard behind a later one.
    if bench.server.state().put_permits(project, directive.cursor.get(), &list).await? {
        bench.standing.put(project, order.permissions.to_vec());
    }
    point("order.noted", None);
    Ok(true)
}

/// Lets an order be decided behind the one before it in its workspace.
fn queue(
    bench: &Arc<Bench>,
    hand: &mut Hand,
    directive: Arc<Directive>,
    order: Order,
    done: mpsc::UnboundedSender<Ulid>,
    mut stop: watch::Receiver<bool>,
) {
    let (over, next) = oneshot::channel();
    hand.last.retain(|_, turn| matches!(turn.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
    let before = hand.last.insert(order.workspace.to_string(), next);
    let bench = bench.clone();
    hand.orders.spawn(async move {
        let work = async {
            if let Some(before) = before {
                let _ = before.await;
            }
            decide(&bench, &directive, &order).await;
        };
        tokio::select! {
            () = work => {}
            () = ended(&mut stop) => {}
        }
        let _ = over.send(());
        let _ = done.send(directive.id.clone());
    });
}

/// Tries until the order has its answer.
async fn decide(bench: &Bench, directive: &Directive, order: &Order) {
    let mut people = bench.log.people();
    let mut tries = 0;
    loop {
        people.mark_unchanged();
        let rest = match bench.decider.decide(directive, order, tries).await {
            Ok(Decided::Answered(kits)) => {
                bench.builds.hand_out(bench, kits);
                point("order.answered", None);
                match bench.log.applied(&directive.id, Vec::new()).await {
                    Ok(()) => return,
                    Err(error) => tracing::error!(directive = %directive.id, %error, "an order cannot be closed now"),
                }
                REST
            }
            Ok(Decided::Later(rest)) => rest,
            Err(error) => {
                tracing::error!(directive = %directive.id, %error, "an order cannot be decided now");
                REST
            }
        };
        tries += 1;
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            changed = people.changed() => if changed.is_err() { return },
        }
    }
}

async fn cancel(bench: &Bench, directive: &Directive, order: &Cancel) -> Result<(), NotNow> {
    let Ok(request) = order.request.as_str().parse::<RequestId>() else { return Ok(()) };
    let actions: Vec<_> = order.actions.iter().map(|name| pipeline::ActionName::new(name.as_str())).collect();
    let whose = CancelOrder { id: directive.id.as_str(), by: order.requested_by.as_str() };
    bench.server.state().cancel_for(whose, request, &actions, Timestamp::now()).await?;
    bench.server.feeder().look();
    Ok(())
}

async fn permissions(bench: &Bench, directive: &Directive, list: &PermissionsInForce) -> Result<(), NotNow> {
    let project = list.project.as_str();
    let body = serde_json::to_value(&list.permissions).map_err(StateError::from)?;
    if bench.server.state().put_permits(project, directive.cursor.get(), &body).await? {
        bench.standing.put(project, list.permissions.to_vec());
    }
    Ok(())
}

async fn workspace(bench: &Bench, state: &WorkspaceState) -> Result<(), NotNow> {
    let Ok(name) = state.name.as_str().parse::<WorkspaceName>() else { return Ok(()) };
    let rule = match (state.archived, state.project_retired) {
        (true, _) => Some(PolicyRule::WorkspaceArchived),
        (false, true) => Some(PolicyRule::ProjectRetired),
        (false, false) => None,
    };
    bench.standing.close(name.as_str(), rule);
    bench.server.state().set_archived(&name, state.archived, state.project_retired, Timestamp::now()).await?;
    bench.server.feeder().look();
    Ok(())
}

/// Gives the engine every job that has not ended, as after a restart: each request's as soon as its code is at hand.
pub(super) async fn again(bench: &Arc<Bench>, stop: &watch::Receiver<bool>) {
    let open = match bench.server.state().open_jobs().await {
        Ok(open) => open,
        Err(error) => {
            tracing::error!(%error, "open jobs cannot be read now");
            return;
        }
    };
    let mut requests: BTreeMap<RequestId, u32> = BTreeMap::new();
    for job in &open {
        *requests.entry(job.request).or_default() += 1;
    }
    for request in requests.into_keys() {
        let (bench, mut stop) = (bench.clone(), stop.clone());
        // It ends with the desk, whose folder it holds.
        tokio::spawn(async move {
            tokio::select! {
                () = bring_back(&bench, request) => {}
                () = ended(&mut stop) => {}
            }
        });
    }
}

/// What runs goes on without its code; what waits fails if the code cannot be reached for too long (jobs.md 23, `max_wait`).
async fn bring_back(bench: &Bench, id: RequestId) {
    let (mut since, mut tries, mut rest) = (None, 0, Duration::from_secs(1));
    loop {
        match bench.server.state().request(id).await {
            Ok(None) => return,
            Ok(Some((request, _))) => match bench.decider.again(&request).await {
                Ok(Ok(kits)) => return bench.builds.hand_out(bench, kits),
                Ok(Err(outage)) => {
                    tracing::warn!(request = %id, %outage, "the code of open jobs cannot be reached");
                    tries += 1;
                    let since = match since {
                        Some(since) => since,
                        None => *since.insert(bench.builds.lack_code(bench, id).await),
                    };
                    let waited = Timestamp::now().as_second().saturating_sub(since);
                    let waited = Duration::from_secs(u64::try_from(waited).unwrap_or(0));
                    if let Next::GiveUp { .. } = bench.rules.running.tries.next(Cause::Outage, tries, waited, 0.5)
                        && bench.builds.give_up_code(bench, id, tries, &outage.to_string()).await
                    {
                        return;
                    }
                }
                Err(error) => tracing::error!(request = %id, %error, "open jobs cannot be read now"),
            },
            Err(error) => tracing::error!(request = %id, %error, "a request cannot be read now"),
        }
        tokio::time::sleep(rest).await;
        rest = (rest * 2).min(Duration::from_secs(300));
    }
}
