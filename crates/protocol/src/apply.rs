//! What the site makes of facts: pure functions from a state and a fact to the next state or a refusal. The same code
//! builds the site's tables anew. Spec protocol.md 4.2, 4.3.

pub mod book;
pub mod job;

/// Why a fact changes nothing. It stays in the chain and is shown to staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    /// No such request was sent to this backend.
    #[error("no such request was sent to this backend")]
    UnknownRequest,
    /// The echo of an order is not the order that was sent.
    #[error("the order that it repeats is not the one that was sent")]
    OrderDiffers,
    /// The request has its answer.
    #[error("the request was answered before")]
    AlreadyAnswered,
    /// No such job was made by this backend for this request.
    #[error("no such job was made by this backend for this request")]
    UnknownJob,
    /// The job ended before; how does not change.
    #[error("the job ended before")]
    Final,
    /// Only a waiting job can do this.
    #[error("the job is not waiting")]
    NotPending,
    /// Only a running job can do this.
    #[error("the job is not running")]
    NotRunning,
    /// Attempts are numbered from 1 without gaps.
    #[error("the attempt is not the one after the last")]
    WrongAttempt,
    /// A runtime without an attempt, a success without a start, or the like.
    #[error("how the job ended does not fit whether it ran")]
    DoesNotFit,
    /// No such cancel was sent for this request, or its answer names other actions.
    #[error("no such cancel was sent, or its answer names other actions")]
    UnknownCancel,
    /// No such release was declared, or it is complete or recalled.
    #[error("the release is not at this step")]
    WrongRelease,
    /// A part of a long fact that does not follow the one before it, or parts that are no whole.
    #[error("a part of a long fact that does not follow the one before it")]
    WrongPart,
}
