//! The first call after every start or loss: versions, places, clocks, and what is to be done when they differ.
//! Spec protocol.md 7.1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::codes::Yes;
use crate::fact::envelope::Head;
use crate::message::Message;
use crate::shape::{Broken, Shape, Unknown};
use crate::text::hashes::Sha256Hex;
use crate::text::ids::Ulid;
use crate::text::list::List;
use crate::text::names::{Feature, ProgramVersion};
use crate::text::time::Moment;
use crate::text::whole::{Count, Cursor, Epoch, Revision, Seq};
use crate::version::VersionText;

/// What a backend says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BackendHello {
    /// Versions that it speaks.
    pub versions: List<VersionText, 1, 20>,
    /// What it can beyond them.
    pub features: List<Feature, 0, 50>,
    /// Its program.
    pub program: ProgramVersion,
    /// This process start.
    pub boot: Ulid,
    /// Its epoch.
    pub epoch: Epoch,
    /// The last fact of this epoch.
    pub head: Place,
    /// The last stored directive.
    pub directive_cursor: Cursor,
    /// Its id; absent before the first, or if it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directive_id: Option<Ulid>,
    /// Its clock.
    pub now: Moment,
    /// There if the operator wants this process to end another one that is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_over: Option<Yes>,
}

/// What the site says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SiteHello {
    /// The version to speak.
    pub version: VersionText,
    /// What it can beyond it.
    pub features: List<Feature, 0, 50>,
    /// The last stored fact.
    pub head: EpochPlace,
    /// The last directive of the line.
    pub directive_cursor: Cursor,
    /// Its clock.
    pub now: Moment,
    /// How much may be sent at once.
    pub limits: SendLimits,
    /// The roster's revision.
    pub people_revision: Revision,
}

/// A place in an epoch's chain; before the first fact it is 0 with 64 zeros.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Place {
    /// The last fact.
    pub seq: Seq,
    /// Its hash.
    pub hash: Sha256Hex,
}

/// A place in a chain, with its epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct EpochPlace {
    /// The epoch.
    pub epoch: Epoch,
    /// The last fact.
    pub seq: Seq,
    /// Its hash.
    pub hash: Sha256Hex,
}

/// How much may be sent at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct SendLimits {
    /// Facts in a batch.
    pub facts: Count,
    /// Bytes of a batch.
    pub bytes: Count,
    /// Seconds of a poll.
    pub wait: Count,
}

impl Shape for BackendHello {
    fn check(&self) -> Result<(), Broken> {
        start(self.head.seq, &self.head.hash)
    }
}

impl Shape for SiteHello {
    fn check(&self) -> Result<(), Broken> {
        start(self.head.seq, &self.head.hash)
    }
}

fn start(seq: Seq, hash: &Sha256Hex) -> Result<(), Broken> {
    if (seq.get() == 0) == (*hash == Sha256Hex::zero()) {
        Ok(())
    } else {
        Err(Broken("64 zeros stand before the first fact and nowhere else"))
    }
}

impl Message for BackendHello {
    // Said before a version is agreed.
    const UNKNOWN: Unknown = Unknown::Ignored;
}

impl Message for SiteHello {
    const UNKNOWN: Unknown = Unknown::Ignored;
}

/// What one side finds about the facts, from the other's place and its own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Both have the same.
    Same,
    /// The site has less: the backend sends from here (also after a restore of the site).
    SiteBehind {
        /// The first fact to send.
        send_from: Seq,
    },
    /// The backend has less and what it has is right: it was restored from an older copy. It stops and asks its
    /// operator, who opens a new epoch that continues at the backend's head.
    BackendRestored,
    /// Their histories differ: both stop and tell their people; only a new epoch goes on.
    ChainConflict,
    /// The epochs differ. The backend's is greater: it waits for staff to confirm it. The site's is greater: the backend
    /// was restored.
    OtherEpoch,
}

/// What is known of one side's own chain.
pub trait OwnLog {
    /// Its open epoch.
    fn epoch(&self) -> Epoch;
    /// Its last fact.
    fn head(&self) -> Head;
    /// The hash at a place from 1 up to the head.
    fn hash_at(&self, seq: Seq) -> Option<Sha256Hex>;
}

/// What the backend finds from the site's place. A site ahead of it cannot be judged by the backend alone, for it does
/// not know what it lost: the site finds by [`at_site`] whether the backend's head is in its log, and answers 409.
pub fn at_backend(own: &impl OwnLog, site: &EpochPlace) -> Found {
    if site.epoch != own.epoch() {
        return Found::OtherEpoch;
    }
    let head = own.head();
    if site.seq > head.seq {
        return Found::BackendRestored;
    }
    if !has(own, site.seq, &site.hash) {
        return Found::ChainConflict;
    }
    if site.seq == head.seq { Found::Same } else { Found::SiteBehind { send_from: site.seq.next() } }
}

/// What the site finds from the backend's place.
pub fn at_site(own: &impl OwnLog, epoch: Epoch, backend: &Place) -> Found {
    if epoch != own.epoch() {
        return Found::OtherEpoch;
    }
    let head = own.head();
    if backend.seq > head.seq {
        // Whether the site's head is in the backend's log is for the backend to find.
        return Found::SiteBehind { send_from: head.seq.next() };
    }
    if !has(own, backend.seq, &backend.hash) {
        return Found::ChainConflict;
    }
    if backend.seq == head.seq { Found::Same } else { Found::BackendRestored }
}

fn has(own: &impl OwnLog, seq: Seq, hash: &Sha256Hex) -> bool {
    if seq.get() == 0 { *hash == Sha256Hex::zero() } else { own.hash_at(seq).as_ref() == Some(hash) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Log(Vec<u8>);
    fn hash(byte: u8) -> Sha256Hex {
        Sha256Hex::of(&[&[byte]])
    }
    impl OwnLog for Log {
        fn epoch(&self) -> Epoch {
            Epoch::t(1)
        }
        fn head(&self) -> Head {
            match self.0.last() {
                Some(&last) => Head { seq: Seq::t(self.0.len() as u64), hash: hash(last) },
                None => Head::start(),
            }
        }
        fn hash_at(&self, seq: Seq) -> Option<Sha256Hex> {
            self.0.get(usize::try_from(seq.get()).unwrap().checked_sub(1)?).map(|&b| hash(b))
        }
    }

    /// The rows of the table of spec protocol.md 7.1.
    #[test]
    fn the_table() {
        for (site, backend, says_backend, says_site) in [
            ("", "", Found::Same, Found::Same),
            ("abc", "abc", Found::Same, Found::Same),
            ("a", "abc", Found::SiteBehind { send_from: Seq::t(2) }, Found::SiteBehind { send_from: Seq::t(2) }),
            ("", "abc", Found::SiteBehind { send_from: Seq::t(1) }, Found::SiteBehind { send_from: Seq::t(1) }),
            ("abc", "a", Found::BackendRestored, Found::BackendRestored),
            ("abc", "abd", Found::ChainConflict, Found::ChainConflict),
            ("ax", "abc", Found::ChainConflict, Found::SiteBehind { send_from: Seq::t(3) }),
            ("abc", "ax", Found::BackendRestored, Found::ChainConflict),
        ] {
            let (site, backend) = (Log(site.into()), Log(backend.into()));
            let (at_s, at_b) = (site.head(), backend.head());
            let place = EpochPlace { epoch: Epoch::t(1), seq: at_s.seq, hash: at_s.hash };
            assert_eq!(at_backend(&backend, &place), says_backend, "{:?} {:?}", site.0, backend.0);
            let place = Place { seq: at_b.seq, hash: at_b.hash };
            assert_eq!(at_site(&site, Epoch::t(1), &place), says_site, "{:?} {:?}", site.0, backend.0);
            assert_eq!(at_site(&site, Epoch::t(2), &place), Found::OtherEpoch);
        }
    }
}
