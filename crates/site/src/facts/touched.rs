//! What a batch of facts is about: the rows to read before it is applied, and to write after.
//! Spec protocol.md 4.2, 4.3.

use std::collections::{BTreeMap, BTreeSet};

use protocol::fact::FactBody;
use protocol::fact::job::JobStarted;
use protocol::order::Order;
use protocol::text::ids::{JobId, RequestId, Ulid};
use protocol::text::time::Moment;

/// The rows that a batch may read.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub requests: BTreeSet<RequestId>,
    /// The orders that answers repeat.
    pub orders: BTreeMap<RequestId, Order>,
    pub jobs: BTreeSet<JobId>,
    pub cancels: BTreeSet<Ulid>,
    pub releases: BTreeSet<Ulid>,
}

/// What facts that were applied are about.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// The news of each request, by the site's clock.
    pub requests: BTreeMap<RequestId, i64>,
    /// When a request got its answer: by the backend's clock, by the site's.
    pub answered: BTreeMap<RequestId, (Moment, i64)>,
    pub jobs: BTreeMap<JobId, TouchedJob>,
    /// When a cancel got its answer, by the site's clock.
    pub cancels: BTreeMap<Ulid, i64>,
    /// Requests that were lost and are made again.
    pub lost: BTreeSet<RequestId>,
}

/// The last that was told of a job.
#[derive(Debug)]
pub(super) struct TouchedJob {
    pub at: Moment,
    /// The last attempt that began in this batch.
    pub started: Option<JobStarted>,
}

impl Named {
    pub(super) fn add(&mut self, body: &FactBody) {
        match body {
            FactBody::Accepted(b) => {
                self.answer(&b.answer.request, b.answer.order.as_ref());
                self.jobs.extend(b.jobs.iter().map(|job| job.job.clone()));
                self.jobs.extend(b.jobs.iter().flat_map(|job| job.needs.iter().map(|need| need.job.clone())));
                self.jobs.extend(b.attached.iter().chain(&b.reused).map(|kept| kept.job.clone()));
            }
            FactBody::NothingToDo(b) => self.answer(&b.answer.request, b.answer.order.as_ref()),
            FactBody::Refused(b) => self.answer(&b.answer.request, b.answer.order.as_ref()),
            FactBody::Checking(b) => self.answer(&b.request, None),
            FactBody::JobWaiting(b) => self.job(&b.job),
            FactBody::JobStarted(b) => self.job(&b.job),
            FactBody::JobStage(b) => self.job(&b.job),
            FactBody::JobReset(b) => self.job(&b.job),
            FactBody::JobFinished(b) => self.job(&b.job),
            FactBody::CancelDone(b) => {
                self.cancels.insert(b.directive.clone());
            }
            FactBody::ReleaseDeclared(b) => self.release(&b.release),
            FactBody::ReleaseCompleted(b) => self.release(&b.release),
            FactBody::ReleaseRecalled(b) => self.release(&b.release),
            FactBody::Opened(_)
            | FactBody::Mode(_)
            | FactBody::Key(_)
            | FactBody::Policy(_)
            | FactBody::DirectiveRejected(_)
            | FactBody::AuditHead(_) => {}
        }
    }

    fn answer(&mut self, request: &RequestId, order: Option<&Order>) {
        self.requests.insert(request.clone());
        if let Some(order) = order {
            self.orders.entry(request.clone()).or_insert_with(|| order.clone());
        }
    }

    fn job(&mut self, job: &JobId) {
        self.jobs.insert(job.clone());
    }

    fn release(&mut self, release: &Ulid) {
        self.releases.insert(release.clone());
    }
}

impl Touched {
    /// Notes a fact that was applied.
    pub(super) fn add(&mut self, at: Moment, received_at: i64, body: &FactBody) {
        if let Some(request) = request_of(body) {
            self.requests.insert(request.clone(), received_at);
        }
        let job = match body {
            FactBody::JobWaiting(b) => &b.job,
            FactBody::JobStarted(b) => &b.job,
            FactBody::JobStage(b) => &b.job,
            FactBody::JobReset(b) => &b.job,
            FactBody::JobFinished(b) => &b.job,
            FactBody::CancelDone(b) => {
                self.cancels.insert(b.directive.clone(), received_at);
                return;
            }
            _ => return,
        };
        let entry = self.jobs.entry(job.clone()).or_insert(TouchedJob { at, started: None });
        entry.at = at;
        if let FactBody::JobStarted(started) = body {
            entry.started = Some(started.clone());
        }
    }
}

/// The request that a fact is about.
pub(super) fn request_of(body: &FactBody) -> Option<&RequestId> {
    Some(match body {
        FactBody::Accepted(b) => &b.answer.request,
        FactBody::NothingToDo(b) => &b.answer.request,
        FactBody::Refused(b) => &b.answer.request,
        FactBody::Checking(b) => &b.request,
        FactBody::JobWaiting(b) => &b.request,
        FactBody::JobStarted(b) => &b.request,
        FactBody::JobStage(b) => &b.request,
        FactBody::JobReset(b) => &b.request,
        FactBody::JobFinished(b) => &b.request,
        FactBody::CancelDone(b) => &b.request,
        _ => return None,
    })
}
