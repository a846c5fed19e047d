//! Releases on the wire: declaring, uploading, the receipt. Only what checkers approved has a name here.
//! Spec protocol.md 5. The shapes are those that review sites already speak.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::Limits;
use crate::limits::RELEASE_FILES;
use crate::message::Message;
use crate::shape::{Broken, Shape, Unknown, codes, unique};
use crate::text::hashes::{CommitId, Sha256Hex};
use crate::text::ids::{JobId, Ulid};
use crate::text::list::List;
use crate::text::names::{ActionName, ReleasedPath};
use crate::text::text;
use crate::text::time::Moment;
use crate::text::whole::FileSize;

text!(
    /// The payload or a signature of a signed decision record, in base64.
    Base64Text: "base64" from "signed decision record", 700_000, "^[A-Za-z0-9+/]*={0,2}$", "base64"
);
text!(
    /// The type of a signed payload.
    PayloadType: "payload type" from "the program", 100, "^application/vnd\\.cloister\\.release\\+json$",
    "`application/vnd.cloister.release+json`"
);
text!(
    /// The key that signed a decision record.
    EnvelopeKeyId: "key id" from "enrolment", 64, "^[a-z0-9][a-z0-9-]*$", "lower-case letters, digits and `-`"
);
text!(
    /// A path at the site.
    SitePath: "path at the site" from "made by the site", 500, "^/[!-~]*$", "`/` and printable ASCII characters"
);

/// Backend → site: these files were approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Declaration {
    /// The files.
    pub files: List<DeclaredFile, 1, RELEASE_FILES>,
    /// What declares them.
    pub metadata: DeclarationMetadata,
    /// The decision that approves them.
    pub review: Review,
}

/// An approved file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct DeclaredFile {
    /// Its name in the workspace.
    pub name: ReleasedPath,
    /// The same: older review sites have an address here.
    pub url: ReleasedPath,
    /// In bytes.
    pub size: FileSize,
    /// Of its bytes.
    pub sha256: Sha256Hex,
    /// When it was made.
    pub date: Moment,
    /// What made it.
    pub metadata: FileMetadata,
    /// Always null: the decision is in `review` of the declaration.
    pub review: (),
}

/// What made a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct FileMetadata {
    /// The job.
    pub job: JobId,
    /// Its action.
    pub action: ActionName,
    /// Its code.
    pub commit: CommitId,
    /// Its privacy level; no other can be released.
    pub level: ReleasableLevel,
}

codes!(
    /// The one level that can be released.
    ReleasableLevel {
        /// Viewed and approved by people.
        ModeratelySensitive,
    }
);

/// What declares a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct DeclarationMetadata {
    /// The program.
    pub tool: Tool,
    /// The release.
    pub airlock_id: Ulid,
}

codes!(
    /// The program that declares.
    Tool {
        /// This one.
        Cloister,
    }
);

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Review {
    /// Signed.
    pub envelope: Envelope,
}

/// A DSSE envelope around release.json (review.md 16).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields, inline)]
pub struct Envelope {
    /// release.json.
    pub payload: Base64Text,
    /// What the payload is.
    pub payload_type: PayloadType,
    /// By whom it is signed.
    pub signatures: List<EnvelopeSignature, 1, 10>,
}

/// A signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct EnvelopeSignature {
    /// Whose.
    pub keyid: EnvelopeKeyId,
    /// The signature.
    pub sig: Base64Text,
}

/// Site → backend: the release is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Declared {
    /// The release.
    pub release_id: Ulid,
    /// Its page.
    pub release_url: SitePath,
}

/// Site → backend: what has arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Receipt {
    /// Every file that was stored and read again.
    pub files: List<ReceivedFile, 0, RELEASE_FILES>,
    /// Whether all declared ones are there.
    pub complete: bool,
}

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct ReceivedFile {
    /// Its name.
    pub name: ReleasedPath,
    /// In bytes.
    pub size: FileSize,
    /// Of its bytes.
    pub sha256: Sha256Hex,
    /// When it was complete, by the site's clock.
    pub uploaded_at: Moment,
}

impl Shape for Declaration {
    fn check(&self) -> Result<(), Broken> {
        let names: Vec<String> = self.files.iter().map(|file| file.name.as_str().to_lowercase()).collect();
        if !unique(&names) {
            return Err(Broken("two files have the same name, upper and lower case apart"));
        }
        if self.files.iter().any(|file| file.url != file.name) {
            return Err(Broken("`url` of a file is its name"));
        }
        Ok(())
    }
}

impl Shape for Declared {}
impl Shape for Receipt {}

impl Message for Declaration {
    const UNKNOWN: Unknown = Unknown::Refused;
    const LIMITS: Limits = crate::limits::RELEASE;
}
impl Message for Declared {
    const UNKNOWN: Unknown = Unknown::Ignored;
}
impl Message for Receipt {
    const UNKNOWN: Unknown = Unknown::Ignored;
}

/// What a declaration is to a release that may be known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaring {
    /// 201: it is new.
    New,
    /// 200 with the former answer: the same list was declared before.
    Same,
    /// 409 `release_conflict`: another list.
    Conflict,
}

/// Compares a declaration with the one known under its id: names, sizes and hashes as pairs, in any order.
pub fn declaring(known: Option<&Declaration>, now: &Declaration) -> Declaring {
    fn list(of: &Declaration) -> Vec<(&ReleasedPath, FileSize, &Sha256Hex)> {
        let mut list: Vec<_> = of.files.iter().map(|file| (&file.name, file.size, &file.sha256)).collect();
        list.sort_unstable();
        list
    }
    match known {
        None => Declaring::New,
        Some(known) if known.metadata.airlock_id == now.metadata.airlock_id && list(known) == list(now) => {
            Declaring::Same
        }
        Some(_) => Declaring::Conflict,
    }
}

/// What the site has of a declared file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nothing yet.
    Nothing,
    /// Its bytes.
    Whole,
    /// It was taken back.
    Removed,
}

/// What an upload of a name is answered with, before a byte is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploading {
    /// Take the bytes; keep them only if size and hash are the declared ones, else 400 `hash_mismatch`.
    Take,
    /// 200 `already_uploaded`.
    Already,
    /// 400 `hash_mismatch`.
    HashMismatch,
    /// 400 `not_declared`.
    NotDeclared,
    /// 410.
    Gone,
}

/// Decides about an upload from its name and the digest that its header claims.
pub fn uploading(declaration: &Declaration, name: &ReleasedPath, digest: &Sha256Hex, held: Held) -> Uploading {
    match declaration.files.iter().find(|file| file.name == *name) {
        None => Uploading::NotDeclared,
        Some(_) if held == Held::Removed => Uploading::Gone,
        Some(file) if file.sha256 != *digest => Uploading::HashMismatch,
        Some(_) if held == Held::Whole => Uploading::Already,
        Some(_) => Uploading::Take,
    }
}
