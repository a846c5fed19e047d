//! The words by which a fact that changes nothing is marked, for staff.
//! Spec protocol.md 4.2.

use protocol::apply::NotApplied;
use protocol::fact::envelope::BadContent;

/// Why a fact changes nothing.
pub(super) fn of_state(why: NotApplied) -> &'static str {
    match why {
        NotApplied::UnknownRequest => "unknown_request",
        NotApplied::OrderDiffers => "order_differs",
        NotApplied::AlreadyAnswered => "already_answered",
        NotApplied::UnknownJob => "unknown_job",
        NotApplied::Final => "final",
        NotApplied::NotPending => "not_pending",
        NotApplied::NotRunning => "not_running",
        NotApplied::WrongAttempt => "wrong_attempt",
        NotApplied::DoesNotFit => "does_not_fit",
        NotApplied::UnknownCancel => "unknown_cancel",
        NotApplied::WrongRelease => "wrong_release",
        NotApplied::WrongPart => "wrong_part",
    }
}

/// Why what a fact says is not read at all.
pub(super) fn of_content(why: BadContent) -> &'static str {
    match why {
        BadContent::UnknownType => "unknown_type",
        BadContent::Envelope => "bad_envelope",
        BadContent::Body(_) => "bad_body",
        BadContent::TooFine => "too_fine",
    }
}
