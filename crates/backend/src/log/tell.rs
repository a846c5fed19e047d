//! Facts into the chain: once for each source, signed here, split where one is too long.
//! Spec protocol.md 4.1, 11 (parts).

use std::sync::Arc;

use protocol::fact::FactBody;
use protocol::fact::chain::{CannotAppend, Chain};
use protocol::fact::parts::Parted;
use protocol::text::ids::Ulid;

use super::shelf::State;
use super::{Log, LogError, Told, Turn};

impl Log {
    /// Tells facts once: if facts of this source were told before, nothing happens.
    ///
    /// # Errors
    /// One of them is no fact, no epoch is open, or they cannot be stored. Nothing is told then.
    pub async fn tell(&self, source: &str, facts: Vec<Told>) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        if self.shelf.knows(source).await? {
            return Ok(());
        }
        turn.change.source = Some(source.to_owned());
        self.append(&mut turn, source, facts)?;
        self.store(turn).await
    }

    /// Marks a directive as applied and tells its answer, in one step. If it was applied before, nothing happens.
    ///
    /// # Errors
    /// The directive was never received, a fact is none, or the step cannot be stored. Nothing is told then.
    pub async fn applied(&self, directive: &Ulid, facts: Vec<Told>) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        let entry = self.shelf.by_id(directive).await?;
        let entry = entry.ok_or_else(|| LogError::UnknownDirective(directive.clone()))?;
        if entry.state != State::Waiting {
            return Ok(());
        }
        turn.change.done.push((entry.cursor, State::Applied));
        Arc::make_mut(&mut turn.waiting).remove(&entry.cursor);
        let source = format!("directive:{directive}");
        self.append(&mut turn, &source, facts)?;
        turn.change.source = Some(source);
        self.store(turn).await
    }

    /// Puts facts behind the head of a step. `source` is for the operator's eyes if one of them is none.
    pub(super) fn append(&self, turn: &mut Turn<'_>, source: &str, facts: Vec<Told>) -> Result<(), LogError> {
        let key = self.signer(turn);
        let change = &mut turn.change;
        let failed = |cause| LogError::Fact { source_name: source.to_owned(), cause };
        let standing = &mut change.standing;
        let mut chain = Chain { backend: self.who.backend.clone(), epoch: standing.epoch, head: standing.head.clone() };
        for (at, body) in facts {
            if chain.head.seq.get() == 0 && !matches!(body, FactBody::Opened(_)) {
                return Err(LogError::NotBegun);
            }
            match chain.append(at, &body, key) {
                Ok(fact) => change.facts.push(fact),
                Err(CannotAppend::TooLarge { .. }) => {
                    let too_large = || LogError::TooLarge { source_name: source.to_owned() };
                    for part in split(body).ok_or_else(too_large)? {
                        change.facts.push(chain.append(at, &part, key).map_err(failed)?);
                    }
                }
                Err(other) => return Err(failed(other)),
            }
        }
        standing.head = chain.head;
        Ok(())
    }
}

/// The parts of a long answer; none if it has none, or if one of them does not fit.
fn split(body: FactBody) -> Option<Vec<FactBody>> {
    fn parts<P: Parted + Into<FactBody>>(whole: P) -> Option<Vec<FactBody>> {
        Some(whole.split().ok()?.into_iter().map(Into::into).collect())
    }
    match body {
        FactBody::Accepted(whole) => parts(whole),
        FactBody::NothingToDo(whole) => parts(whole),
        FactBody::Refused(whole) => parts(whole),
        FactBody::CancelDone(whole) => parts(whole),
        _ => None,
    }
}
