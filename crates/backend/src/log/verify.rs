//! Whether everything is as it was written: each fact, each stored directive, each entry of the ledger.
//! Spec protocol.md 4.1, 11 (tamper). What is changed is named.

use protocol::fact::envelope::{Fact, Head};
use protocol::keys::Keys;
use protocol::limits::FACT;
use protocol::text::whole::{Epoch, Seq};

use super::{Log, LogError};

/// How many of each were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Facts, of all epochs.
    pub facts: u64,
    /// Directives that were stored and not rejected.
    pub directives: u64,
    /// Messages that left.
    pub sent: u64,
}

const STEP: usize = 500;

/// The fact of a stored text, if it is the one that belongs to this place.
pub(super) fn fact(text: &str, epoch: Epoch, seq: Seq) -> Result<Fact, LogError> {
    let damaged = || LogError::damaged(format!("fact {seq} of epoch {epoch} is not as it was written"));
    let value = protocol::json::read(text.as_bytes(), &FACT).map_err(|_| damaged())?;
    let fact = Fact::read(value).map_err(|_| damaged())?;
    let right = fact.epoch == epoch && fact.seq == seq && fact.text() == text && fact.hash_is_right();
    if right && fact.content().is_ok() { Ok(fact) } else { Err(damaged()) }
}

impl Log {
    /// Looks at everything that is stored.
    ///
    /// # Errors
    /// The first thing that is not as it was written, by its name; or the shelf cannot be read.
    pub async fn verify(&self) -> Result<Verified, LogError> {
        let standing = self.standing().await?;
        let mut verified = Verified { sent: self.verify_ledger().await?, ..Verified::default() };
        let mut epoch = Epoch::LEAST;
        while epoch <= standing.epoch {
            verified.facts += self.verify_epoch(epoch, (epoch == standing.epoch).then_some(&standing.head)).await?;
            epoch = epoch.next();
        }
        for n in 1..=standing.inbox.cursor.get() {
            let Ok(cursor) = n.try_into() else { break };
            let Some(entry) = self.shelf.at(cursor).await? else {
                // After a restore of the site the line may begin beyond places that nobody has.
                continue;
            };
            if entry.state != super::shelf::State::Rejected {
                self.opened(&entry)?;
                verified.directives += 1;
            }
        }
        Ok(verified)
    }

    async fn verify_epoch(&self, epoch: Epoch, open: Option<&Head>) -> Result<u64, LogError> {
        let mut keys: Option<Keys> = None;
        let mut head = Head::start();
        loop {
            let facts = self.facts(epoch, head.seq.next(), STEP).await?;
            for fact in &facts {
                let damaged =
                    || LogError::damaged(format!("fact {} of epoch {epoch} is not as it was signed", fact.seq));
                let signers = match keys.take() {
                    Some(keys) => keys,
                    None => opening_keys(fact).ok_or_else(damaged)?,
                };
                if fact.prev != head.hash || !fact.verify(&signers) {
                    return Err(damaged());
                }
                keys = Some(changed_keys(fact).unwrap_or(signers));
                head = fact.head();
            }
            if facts.len() < STEP {
                break;
            }
        }
        match open {
            Some(open) if *open != head => {
                Err(LogError::damaged(format!("epoch {epoch} ends at fact {} and not at {}", head.seq, open.seq)))
            }
            _ => Ok(head.seq.get()),
        }
    }

    async fn verify_ledger(&self) -> Result<u64, LogError> {
        let mut last: Option<super::egress::Sent> = None;
        loop {
            let from = last.as_ref().map_or(1, |last| last.seq + 1);
            let sent = self.sent(from, STEP).await?;
            for one in &sent {
                one.check(last.as_ref())?;
                last = Some(one.clone());
            }
            if sent.len() < STEP {
                return Ok(last.map_or(0, |last| last.seq));
            }
        }
    }
}

/// The key that an epoch's first fact names.
fn opening_keys(fact: &Fact) -> Option<Keys> {
    match fact.content().ok()?.body {
        protocol::fact::FactBody::Opened(opened) => {
            let key = protocol::keys::PublicKey::read(&opened.public_key).ok()?;
            Some(Keys::from([(fact.key().clone(), key)]))
        }
        _ => None,
    }
}

/// The key that counts from the next fact on, if this one changes it.
fn changed_keys(fact: &Fact) -> Option<Keys> {
    match fact.content().ok()?.body {
        protocol::fact::FactBody::Key(changed) => {
            let key = protocol::keys::PublicKey::read(&changed.public_key).ok()?;
            Some(Keys::from([(changed.key, key)]))
        }
        _ => None,
    }
}
