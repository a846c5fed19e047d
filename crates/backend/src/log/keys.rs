//! Which key signs: the chain itself says when one follows another.
//! Spec protocol.md 2 (rotation), 4.3 (`backend.key`).

use protocol::fact::FactBody;
use protocol::fact::backend::KeyChanged;
use protocol::fact::envelope::Fact;
use protocol::keys::SigningKey;
use protocol::text::time::Moment;

use super::shelf::Standing;
use super::{Log, LogError, Signs, Turn};

impl Log {
    /// Tells that the key that follows counts from the next fact on; this fact is the last one that the old key signs. If it
    /// was told before, nothing happens.
    ///
    /// # Errors
    /// There is no key that follows, no epoch is open, or it cannot be stored.
    pub async fn change_key(&self, at: Moment) -> Result<(), LogError> {
        let mut turn = self.turn().await?;
        if turn.signs == Signs::Next {
            return Ok(());
        }
        let next = self.who.next.as_ref().ok_or_else(|| LogError::damaged("there is no key that follows"))?;
        let told = KeyChanged { key: next.id().clone(), public_key: next.public().text() };
        self.append(&mut turn, "key", vec![(at, told.into())])?;
        turn.signs = Signs::Next;
        self.store(turn).await
    }

    /// Whether the key that follows signs already.
    ///
    /// # Errors
    /// The shelf cannot be read.
    pub async fn key_changed(&self) -> Result<bool, LogError> {
        Ok(self.turn().await?.signs == Signs::Next)
    }

    /// The key of this turn.
    pub(super) fn signer(&self, turn: &Turn<'_>) -> &SigningKey {
        match (&self.who.next, turn.signs) {
            (Some(next), Signs::Next) => next,
            _ => &self.who.key,
        }
    }

    /// Whether a fact says that our key counts from the next one on.
    pub(super) fn tells_of_ours(&self, fact: &Fact) -> bool {
        let ours = &self.who.key;
        let told = fact.content().map(|content| content.body);
        matches!(told, Ok(FactBody::Key(changed))
            if changed.key == *ours.id() && changed.public_key == ours.public().text())
    }

    /// What the last fact says: it is signed by the key that follows, or tells of it.
    pub(super) async fn signs(&self, standing: &Standing) -> Result<Signs, LogError> {
        let Some(next) = &self.who.next else { return Ok(Signs::Key) };
        let last = self.facts(standing.epoch, standing.head.seq, 1).await?;
        let follows = last.first().is_some_and(|fact| {
            let told = fact.content().map(|content| content.body);
            fact.key() == next.id() || matches!(told, Ok(FactBody::Key(changed)) if changed.key == *next.id())
        });
        Ok(if follows { Signs::Next } else { Signs::Key })
    }
}
