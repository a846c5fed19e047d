//! What the backend sends next, and what it makes of the site's answer.
//! Spec protocol.md 4.1, 4.2, 7.2, 10.

use super::envelope::Head;
use super::intake::FactsTaken;
use crate::limits::{BATCH_BYTES, FACTS};
use crate::text::hashes::Sha256Hex;
use crate::text::whole::{Epoch, Seq};

/// How far the site is known to have stored the open epoch. It may be lost: `hello` tells it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    epoch: Epoch,
    through: Seq,
    stopped: Option<Stopped>,
}

/// Why no facts are sent until the operator acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Site and backend have different histories: only a new epoch goes on.
    #[error("the site holds another history of this backend: see `cloister backend new-epoch`")]
    ChainConflict,
    /// The site found a hash or signature wrong: this backend's log or key is damaged.
    #[error("the site found a wrong hash or signature in this backend's facts: check its disk and its key")]
    BadChain,
}

/// What the site answered to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// 200.
    Taken(FactsTaken),
    /// 409 `gap`.
    Gap {
        /// What the site expects.
        expected: Seq,
    },
    /// 409 `chain_conflict`.
    ChainConflict,
    /// 422 `bad_chain`.
    BadChain,
}

/// How much one batch may hold; the site may ask for less (spec protocol.md 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Facts.
    pub facts: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { facts: FACTS, bytes: BATCH_BYTES }
    }
}

impl Outbox {
    /// Sending goes on behind what the site told at `hello`.
    pub fn new(epoch: Epoch, site: Seq) -> Self {
        Self { epoch, through: site, stopped: None }
    }

    /// The first fact to send, if there is one and nothing stands against it.
    pub fn next(&self, head: &Head) -> Option<Seq> {
        (self.stopped.is_none() && self.through < head.seq).then(|| self.through.next())
    }

    /// Why nothing is sent.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// How many facts of these sizes, in order, make the next batch: at least one, so that a smaller limit cannot hold
    /// the line for ever.
    pub fn batch(sizes: impl IntoIterator<Item = usize>, limits: BatchLimits) -> usize {
        let mut bytes = "{\"facts\":[]}".len();
        let mut facts = 0;
        for size in sizes {
            bytes = bytes.saturating_add(size + 1);
            if facts > 0 && (facts >= limits.facts || bytes > limits.bytes + 1) {
                break;
            }
            facts += 1;
        }
        facts
    }

    /// Takes an answer. An answer may be late, doubled or lost: none of these does harm.
    pub fn answered(&mut self, answer: &Answered, head: &Head, hash_at: impl Fn(Seq) -> Option<Sha256Hex>) {
        match answer {
            Answered::Taken(taken) if taken.epoch != self.epoch => {}
            Answered::Taken(taken) => {
                let ours = if taken.through.get() == 0 { Some(Sha256Hex::zero()) } else { hash_at(taken.through) };
                if taken.through > head.seq || ours.as_ref() != Some(&taken.hash) {
                    self.stopped = Some(Stopped::ChainConflict);
                } else {
                    self.through = self.through.max(taken.through);
                }
            }
            Answered::Gap { expected } => self.resend(self.epoch, *expected),
            Answered::ChainConflict => self.stopped = Some(Stopped::ChainConflict),
            Answered::BadChain => self.stopped = Some(Stopped::BadChain),
        }
    }

    /// The directive `resend`, or a gap: what was sent from there on is sent again. A place that was not sent yet changes nothing.
    pub fn resend(&mut self, epoch: Epoch, from: Seq) {
        if epoch == self.epoch {
            let before = Seq::try_from(from.get().saturating_sub(1)).unwrap_or(Seq::LEAST);
            self.through = self.through.min(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_both_limits() {
        // `{"facts":[` and `]}` are 12 bytes; three facts of 10 bytes and two commas make 44.
        let limits = |facts, bytes| BatchLimits { facts, bytes };
        assert_eq!(Outbox::batch([10; 9], limits(3, 1000)), 3);
        assert_eq!(Outbox::batch([10; 9], limits(9, 44)), 3);
        assert_eq!(Outbox::batch([10; 9], limits(9, 43)), 2);
        assert_eq!(Outbox::batch([10; 9], limits(0, 0)), 1);
        assert_eq!(Outbox::batch([], limits(9, 99)), 0);
    }
}
