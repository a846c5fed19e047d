//! The backend's end of the chain: each new fact is made from the head, and stored with the change of state that it tells.
//! Spec protocol.md 4.1, 7.4.

use super::FactBody;
use super::envelope::{BadContent, Fact, Head};
use crate::keys::SigningKey;
use crate::limits::FACT_BYTES;
use crate::shape::BadShape;
use crate::text::names::BackendSlug;
use crate::text::time::Moment;
use crate::text::whole::Epoch;

/// Where a backend's chain stands. Kept in the same transaction as the fact that moved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Whose.
    pub backend: BackendSlug,
    /// Which epoch.
    pub epoch: Epoch,
    /// Its last fact.
    pub head: Head,
}

/// A fact that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotAppend {
    /// Its body is not one.
    #[error(transparent)]
    Body(#[from] BadShape),
    /// The site would keep it apart: it does not belong here, as an epoch's opening behind its first fact.
    #[error("the fact would not be applied: {0}")]
    Unreadable(#[from] BadContent),
    /// It must be split into parts.
    #[error("the fact has {bytes} bytes; at most {FACT_BYTES} are allowed: split it into parts")]
    TooLarge {
        /// Bytes of the whole fact.
        bytes: usize,
    },
}

impl Chain {
    /// An epoch without facts.
    pub fn new(backend: BackendSlug, epoch: Epoch) -> Self {
        Self { backend, epoch, head: Head::start() }
    }

    /// Makes the next fact and moves on. Nothing moves if it fails.
    ///
    /// # Errors
    /// The body breaks a rule, is too large, or would not be read at the other side.
    pub fn append(&mut self, at: Moment, body: &FactBody, key: &SigningKey) -> Result<Fact, CannotAppend> {
        let fact = Fact::make(&self.backend, self.epoch, &self.head, at, body, key)?;
        if fact.text().len() > FACT_BYTES {
            return Err(CannotAppend::TooLarge { bytes: fact.text().len() });
        }
        // What the other side would not read never leaves (spec protocol.md 9 c).
        fact.content()?;
        self.head = fact.head();
        Ok(fact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::{FactKind, backend, job};
    use crate::keys::{Keys, SigningKey};
    use crate::text::hashes::Sha256Hex;
    use crate::text::ids::{JobId, KeyId, RequestId};
    use crate::text::whole::{AttemptNumber, Seq};

    /// The test vector of spec protocol.md 4.1.
    #[test]
    fn the_chain_of_the_spec() {
        let key = SigningKey::new(&[1; 32], KeyId::t("north-1"));
        let keys = Keys::from([(KeyId::t("north-1"), key.public())]);
        let mut chain = Chain::new(BackendSlug::t("north"), Epoch::t(1));
        let open = backend::ModeChanged { mode: backend::Mode::Open, kind: None, ends_at: None };
        let started = job::JobStarted {
            request: RequestId::t("m4qz7kd2hu5xw3np"),
            job: JobId::t("iffh6wyvqzyqr6h3"),
            attempt: AttemptNumber::t(1),
            image: None,
            engine: None,
        };
        for (at, body, hash, sig) in [
            (
                "2027-03-04T09:15:02.000000Z",
                FactBody::from(open),
                "4a92a69695b90b53b896d817c365e7aaa99bb8b74a29fb5e17deab75ceb11895",
                "Pr811X+JNCAkTpgdExMO3xsigw3Vlnp+RwK6+RioBZEg1dbLxVfMdoBTOzI//bV/HWGcwFsQ34FZH1HtF/ywBQ==",
            ),
            (
                "2027-03-04T09:15:07.900000Z", // floored to the second
                FactBody::from(started),
                "1bb1b44a8ec2ade14dcfd860a829457e1b8461d671d9b029521ac0f5ba5e8734",
                "K7k6/ggjkiiY026L+Sofvw71AbXTnM1tXin0ijGACZX46VWlFZjrL69YdHSXgoxU9jiY+9prM/OwN6zXCxaECA==",
            ),
        ] {
            let fact = chain.append(at.parse().unwrap(), &body, &key).unwrap();
            assert_eq!(fact.hash, Sha256Hex::t(hash));
            assert!(fact.text().contains(sig), "{}", fact.text());
            assert!(fact.verify(&keys));
            assert_eq!(fact.content().unwrap().body, body);
        }
        assert_eq!(chain.head.seq, Seq::t(2));
        assert_eq!(FactKind::ALL.len(), 19);
    }
}
