//! What happened inside, told once and for ever, in a chain that nobody can change unseen.
//! Spec protocol.md 4. The bodies here are the whole list of what a fact can say.

pub mod backend;
pub mod chain;
pub mod codes;
pub mod envelope;
pub mod epoch;
pub mod intake;
pub mod job;
pub mod outbox;
pub mod parts;
pub mod release;
pub mod request;
pub mod words;

use crate::shape::{Unknown, bodies};

bodies! {
    /// What a fact says.
    FactBody / FactKind, Unknown::Refused;
    /// An epoch begins.
    Opened(backend::Opened) = "backend.opened";
    /// What the backend does.
    Mode(backend::ModeChanged) = "backend.mode";
    /// The next facts are signed by another key.
    Key(backend::KeyChanged) = "backend.key";
    /// What may be asked for.
    Policy(backend::Policy) = "backend.policy";
    /// An order was not applied.
    DirectiveRejected(backend::DirectiveRejected) = "directive.rejected";
    /// A request was planned.
    Accepted(request::Accepted) = "request.accepted";
    /// A request cannot be decided yet.
    Checking(request::Checking) = "request.checking";
    /// A request needs no job.
    NothingToDo(request::NothingToDo) = "request.nothing_to_do";
    /// A request is refused.
    Refused(request::Refused) = "request.refused";
    /// A job waits.
    JobWaiting(job::JobWaiting) = "job.waiting";
    /// An attempt began.
    JobStarted(job::JobStarted) = "job.started";
    /// An attempt went on.
    JobStage(job::JobStage) = "job.stage";
    /// An attempt ended for a passing reason.
    JobReset(job::JobReset) = "job.reset";
    /// A job ended.
    JobFinished(job::JobFinished) = "job.finished";
    /// A cancel was carried out.
    CancelDone(request::CancelDone) = "cancel.done";
    /// A release was approved.
    ReleaseDeclared(release::ReleaseDeclared) = "release.declared";
    /// A release arrived.
    ReleaseCompleted(release::ReleaseCompleted) = "release.completed";
    /// A release should not have left.
    ReleaseRecalled(release::ReleaseRecalled) = "release.recalled";
    /// A commitment to an inner log.
    AuditHead(backend::AuditHead) = "audit.head";
}

impl FactKind {
    /// Whether it tells of a job, so that its moment is floored to the whole second (spec protocol.md 4.5).
    pub fn is_of_a_job(self) -> bool {
        self.name().starts_with("job.")
    }
}
