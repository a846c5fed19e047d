//! The calls that a backend makes, their headers, and the codes of refusals.
//! Spec protocol.md 2, 2.1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::RELEASE_FILES;
use crate::message::Message;
use crate::shape::{Broken, Shape, Unknown, codes};
use crate::text::list::List;
use crate::text::names::ReleasedPath;
use crate::text::time::Moment;
use crate::text::whole::{Epoch, Seq};
use crate::version::VersionText;

/// Before the path of every call.
pub const BASE: &str = "/backend/v1/";
/// Header: the version spoken, `1.N`.
pub const VERSION_HEADER: &str = "Cloister-Protocol";
/// Header: the process start.
pub const BOOT_HEADER: &str = "Cloister-Boot";
/// Header: a name for one call, the same in both logs.
pub const REQUEST_HEADER: &str = "X-Request-Id";

/// A way to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Tell.
    Post,
}

/// What makes a repeated call harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdempotentBy {
    /// The one-time code.
    Code,
    /// It changes nothing.
    Nature,
    /// The cursor behind which is asked.
    Cursor,
    /// Epoch, place and hash of each fact.
    Chain,
    /// The newest counts.
    LastWins,
    /// The roster's revision.
    Revision,
    /// Nothing: the token is void after use.
    Nothing,
    /// The release's id and its list.
    Release,
    /// The file's hash.
    FileHash,
    /// The event's id.
    Event,
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// How it asks.
    pub method: Method,
    /// Behind [`BASE`]; `{workspace}` and `{release}` stand for a name.
    pub path: &'static str,
    /// What makes a repeat harmless.
    pub idempotent_by: IdempotentBy,
}

const fn call(method: Method, path: &'static str, idempotent_by: IdempotentBy) -> Call {
    Call { method, path, idempotent_by }
}

/// Every call there is.
pub const CALLS: &[Call] = &[
    call(Method::Post, "enrol", IdempotentBy::Code),
    call(Method::Post, "hello", IdempotentBy::Nature),
    call(Method::Get, "directives", IdempotentBy::Cursor),
    call(Method::Get, "directives/stream", IdempotentBy::Cursor),
    call(Method::Post, "facts", IdempotentBy::Chain),
    call(Method::Post, "gauges", IdempotentBy::LastWins),
    call(Method::Get, "people", IdempotentBy::Revision),
    call(Method::Post, "releases/authenticate", IdempotentBy::Nothing),
    call(Method::Post, "releases/authorise", IdempotentBy::Nature),
    call(Method::Post, "releases/workspace/{workspace}", IdempotentBy::Release),
    call(Method::Post, "releases/release/{release}", IdempotentBy::FileHash),
    call(Method::Get, "releases/release/{release}", IdempotentBy::Nature),
    call(Method::Post, "review/events", IdempotentBy::Event),
];

/// Site → backend: a call is refused. There is a code and, where the backend needs it, a place; no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CallRefused {
    /// Why.
    pub code: RefusalCode,
    /// With `gap`: the next fact to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Seq>,
    /// With `wrong_epoch`: the open one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// With `no_common_version`: those that the site speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<List<VersionText, 1, 20>>,
    /// With `clock_skew`: the site's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Moment>,
    /// With `invalid`, of a release: the files that fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<List<FailedFile, 1, RELEASE_FILES>>,
}

/// A file of a release that fails a check of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct FailedFile {
    /// As declared.
    pub name: ReleasedPath,
    /// Why.
    pub code: FileFault,
}

codes!(
    /// The site's checks of a declared file (spec protocol.md 5).
    FileFault {
        /// Not a job of this backend and workspace that ended.
        UnknownJob,
        /// Its action declares no such moderately sensitive output.
        NotAnOutput,
        /// Not in the signed decision, or there with another size or hash.
        NotInDecision,
        /// The decision is not signed by an enrolled key.
        BadEnvelope,
        /// Fewer than two approvers who may approve it.
        TooFewApprovers,
        /// An approver or the releaser is its author.
        ByItsAuthor,
        /// The releaser may not release.
        ReleaserNotAllowed,
    }
);

codes!(
    /// Why a call is refused.
    RefusalCode {
        /// 401: no right token; nothing else is said.
        Unauthorised,
        /// 403: the backend is disabled.
        Disabled,
        /// 403: the token names another backend.
        WrongBackend,
        /// 403: a person may not; one code for all causes.
        Forbidden,
        /// 404: there is no such object for this backend.
        NotFound,
        /// 400: not a message.
        Malformed,
        /// 413: too large.
        TooLarge,
        /// 409: another process is connected.
        AlreadyConnected,
        /// 409: another process took over.
        Superseded,
        /// 409: say hello first.
        HelloFirst,
        /// 409: histories differ.
        ChainConflict,
        /// 409: facts are missing in between.
        Gap,
        /// 409: not the open epoch.
        WrongEpoch,
        /// 422: a hash or signature is wrong.
        BadChain,
        /// 426: no common version.
        NoCommonVersion,
        /// 429: too many calls.
        TooMany,
        /// 409: the release is known with another list.
        ReleaseConflict,
        /// 400: not the declared bytes.
        HashMismatch,
        /// 400: no declared file has this name.
        NotDeclared,
        /// 410: the file was taken back.
        Gone,
        /// 422: unknown user or workspace, or a release that fails the site's checks.
        Invalid,
        /// 503: not now; the header says when.
        Unavailable,
        /// 401: of signed requests, the clocks differ by more than the window.
        ClockSkew,
    }
);

impl RefusalCode {
    /// The status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::HashMismatch | Self::NotDeclared => 400,
            Self::Unauthorised | Self::ClockSkew => 401,
            Self::Disabled | Self::WrongBackend | Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::AlreadyConnected
            | Self::Superseded
            | Self::HelloFirst
            | Self::ChainConflict
            | Self::Gap
            | Self::WrongEpoch
            | Self::ReleaseConflict => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::BadChain | Self::Invalid => 422,
            Self::NoCommonVersion => 426,
            Self::TooMany => 429,
            Self::Unavailable => 503,
        }
    }
}

impl From<&crate::fact::intake::FactsRefused> for CallRefused {
    fn from(refused: &crate::fact::intake::FactsRefused) -> Self {
        use crate::fact::intake::FactsRefused as Why;
        let (code, expected, epoch) = match refused {
            Why::NotJson(crate::json::BadJson::TooLarge { .. }) => (RefusalCode::TooLarge, None, None),
            Why::NotJson(_) | Why::Malformed(_) => (RefusalCode::Malformed, None, None),
            Why::WrongBackend => (RefusalCode::WrongBackend, None, None),
            Why::WrongEpoch { open, .. } => (RefusalCode::WrongEpoch, None, Some(*open)),
            Why::ChainConflict { .. } => (RefusalCode::ChainConflict, None, None),
            Why::Gap { expected } => (RefusalCode::Gap, Some(*expected), None),
            Why::BadChain { .. } => (RefusalCode::BadChain, None, None),
        };
        Self { expected, epoch, ..Self::new(code) }
    }
}

impl CallRefused {
    /// A refusal that says no more than its code.
    pub fn new(code: RefusalCode) -> Self {
        Self { code, expected: None, epoch: None, versions: None, now: None, files: None }
    }
}

impl Shape for CallRefused {
    fn check(&self) -> Result<(), Broken> {
        for (there, with) in [
            (self.expected.is_some(), RefusalCode::Gap),
            (self.epoch.is_some(), RefusalCode::WrongEpoch),
            (self.versions.is_some(), RefusalCode::NoCommonVersion),
            (self.now.is_some(), RefusalCode::ClockSkew),
            (self.files.is_some(), RefusalCode::Invalid),
        ] {
            if there && self.code != with {
                return Err(Broken("a value of a refusal does not go with its code"));
            }
        }
        Ok(())
    }
}

/// Site → backend: a review event is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EventTaken {
    /// Always `ok`.
    pub status: TakenStatus,
}

codes!(
    /// The one answer to a review event that is taken.
    TakenStatus {
        /// It is known, now or before.
        Ok,
    }
);

impl Shape for EventTaken {}

impl Message for EventTaken {
    const UNKNOWN: Unknown = Unknown::Ignored;
}

impl Message for CallRefused {
    const UNKNOWN: Unknown = Unknown::Ignored;
}
impl Message for crate::fact::intake::FactsTaken {
    const UNKNOWN: Unknown = Unknown::Ignored;
}
