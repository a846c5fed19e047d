//! Enrolment: a one-time code against a token. The key is made here, and is on the disk before its public part is sent.
//! Spec protocol.md 2; idempotent by the code (2.1).

use std::path::Path;

use protocol::enrol::{Enrol, EnrolCode, Enrolled};
use protocol::keys::PublicKey;
use protocol::text::ids::KeyId;
use protocol::text::names::BackendSlug;

use super::file::File;
use super::{BadIdentity, Identity};
use crate::line::call::{Callee, Failed};
use crate::line::ground::Ground;
use crate::line::transport::Transport;

/// An enrolment that did not come about. It can be tried again with the same code.
#[derive(Debug, thiserror::Error)]
pub enum CannotEnrol {
    /// There is one already.
    #[error("this backend is enrolled already; move {path} away to enrol it anew, as with a lost key")]
    Already {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The file.
    #[error(transparent)]
    Identity(#[from] BadIdentity),
    /// No random bytes.
    #[error("the system gives no random bytes for a key: {0}")]
    Random(String),
    /// The site refused, or did not answer.
    #[error(
        "the site did not enrol this backend: {0}; ask its staff for a new code if this one is used or older than an hour"
    )]
    Site(#[from] Failed),
    /// The code is another backend's.
    #[error("the code is for `{found}`, the settings are of `{expected}`")]
    OtherBackend {
        /// Whose the code is.
        found: BackendSlug,
        /// Whose it should be.
        expected: BackendSlug,
    },
    /// A key under which anything verifies.
    #[error("the site's key is not a usable one")]
    BadSiteKey,
}

/// Enrols the backend of a folder of state. Both ends then show [`Identity::fingerprint`] for two people to compare.
///
/// # Errors
/// See the variants. The key stays, so that the same code can be sent again after a lost answer.
pub async fn enrol(
    transport: &dyn Transport,
    ground: &dyn Ground,
    site: &http::Uri,
    state: &Path,
    expected: &BackendSlug,
    code: EnrolCode,
) -> Result<Identity, CannotEnrol> {
    let path = File::path(state);
    let mut file = match File::read(&path)? {
        Some(file) if file.enrolled.is_some() => return Err(CannotEnrol::Already { path }),
        Some(file) => file,
        None => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|bad| CannotEnrol::Random(bad.to_string()))?;
            File::new(&secret)
        }
    };
    let unnamed: KeyId = "new".parse().map_err(|_| CannotEnrol::BadSiteKey)?;
    let what = "its key is none";
    let key = file.key(unnamed).ok_or_else(|| BadIdentity::Damaged { path: path.clone(), what })?;
    let message = Enrol { code, public_key: key.public().text() };
    let body = protocol::message::to_text(&message).map_err(Failed::from)?;
    file.sent = Some((ground.now(), body.clone()));
    file.write(&path)?;
    let callee = Callee { transport, ground, site };
    let enrolled: Enrolled = callee.enrol(body).await?;
    if enrolled.backend != *expected {
        return Err(CannotEnrol::OtherBackend { found: enrolled.backend, expected: expected.clone() });
    }
    PublicKey::read(&enrolled.site_public_key).map_err(|_| CannotEnrol::BadSiteKey)?;
    file.enrolled = Some(enrolled);
    file.write(&path)?;
    Ok(Identity::read(state, expected)?)
}
