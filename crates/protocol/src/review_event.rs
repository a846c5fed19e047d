//! Steps of an output review, so that people can be told: that something happened, never what.
//! Spec protocol.md 8.3, review.md 17.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::Message;
use crate::shape::{Broken, Shape, Unknown, codes};
use crate::text::ids::Ulid;
use crate::text::list::List;
use crate::text::names::{Username, WorkspaceName};

/// Backend → site: a step of a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReviewEvent {
    /// Of the event: twice is once.
    pub id: Ulid,
    /// What happened.
    pub event_type: ReviewEventType,
    /// Of which workspace.
    pub workspace: WorkspaceName,
    /// Which release request.
    pub request: Ulid,
    /// Whose.
    pub request_author: Username,
    /// Who acted; never with `request_partially_reviewed`, for votes are independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Username>,
    /// What changed, in codes.
    pub updates: List<Update, 0, 20>,
}

/// A change, in one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Update {
    /// Which.
    pub update: UpdateCode,
}

codes!(
    /// The steps of a review.
    ReviewEventType {
        /// Handed in.
        RequestSubmitted,
        /// Handed in again.
        RequestResubmitted,
        /// One checker is done.
        RequestPartiallyReviewed,
        /// Both are.
        RequestReviewed,
        /// Back to the author.
        RequestReturned,
        /// Approved.
        RequestApproved,
        /// Arrived at the site.
        RequestReleased,
        /// Refused.
        RequestRejected,
        /// Taken back by the author.
        RequestWithdrawn,
        /// Should not have left.
        RequestRecalled,
        /// The upload needs an operator.
        UploadStalled,
        /// The author asks for it back.
        ReturnAsked,
        /// It waits for too long.
        ReviewOverdue,
    }
);
codes!(
    /// What changed in a release request. No names, no text, no numbers.
    UpdateCode {
        /// A file was added.
        FileAdded,
        /// A file was withdrawn.
        FileWithdrawn,
        /// A file was renewed.
        FileUpdated,
        /// The context was edited.
        ContextEdited,
        /// The controls were edited.
        ControlsEdited,
        /// A comment was written.
        CommentAdded,
    }
);

impl Shape for ReviewEvent {
    fn check(&self) -> Result<(), Broken> {
        if self.event_type == ReviewEventType::RequestPartiallyReviewed && self.user.is_some() {
            return Err(Broken("who has reviewed alone so far is not told"));
        }
        Ok(())
    }
}

impl Message for ReviewEvent {
    const UNKNOWN: Unknown = Unknown::Refused;
}
