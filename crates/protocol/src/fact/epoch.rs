//! How a new epoch begins: the operator opens it, its first fact says where it continues, staff of the site confirm it.
//! Spec protocol.md 7.1, 7.4. Old epochs stay, closed.

use super::FactBody;
use super::backend::Opened;
use super::envelope::{Fact, Head};
use crate::keys::{Keys, PublicKey};
use crate::text::hashes::Sha256Hex;
use crate::text::names::BackendSlug;
use crate::text::whole::{Epoch, Seq};

/// An epoch that staff may confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What its first fact says.
    pub opened: Opened,
    /// The keys that sign it, once it is confirmed.
    pub keys: Keys,
    /// Whether the key is not one of those known: its fingerprint is compared by two people.
    pub new_key: bool,
    /// Facts of the former epoch that the backend has lost: they stay, and what they told stays.
    pub lost_by_backend: u64,
}

/// Why an epoch cannot be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProposal {
    /// Of another backend than the token's.
    #[error("the fact names another backend than the token does")]
    WrongBackend,
    /// Not the first fact of the next epoch.
    #[error("it is not the first fact of epoch {expected}")]
    NotTheNext {
        /// The epoch that can begin.
        expected: Epoch,
    },
    /// Hash or signature are wrong, or its key is none.
    #[error("its hash, signature or key is wrong")]
    BadChain,
    /// It does not say that an epoch opens.
    #[error("it does not say that an epoch opens")]
    NotOpened,
    /// It continues at a place that is not in the site's log.
    #[error("it continues at a fact that the site does not have")]
    UnknownPlace,
    /// The reason does not fit: a known key is called new, or a new one is not.
    #[error("its reason does not fit its key")]
    WrongReason,
}

/// What the site has of the epoch that would be closed; none before the first.
pub struct Former<'a> {
    /// The epoch.
    pub epoch: Epoch,
    /// Its last stored fact.
    pub head: Head,
    /// The hash at a place of it.
    pub hash_at: &'a dyn Fn(Seq) -> Option<Sha256Hex>,
}

/// Looks at the first fact of a new epoch. Nothing is stored before staff confirm it.
///
/// # Errors
/// Why it cannot be confirmed.
pub fn proposal(
    backend: &BackendSlug,
    former: Option<&Former<'_>>,
    keys: &Keys,
    fact: &Fact,
) -> Result<Proposal, BadProposal> {
    let expected = former.map_or(Epoch::LEAST, |former| former.epoch.next());
    if fact.backend != *backend {
        return Err(BadProposal::WrongBackend);
    }
    if fact.epoch != expected || fact.seq.get() != 1 || fact.prev != Sha256Hex::zero() {
        return Err(BadProposal::NotTheNext { expected });
    }
    let Ok(FactBody::Opened(opened)) = fact.content().map(|content| content.body) else {
        return Err(BadProposal::NotOpened);
    };
    let key = PublicKey::read(&opened.public_key).map_err(|_| BadProposal::BadChain)?;
    let own = Keys::from([(fact.key().clone(), key.clone())]);
    if !fact.verify(&own) {
        return Err(BadProposal::BadChain);
    }
    let new_key = keys.get(fact.key()) != Some(&key);
    use super::backend::OpenReason as Why;
    let fits = match opened.reason {
        Why::First => former.is_none() && !new_key,
        Why::Restored => former.is_some() && !new_key,
        Why::NewKey => former.is_some() && new_key,
    };
    if !fits {
        return Err(BadProposal::WrongReason);
    }
    let mut lost_by_backend = 0;
    if let Some(former) = former {
        match &opened.continues {
            // It knows nothing of the former epoch.
            None => lost_by_backend = former.head.seq.get(),
            Some(place) => {
                let zero = place.seq.get() == 0 && place.hash == Sha256Hex::zero();
                let there = place.epoch == former.epoch
                    && (zero
                        || (place.seq <= former.head.seq && (former.hash_at)(place.seq).as_ref() == Some(&place.hash)));
                // A conflict of histories has no common place but an earlier one, which is in the log.
                if !there {
                    return Err(BadProposal::UnknownPlace);
                }
                lost_by_backend = former.head.seq.get() - place.seq.get();
            }
        }
    }
    Ok(Proposal { opened, keys: own, new_key, lost_by_backend })
}

#[cfg(test)]
mod tests {
    use super::super::backend::{Continues, DataKind, OpenReason};
    use super::super::chain::Chain;
    use super::*;
    use crate::keys::SigningKey;
    use crate::text::ids::KeyId;
    use crate::text::names::ProgramVersion;
    use crate::text::time::Moment;

    fn key(byte: u8, id: &str) -> SigningKey {
        SigningKey::new(&[byte; 32], KeyId::t(id))
    }

    fn first(epoch: u64, reason: OpenReason, at: Option<(u64, &Sha256Hex)>, key: &SigningKey) -> Fact {
        let continues =
            at.map(|(seq, hash)| Continues { epoch: Epoch::t(epoch - 1), seq: Seq::t(seq), hash: hash.clone() });
        let body = Opened {
            epoch: Epoch::t(epoch),
            continues,
            reason,
            data_kind: DataKind::Synthetic,
            flavour: None,
            version: ProgramVersion::t("1.4.0"),
            public_key: key.public().text(),
        };
        let mut chain = Chain::new(BackendSlug::t("north"), Epoch::t(epoch));
        chain.append(Moment::from_microseconds(0).unwrap(), &body.into(), key).unwrap()
    }

    #[test]
    fn what_can_be_confirmed() {
        use OpenReason::{First, NewKey, Restored};
        let (old, new) = (key(1, "north-1"), key(2, "north-2"));
        let keys = Keys::from([(KeyId::t("north-1"), old.public())]);
        let (here, there) = (Sha256Hex::of(&[b"7"]), Sha256Hex::of(&[b"x"]));
        let hash_at = |seq: Seq| (seq.get() == 7).then(|| here.clone());
        let former =
            Former { epoch: Epoch::t(1), head: Head { seq: Seq::t(9), hash: there.clone() }, hash_at: &hash_at };
        let north = BackendSlug::t("north");
        let look = |former, fact: &Fact| proposal(&north, former, &keys, fact).map(|p| (p.new_key, p.lost_by_backend));
        assert_eq!(look(None, &first(1, First, None, &old)), Ok((false, 0)));
        assert_eq!(look(None, &first(1, First, None, &new)), Err(BadProposal::WrongReason));
        assert_eq!(look(Some(&former), &first(2, Restored, Some((7, &here)), &old)), Ok((false, 2)));
        assert_eq!(look(Some(&former), &first(2, NewKey, Some((7, &here)), &new)), Ok((true, 2)));
        assert_eq!(look(Some(&former), &first(2, NewKey, None, &new)), Ok((true, 9)));
        assert_eq!(look(Some(&former), &first(2, Restored, Some((7, &here)), &new)), Err(BadProposal::WrongReason));
        assert_eq!(look(Some(&former), &first(2, Restored, Some((7, &there)), &old)), Err(BadProposal::UnknownPlace));
        assert_eq!(look(Some(&former), &first(2, Restored, Some((12, &here)), &old)), Err(BadProposal::UnknownPlace));
        let next = Err(BadProposal::NotTheNext { expected: Epoch::t(2) });
        assert_eq!(look(Some(&former), &first(3, Restored, Some((7, &here)), &old)), next);
        assert_eq!(look(Some(&former), &first(1, First, None, &old)), next);
        let south = BackendSlug::t("south");
        let fact = first(2, Restored, Some((7, &here)), &old);
        assert_eq!(proposal(&south, Some(&former), &keys, &fact), Err(BadProposal::WrongBackend));
    }
}
