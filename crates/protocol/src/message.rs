//! Messages without an envelope of their own: how they are read and written.
//! Spec protocol.md 2.1, 9 (c), 10.

use crate::json::{BadJson, Limits, NotCanonical, canonical, read};
use crate::shape::{self, BadShape, Shape, Unknown};

/// A whole message without envelope.
pub trait Message: Shape {
    /// What is done with fields that are not known.
    const UNKNOWN: Unknown;
    /// How large it may be.
    const LIMITS: Limits = crate::limits::SMALL;
}

/// A message that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// No JSON within the limits.
    #[error(transparent)]
    Json(#[from] BadJson),
    /// Not one of its type.
    #[error(transparent)]
    Shape(#[from] BadShape),
}

/// A message that cannot be sent: nothing leaves, and an alarm is raised inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotSend {
    /// A rule that spans fields is broken.
    #[error(transparent)]
    Shape(#[from] BadShape),
    /// A number without canonical form.
    #[error(transparent)]
    Number(#[from] NotCanonical),
    /// The other side would not read it.
    #[error("the message would not be read: {0}")]
    Unreadable(BadMessage),
}

/// Reads a message.
///
/// # Errors
/// No JSON within the limits, or not one of its type.
pub fn from_bytes<M: Message>(bytes: &[u8]) -> Result<M, BadMessage> {
    Ok(shape::read(&read(bytes, &M::LIMITS)?, M::UNKNOWN)?)
}

/// Writes a message in canonical form, and reads it as the other side would: what fails there never leaves.
///
/// # Errors
/// A rule is broken or a limit passed.
pub fn to_text<M: Message>(message: &M) -> Result<String, CannotSend> {
    let text = canonical(&shape::write(message)?)?;
    let again = read(text.as_bytes(), &M::LIMITS).map_err(|e| CannotSend::Unreadable(e.into()))?;
    shape::read::<M>(&again, Unknown::Refused).map_err(|e| CannotSend::Unreadable(e.into()))?;
    Ok(text)
}
