//! The backend's end: which directives are stored, applied, rejected, asked for again.
//! Spec protocol.md 3.2. What is returned is stored durably before the next call asks behind it.

use serde_json::Value;

use super::envelope::{Directive, open, place};
use crate::fact::backend::{DirectiveRejected, RejectedCode};
use crate::json::{BadJson, read};
use crate::keys::Keys;
use crate::limits::{DIRECTIVES, DIRECTIVES_ANSWER};
use crate::shape::Broken;
use crate::text::ids::Ulid;
use crate::text::names::BackendSlug;
use crate::text::time::Moment;
use crate::text::whole::Cursor;

/// How far directives are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// The last stored directive; what is asked behind.
    pub cursor: Cursor,
    /// Its id, told at `hello`; absent if it could not be read.
    pub id: Option<Ulid>,
    /// Whether the line was found to hold another directive at a place already taken: the operator acts.
    pub stopped: bool,
}

/// What a directive of an answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// Store it, then apply it.
    Apply(Box<Directive>),
    /// Store its place, and tell the site by this fact. The next one goes on.
    Reject(DirectiveRejected),
}

/// What an answer to a poll comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// In the order of the line.
    pub arrived: Vec<Arrived>,
    /// For each of `arrived`, which entry of the answer it was: what is stored are the bytes that the site signed.
    pub entries: Vec<usize>,
    /// Something is missing behind them: ask again from the stored cursor.
    pub ask_again: bool,
}

/// An answer to a poll that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// No JSON within the limits.
    #[error(transparent)]
    Json(#[from] BadJson),
    /// No list of directives.
    #[error(transparent)]
    Malformed(#[from] Broken),
}

/// Who reads, with which keys, at which moment.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// This backend.
    pub me: &'a BackendSlug,
    /// The site's keys.
    pub keys: &'a Keys,
    /// By the backend's clock.
    pub now: Moment,
}

/// Reads an answer: `{"directives":[...]}`; what else is in it is ignored.
///
/// # Errors
/// No JSON within the limits, or no list of at most 100.
pub fn read_answer(bytes: &[u8]) -> Result<Vec<Value>, BadAnswer> {
    let mut answer = read(bytes, &DIRECTIVES_ANSWER)?;
    match answer.get_mut("directives").map(Value::take) {
        Some(Value::Array(list)) if list.len() <= DIRECTIVES => Ok(list),
        _ => Err(Broken("an answer has a list `directives` of at most 100").into()),
    }
}

/// Writes an answer from the texts of directives.
pub fn write_answer<'a>(directives: impl IntoIterator<Item = &'a str>) -> String {
    let directives: Vec<&str> = directives.into_iter().collect();
    format!("{{\"directives\":[{}]}}", directives.join(","))
}

impl Inbox {
    /// Before the first directive.
    pub fn new() -> Self {
        Self { cursor: Cursor::LEAST, id: None, stopped: false }
    }

    /// Takes the answer to a poll that asked behind `after`. `id_at` gives the id of a stored directive, if it is still known.
    pub fn receive(
        &mut self,
        after: Cursor,
        answer: &[Value],
        reader: Reader<'_>,
        id_at: impl Fn(Cursor) -> Option<Ulid>,
    ) -> Received {
        let mut received = Received { arrived: Vec::new(), entries: Vec::new(), ask_again: false };
        let mut due = after;
        for (entry, whole) in answer.iter().enumerate() {
            // The line is dense: what has no readable place stands behind the one before it, so that it holds up nobody.
            due = due.next();
            if self.stopped {
                break;
            }
            let expected = self.cursor.next();
            let (cursor, id) = place(whole);
            let cursor = cursor.filter(|c| c.get() > 0).unwrap_or(due);
            due = cursor;
            if cursor > expected {
                received.ask_again = true;
                break;
            }
            if cursor < expected {
                let known = if cursor == self.cursor { self.id.clone() } else { id_at(cursor) };
                // Only what the site really signed can stop the line: noise of old places is no second history.
                let signed = open(whole, reader.me, reader.keys, reader.now);
                if known.is_some() && id.is_some() && known != id && !matches!(&signed, Err(bad) if is_noise(bad.0)) {
                    self.stopped = true;
                    received.entries.push(entry);
                    received.arrived.push(Arrived::Reject(rejected(cursor, id, RejectedCode::CursorConflict)));
                }
                continue;
            }
            received.entries.push(entry);
            received.arrived.push(match open(whole, reader.me, reader.keys, reader.now) {
                Ok(directive) => Arrived::Apply(Box::new(directive)),
                Err(bad) => Arrived::Reject(rejected(cursor, id.clone(), bad.0)),
            });
            self.cursor = cursor;
            self.id = id;
        }
        received
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}

fn is_noise(code: RejectedCode) -> bool {
    matches!(code, RejectedCode::BadSignature | RejectedCode::Malformed)
}

fn rejected(cursor: Cursor, directive: Option<Ulid>, code: RejectedCode) -> DirectiveRejected {
    DirectiveRejected { cursor, directive, code }
}
