//! Facts about the backend itself.
//! Spec protocol.md 4.3, 7.4.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::Pool;
use crate::keys::PublicKeyText;
use crate::shape::{Broken, Shape, codes};
use crate::text::hashes::Sha256Hex;
use crate::text::ids::{KeyId, Ulid};
use crate::text::list::List;
use crate::text::names::{DataVersion, PermissionCode, ProgramVersion, RuntimeName, RuntimeTag};
use crate::text::time::Moment;
use crate::text::whole::{Count, Cursor, Epoch, Megabytes, Seconds, Seq};

/// `backend.opened`: an epoch begins. It is the first fact of its epoch and of no other place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Opened {
    /// The epoch that begins.
    pub epoch: Epoch,
    /// The last fact of the former epoch that the backend knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<Continues>,
    /// Why.
    pub reason: OpenReason,
    /// Of patients or of invented ones.
    pub data_kind: DataKind,
    /// Which family of patient record systems it stands beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flavour: Option<Flavour>,
    /// Of the backend's program.
    pub version: ProgramVersion,
    /// The key that signs this epoch's facts.
    pub public_key: PublicKeyText,
}

/// A place in a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Continues {
    /// The epoch.
    pub epoch: Epoch,
    /// The fact.
    pub seq: Seq,
    /// Its hash.
    pub hash: Sha256Hex,
}

codes!(
    /// Why an epoch begins.
    OpenReason {
        /// The backend is new.
        First,
        /// The backend was restored from an older copy.
        Restored,
        /// The signing key was lost.
        NewKey,
    }
);
codes!(
    /// Whose data.
    DataKind {
        /// Patients'.
        Real,
        /// Invented.
        Synthetic,
    }
);

codes!(
    /// The family of patient record systems that a backend stands beside.
    Flavour {
        /// SystmOne.
        Tpp,
        /// EMIS Web.
        Emis,
        /// Another one, or none.
        Other,
    }
);

/// `backend.mode`. An operator can say no more than a mode and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModeChanged {
    /// What is the case now.
    pub mode: Mode,
    /// Planned or by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ModeKind>,
    /// When it is expected to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Moment>,
}

codes!(
    /// What a backend does.
    Mode {
        /// It starts jobs.
        Open,
        /// It starts none.
        Paused,
        /// It starts none that use the database.
        DbMaintenance,
    }
);
codes!(
    /// How a mode came about.
    ModeKind {
        /// Planned.
        Scheduled,
        /// By hand.
        Manual,
    }
);

/// `backend.key`: the next facts are signed by another key. Signed by the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KeyChanged {
    /// The new key's name.
    pub key: KeyId,
    /// The new key.
    pub public_key: PublicKeyText,
}

/// `backend.policy`: what may be asked for here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Policy {
    /// Allowed runtimes and their tags.
    pub runtimes: List<Runtime, 0, 100>,
    /// Known permission codes.
    pub permissions: List<PermissionCode, 0, 1_000>,
    /// Pools with their capacity.
    pub pools: List<PoolCapacity, 0, 2>,
    /// Limits of a job.
    pub limits: JobLimits,
    /// The operator's label of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_version: Option<DataVersion>,
}

/// A runtime and its tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Runtime {
    /// `python`.
    pub name: RuntimeName,
    /// `v1`, `v2`, `latest`.
    pub tags: List<RuntimeTag, 1, 100>,
}

/// A pool and how many places it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct PoolCapacity {
    /// Which.
    pub pool: Pool,
    /// Places.
    pub capacity: Count,
}

/// What one job may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct JobLimits {
    /// Run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_s: Option<Seconds>,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_mb: Option<Megabytes>,
}

/// `directive.rejected`: an order that was not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DirectiveRejected {
    /// Its place in the line.
    pub cursor: Cursor,
    /// Its id, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directive: Option<Ulid>,
    /// Why.
    pub code: RejectedCode,
}

codes!(
    /// Why an order was not applied.
    RejectedCode {
        /// Not by a key of the site, or changed since.
        BadSignature,
        /// For another backend.
        WrongBackend,
        /// Past its end.
        Expired,
        /// Of a type that this version does not know.
        UnknownType,
        /// It names a field as critical that this version does not know.
        UnknownCritical,
        /// Its fields are not those of its type.
        Malformed,
        /// Its place in the line is taken by another.
        CursorConflict,
        /// For an object that this backend does not have.
        UnknownObject,
    }
);

/// `audit.head`: a commitment to the head of an inner log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AuditHead {
    /// Which log.
    pub log: InnerLog,
    /// How long it is.
    pub seq: Seq,
    /// SHA-256 of 32 random bytes kept inside and the head's hash.
    pub sha256: Sha256Hex,
}

codes!(
    /// The inner logs.
    InnerLog {
        /// Of jobs and operators.
        Backend,
        /// Of output review.
        Review,
    }
);

impl Shape for Opened {
    fn check(&self) -> Result<(), Broken> {
        match (&self.continues, self.reason) {
            (Some(_), OpenReason::First) => Err(Broken("the first epoch continues nothing")),
            (Some(from), _) if from.epoch >= self.epoch => Err(Broken("an epoch continues an earlier one")),
            _ => Ok(()),
        }
    }
}

impl Shape for ModeChanged {
    fn check(&self) -> Result<(), Broken> {
        if self.mode == Mode::Open && (self.kind.is_some() || self.ends_at.is_some()) {
            return Err(Broken("`open` has no kind and no end"));
        }
        Ok(())
    }
}

impl Shape for KeyChanged {}
impl Shape for Policy {}
impl Shape for DirectiveRejected {}
impl Shape for AuditHead {}
