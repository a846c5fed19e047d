//! How a backend and a site come to know each other's keys.
//! Spec protocol.md 2. What both print for people to compare is `keys::fingerprint`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::directive::body::Token;
use crate::keys::PublicKeyText;
use crate::message::Message;
use crate::shape::{Shape, Unknown};
use crate::text::ids::KeyId;
use crate::text::names::BackendSlug;
use crate::text::text;
use crate::text::time::Moment;

text!(
    /// The code that staff made for one enrolment.
    EnrolCode: "enrolment code" from "typed by the operator", 64, "^[A-Za-z0-9-]{16,}$",
    "16 to 64 letters, digits and `-`"
);

/// Backend → site, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Enrol {
    /// Valid for one hour and once.
    pub code: EnrolCode,
    /// The public part of the key that the backend has made.
    pub public_key: PublicKeyText,
}

impl std::fmt::Debug for Enrol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Enrol(code hidden, {:?})", self.public_key)
    }
}

/// Site → backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Enrolled {
    /// Who the backend is.
    pub backend: BackendSlug,
    /// For its calls.
    pub token: Token,
    /// Until when the token counts.
    pub token_ends_at: Moment,
    /// The name of the backend's key at the site.
    pub key: KeyId,
    /// The name of the site's key.
    pub site_key: KeyId,
    /// The site's key.
    pub site_public_key: PublicKeyText,
}

impl Shape for Enrol {}
impl Shape for Enrolled {}

impl Message for Enrol {
    const UNKNOWN: Unknown = Unknown::Refused;
}
impl Message for Enrolled {
    const UNKNOWN: Unknown = Unknown::Ignored;
}
