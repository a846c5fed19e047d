//! A desk that plans, runs and cancels by the shortest of ways, with a state of its own beside the log: an outbox whose rows
//! are told once, as jobs' own is.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use backend::desk::{Desk, DeskFailed, Office, Starts};
use backend::line::ground::Ground;
use backend::log::Told;
use protocol::directive::DirectiveBody;
use protocol::directive::due::{Due, JobNow, Met, cancelling, due};
use protocol::directive::envelope::Directive;
use protocol::fact::codes::{Canceller, Completed, Ending, Pool};
use protocol::fact::job::{FinalState, JobFinished, JobStarted};
use protocol::fact::request::{Accepted, Answer, CancelDone, NewJob};
use protocol::fact::words::Cancelled;
use protocol::order::Order;
use protocol::text::ids::{JobId, RequestId, Ulid};
use protocol::text::names::ActionName;

use crate::net::Virtual;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    Waiting,
    Running,
    Ended,
}

#[derive(Clone, Default)]
pub struct Disk {
    orders: BTreeMap<RequestId, Order>,
    pub jobs: BTreeMap<JobId, (RequestId, ActionName, Now)>,
    /// What was answered to a directive, before the log knows it.
    answers: BTreeMap<Ulid, Vec<Told>>,
    rows: u64,
    outbox: BTreeMap<u64, Told>,
}

#[derive(Clone)]
pub struct Simple {
    pub disk: Arc<Mutex<Disk>>,
    pub ground: Arc<Virtual>,
}

struct Known<'a>(&'a Disk);
impl Met for Known<'_> {
    fn directive(&self, _: &Ulid) -> bool {
        false // The log hands out none that is applied.
    }
    fn order(&self, request: &RequestId) -> Option<Order> {
        self.0.orders.get(request).cloned()
    }
}

impl Simple {
    fn held(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// Whether every job ended and all is told.
    pub fn idle(&self) -> bool {
        let disk = self.held();
        disk.outbox.is_empty() && disk.jobs.values().all(|job| job.2 == Now::Ended)
    }

    /// The answer to a directive; the same one when asked again after a kill.
    fn decide(&self, directive: &Directive) -> Vec<Told> {
        let mut disk = self.held();
        if let Some(answer) = disk.answers.get(&directive.id) {
            return answer.clone();
        }
        let at = self.ground.now();
        let facts: Vec<Told> = match (&directive.body, due(&Known(&disk), directive)) {
            (DirectiveBody::JobRequest(order), Due::Plan) => vec![(at, plan(&mut disk, directive, order).into())],
            (DirectiveBody::Cancel(cancel), Due::CarryOut) => {
                let id = |action: &ActionName| JobId::of(&cancel.request, action);
                let now = |action: &ActionName| match disk.jobs.get(&id(action))?.2 {
                    Now::Ended => Some(JobNow::Ended),
                    _ => Some(JobNow::Unfinished),
                };
                let actions = cancelling(&cancel.actions, now);
                let mut facts = Vec::new();
                for action in actions.iter().filter(|one| *one.1 == Cancelled::Stopped).map(|one| one.0) {
                    let job = disk.jobs.get_mut(&id(action)).unwrap();
                    let ran = std::mem::replace(&mut job.2, Now::Ended) == Now::Running;
                    let how = Ending::CancelledByUser(Canceller::default());
                    facts.push((at, finished(&cancel.request, id(action), how, ran).into()));
                }
                let done = CancelDone {
                    request: cancel.request.clone(),
                    directive: directive.id.clone(),
                    part: None,
                    actions,
                };
                facts.push((at, done.into()));
                facts
            }
            _ => vec![],
        };
        disk.answers.insert(directive.id.clone(), facts.clone());
        facts
    }

    /// One step of one job, with the row that tells it.
    fn step(&self, starts: Starts) -> bool {
        let mut disk = self.held();
        let next = disk
            .jobs
            .iter()
            .find(|(_, job)| job.2 == Now::Running || (job.2 == Now::Waiting && starts == Starts::Allowed));
        let Some((id, (request, _, now))) = next.map(|(id, job)| (id.clone(), job.clone())) else { return false };
        let fact = if now == Now::Waiting {
            let attempt = 1.try_into().unwrap();
            JobStarted { request, job: id.clone(), attempt, image: None, engine: None }.into()
        } else {
            finished(&request, id.clone(), Ending::Succeeded(Completed::default()), true).into()
        };
        let after = if now == Now::Waiting { Now::Running } else { Now::Ended };
        disk.jobs.get_mut(&id).unwrap().2 = after;
        disk.rows += 1;
        let row = disk.rows;
        disk.outbox.insert(row, (self.ground.now(), fact));
        true
    }

    async fn work(&self, office: Office) {
        let mut arrived = office.log.arrived();
        let mut contact = office.contact.clone();
        loop {
            arrived.mark_unchanged();
            contact.mark_unchanged();
            let row = self.held().outbox.first_key_value().map(|(row, told)| (*row, told.clone()));
            if let Some((row, told)) = row {
                office.log.tell(&format!("outbox:{row}"), vec![told]).await.unwrap();
                self.held().outbox.remove(&row);
                continue;
            }
            let waiting = office.log.waiting().await.unwrap();
            if let Some(directive) = waiting.first() {
                let answer = self.decide(directive);
                office.log.applied(&directive.id, answer).await.unwrap();
                continue;
            }
            if self.step(office.contact.borrow().starts) {
                tokio::time::sleep(Duration::from_millis(self.ground.dice.below(3000))).await;
                continue;
            }
            tokio::select! {
                biased;
                _ = arrived.changed() => {}
                _ = contact.changed() => {}
            }
        }
    }
}

impl Desk for Simple {
    fn run(&self, office: Office) -> Pin<Box<dyn Future<Output = Result<(), DeskFailed>> + Send + '_>> {
        Box::pin(async move {
            self.work(office).await;
            Ok(())
        })
    }
}

fn plan(disk: &mut Disk, directive: &Directive, order: &Order) -> Accepted {
    let mut jobs = Vec::new();
    for action in &order.requested_actions {
        let job = JobId::of(&order.request, action);
        disk.jobs.insert(job.clone(), (order.request.clone(), action.clone(), Now::Waiting));
        let run_command = "python analysis/tabulate.py".parse().unwrap();
        let (pool, weight) = (Pool::Other, 1.try_into().unwrap());
        jobs.push(NewJob {
            job,
            action: action.clone(),
            run_command,
            db: false,
            pool,
            weight,
            needs: vec![].try_into().unwrap(),
        });
    }
    disk.orders.insert(order.request.clone(), order.clone());
    Accepted {
        answer: Answer {
            directive: directive.id.clone(),
            request: order.request.clone(),
            part: None,
            order: Some(order.clone()),
            more_actions: Default::default(),
        },
        tree: "ab".repeat(20).parse().unwrap(),
        jobs: jobs.try_into().unwrap(),
        attached: Default::default(),
        reused: Default::default(),
        decisions: Default::default(),
    }
}

fn finished(request: &RequestId, job: JobId, how: Ending, ran: bool) -> JobFinished {
    JobFinished {
        request: request.clone(),
        job,
        state: if how.is_success() { FinalState::Succeeded } else { FinalState::Failed },
        how,
        runtime_s: ran.then(|| 1.try_into().unwrap()),
        usage: None,
        commitment: None,
    }
}
