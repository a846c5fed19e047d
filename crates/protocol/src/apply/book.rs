//! All that the site knows of one backend: its requests, jobs, cancels and releases, as orders and facts made them.
//! Spec protocol.md 3.2 (4), 4.2, 4.3, 7.1. The site may keep it in tables; this is the rule.

use std::collections::BTreeMap;

use super::NotApplied;
use super::job::{Job, JobFact};
use crate::directive::DirectiveBody;
use crate::fact::FactBody;
use crate::fact::backend::{DirectiveRejected, ModeChanged, Policy};
use crate::fact::envelope::Content;
use crate::fact::parts::Parted;
use crate::fact::request::{Accepted, Answer, CancelDone, Checking, NothingToDo, Part, Refused};
use crate::fact::words::{Cancelled, RefusedReason};
use crate::order::Order;
use crate::shape::Broken;
use crate::text::ids::{JobId, RequestId, Ulid};
use crate::text::names::ActionName;

/// One backend as the site knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// Requests sent to it.
    pub requests: BTreeMap<RequestId, Request>,
    /// Jobs that it made.
    pub jobs: BTreeMap<JobId, Job>,
    /// Cancels sent to it, by directive.
    pub cancels: BTreeMap<Ulid, Cancel>,
    /// Directives that it did not apply.
    pub rejected: Vec<DirectiveRejected>,
    /// Releases.
    pub releases: BTreeMap<Ulid, Release>,
    /// What it does.
    pub mode: Option<ModeChanged>,
    /// What may be asked for.
    pub policy: Option<Policy>,
    /// Whether the site was restored and lost requests: they are made again from the orders that facts repeat.
    pub recovering: bool,
    /// The begun parts of one long answer. Any other fact drops them: parts follow each other in the chain.
    parts: Vec<FactBody>,
}

/// A request at the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What was asked.
    pub order: Order,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was heard yet.
    Sent,
    /// The backend cannot decide yet.
    Checking(Checking),
    /// Jobs were made.
    Accepted(Box<Accepted>),
    /// Nothing had to be made.
    NothingToDo(Box<NothingToDo>),
    /// Nothing was made.
    Refused(Box<Refused>),
    /// It has its answer, which whoever keeps this book in tables did not load again.
    Answered,
}

/// A cancel that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// Of which request.
    pub request: RequestId,
    /// Which actions.
    pub actions: Vec<ActionName>,
    /// What became of each.
    pub done: Option<CancelDone>,
}

/// The step of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Approved inside.
    Declared,
    /// Arrived.
    Completed,
    /// It should not have left.
    Recalled,
}

impl Book {
    /// The begun parts of a long answer, which whoever keeps this book in tables has to find again.
    pub fn begun(&self) -> &[FactBody] {
        &self.parts
    }

    /// Goes on behind these parts: the last facts of the chain, all applied, none of them the last of its answer.
    pub fn resume(&mut self, begun: Vec<FactBody>) {
        self.parts = begun;
    }

    /// A directive was put into the backend's line.
    pub fn sent(&mut self, id: &Ulid, body: &DirectiveBody) {
        match body {
            DirectiveBody::JobRequest(order) => {
                let request = || Request { order: order.clone(), outcome: Outcome::Sent };
                self.requests.entry(order.request.clone()).or_insert_with(request);
            }
            DirectiveBody::Cancel(cancel) => {
                let sent = Cancel { request: cancel.request.clone(), actions: cancel.actions.to_vec(), done: None };
                self.cancels.entry(id.clone()).or_insert(sent);
            }
            _ => {}
        }
    }

    /// Applies what a fact says. Facts come in the order of their chain; the site has skipped those that it knew.
    ///
    /// # Errors
    /// Why it changes nothing; then the book is as it was, but for begun parts of a long answer, which are dropped.
    pub fn apply(&mut self, content: &Content) -> Result<(), NotApplied> {
        let body = &content.body;
        let mut begun = std::mem::take(&mut self.parts);
        let Some((directive, number)) = part(body) else { return self.apply_whole(content) };
        let same = |before: &FactBody| {
            let answered = part(before).is_some_and(|(id, p)| id == directive && p.parts == number.parts);
            answered && before.kind() == body.kind()
        };
        if number.part.get() != begun.len() as u64 + 1 || !begun.iter().all(same) {
            return Err(NotApplied::WrongPart);
        }
        begun.push(body.clone());
        if number.part < number.parts {
            self.parts = begun;
            return Ok(());
        }
        let body = whole(begun).map_err(|_| NotApplied::WrongPart)?;
        self.apply_whole(&Content { at: content.at, body })
    }

    fn apply_whole(&mut self, content: &Content) -> Result<(), NotApplied> {
        match &content.body {
            FactBody::Accepted(body) => self.accepted(body),
            FactBody::NothingToDo(body) => {
                let outcome = Outcome::NothingToDo(Box::new(body.clone()));
                self.open(&body.answer).map(|request| request.outcome = outcome)
            }
            FactBody::Refused(body) => self.refused(body),
            FactBody::Checking(body) => {
                let request = self.requests.get_mut(&body.request).ok_or(NotApplied::UnknownRequest)?;
                match request.outcome {
                    Outcome::Sent | Outcome::Checking(_) => request.outcome = Outcome::Checking(body.clone()),
                    _ => return Err(NotApplied::AlreadyAnswered),
                }
                Ok(())
            }
            FactBody::JobWaiting(b) => self.job(content, &b.request, &b.job, JobFact::Waiting(b)),
            FactBody::JobStarted(b) => self.job(content, &b.request, &b.job, JobFact::Started(b)),
            FactBody::JobStage(b) => self.job(content, &b.request, &b.job, JobFact::Stage(b)),
            FactBody::JobReset(b) => self.job(content, &b.request, &b.job, JobFact::Reset(b)),
            FactBody::JobFinished(b) => self.job(content, &b.request, &b.job, JobFact::Finished(b)),
            FactBody::CancelDone(body) => self.cancelled(body),
            FactBody::ReleaseDeclared(body) => self.release(&body.release, &[None], Release::Declared),
            FactBody::ReleaseCompleted(body) => {
                self.release(&body.release, &[Some(Release::Declared)], Release::Completed)
            }
            FactBody::ReleaseRecalled(body) => {
                let before = [Some(Release::Declared), Some(Release::Completed)];
                self.release(&body.release, &before, Release::Recalled)
            }
            FactBody::Mode(body) => {
                self.mode = Some(body.clone());
                Ok(())
            }
            FactBody::Policy(body) => {
                self.policy = Some(body.clone());
                Ok(())
            }
            FactBody::DirectiveRejected(body) => {
                self.rejected.push(body.clone());
                Ok(())
            }
            FactBody::Opened(_) | FactBody::Key(_) | FactBody::AuditHead(_) => Ok(()),
        }
    }

    /// The request that an answer is to, if it still has none.
    fn open(&mut self, answer: &Answer) -> Result<&mut Request, NotApplied> {
        let order = answer.order.as_ref().ok_or(NotApplied::WrongPart)?;
        if self.recovering && !self.requests.contains_key(&answer.request) {
            let lost = Request { order: order.clone(), outcome: Outcome::Sent };
            self.requests.insert(answer.request.clone(), lost);
        }
        let request = self.requests.get_mut(&answer.request).ok_or(NotApplied::UnknownRequest)?;
        match request.outcome {
            Outcome::Sent | Outcome::Checking(_) if request.order == *order => Ok(request),
            Outcome::Sent | Outcome::Checking(_) => Err(NotApplied::OrderDiffers),
            _ => Err(NotApplied::AlreadyAnswered),
        }
    }

    fn accepted(&mut self, body: &Accepted) -> Result<(), NotApplied> {
        // Ids are hashes of request and action (checked with the body), so a job here is known only if it is named twice.
        let mut new = BTreeMap::new();
        for job in &body.jobs {
            let made = Job::new(body.answer.request.clone(), job.action.clone());
            if self.jobs.contains_key(&job.job) || new.insert(job.job.clone(), made).is_some() {
                return Err(NotApplied::AlreadyAnswered);
            }
        }
        let known = |id: &JobId| self.jobs.contains_key(id) || new.contains_key(id);
        let needed = body.jobs.iter().flat_map(|job| job.needs.iter().map(|need| &need.job));
        let kept = body.attached.iter().chain(&body.reused).map(|kept| &kept.job);
        if !needed.chain(kept).all(known) && !self.recovering {
            return Err(NotApplied::UnknownJob);
        }
        self.open(&body.answer)?.outcome = Outcome::Accepted(Box::new(body.clone()));
        self.jobs.extend(new);
        Ok(())
    }

    fn refused(&mut self, body: &Refused) -> Result<(), NotApplied> {
        let outcome = Outcome::Refused(Box::new(body.clone()));
        // The order that is refused is another one under a known id: the request keeps the answer that it has.
        if body.reason == RefusedReason::InconsistentRequest {
            return if self.requests.contains_key(&body.answer.request) {
                Err(NotApplied::OrderDiffers)
            } else {
                Err(NotApplied::UnknownRequest)
            };
        }
        self.open(&body.answer).map(|request| request.outcome = outcome)
    }

    fn job(
        &mut self,
        content: &Content,
        request: &RequestId,
        job: &JobId,
        fact: JobFact<'_>,
    ) -> Result<(), NotApplied> {
        let job = self.jobs.get_mut(job).filter(|job| job.request == *request).ok_or(NotApplied::UnknownJob)?;
        *job = job.apply(content.at, fact)?;
        Ok(())
    }

    fn cancelled(&mut self, body: &CancelDone) -> Result<(), NotApplied> {
        let cancel = self.cancels.get_mut(&body.directive).ok_or(NotApplied::UnknownCancel)?;
        // With an unknown action nothing is cancelled, and only the unknown ones are named (jobs.md 7).
        let nothing = body.actions.values().all(|outcome| *outcome == Cancelled::Unknown);
        let same = body.actions.keys().all(|action| cancel.actions.contains(action))
            && (nothing || cancel.actions.len() == body.actions.len());
        if cancel.request != body.request || !same {
            return Err(NotApplied::UnknownCancel);
        }
        if cancel.done.is_some() {
            return Err(NotApplied::AlreadyAnswered);
        }
        cancel.done = Some(body.clone());
        Ok(())
    }

    fn release(&mut self, id: &Ulid, before: &[Option<Release>], step: Release) -> Result<(), NotApplied> {
        if !before.contains(&self.releases.get(id).copied()) {
            return Err(NotApplied::WrongRelease);
        }
        self.releases.insert(id.clone(), step);
        Ok(())
    }
}

/// The directive that a part of a long fact answers, and which part it is.
pub fn part(body: &FactBody) -> Option<(&Ulid, Part)> {
    let (directive, part) = match body {
        FactBody::Accepted(body) => (&body.answer.directive, body.part()),
        FactBody::NothingToDo(body) => (&body.answer.directive, body.part()),
        FactBody::Refused(body) => (&body.answer.directive, body.part()),
        FactBody::CancelDone(body) => (&body.directive, body.part()),
        _ => return None,
    };
    part.map(|part| (directive, part))
}

fn whole(parts: Vec<FactBody>) -> Result<FactBody, Broken> {
    fn of<T: Parted>(parts: Vec<FactBody>, take: fn(FactBody) -> Option<T>) -> Result<T, Broken> {
        T::join(parts.into_iter().filter_map(take).collect())
    }
    macro_rules! of {
        ($variant:ident) => {
            of(parts, |b| if let FactBody::$variant(b) = b { Some(b) } else { None }).map(FactBody::$variant)
        };
    }
    match parts.first() {
        Some(FactBody::Accepted(_)) => of!(Accepted),
        Some(FactBody::NothingToDo(_)) => of!(NothingToDo),
        Some(FactBody::Refused(_)) => of!(Refused),
        Some(FactBody::CancelDone(_)) => of!(CancelDone),
        _ => Err(Broken("only long answers come in parts")),
    }
}
