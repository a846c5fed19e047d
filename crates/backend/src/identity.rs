//! Who this backend is to the site: its key, its token, the site's key. One file that only its owner can read.
//! Spec protocol.md 2. The private key never leaves; what people compare are six words.

mod enrol;
mod file;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use protocol::directive::body::{Credential, Token};
use protocol::keys::{Keys, PublicKey, SigningKey, fingerprint};
use protocol::text::ids::KeyId;
use protocol::text::names::BackendSlug;
use protocol::text::time::Moment;

pub use enrol::{CannotEnrol, enrol};
use file::File;

/// A backend's identity as it was enrolled.
#[derive(Debug)]
pub struct Identity {
    /// Absent if it lives in memory alone.
    path: Option<PathBuf>,
    file: Mutex<File>,
    backend: BackendSlug,
    site: Keys,
    fingerprint: String,
}

/// An identity that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadIdentity {
    /// There is none yet.
    #[error("{path} is not there: this backend is not enrolled; run `cloister backend enrol`")]
    NotEnrolled {
        /// Where it would be.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("{path} can be read by others (mode {mode:o}); its key may be known: enrol again, or set its mode to 600")]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not ours.
    #[error("{path} is damaged: {what}; restore it from a copy or enrol again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// It is another backend's.
    #[error("{path} is the identity of `{found}`, the settings are of `{expected}`")]
    OtherBackend {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: BackendSlug,
        /// Whose it should be.
        expected: BackendSlug,
    },
}

impl Identity {
    /// Reads the identity of a folder of state.
    ///
    /// # Errors
    /// There is none, others can read it, it is damaged or another backend's.
    pub fn read(state: &Path, expected: &BackendSlug) -> Result<Self, BadIdentity> {
        let path = File::path(state);
        let file = File::read(&path)?.ok_or_else(|| BadIdentity::NotEnrolled { path: path.clone() })?;
        let Some(enrolled) = &file.enrolled else { return Err(BadIdentity::NotEnrolled { path }) };
        if enrolled.backend != *expected {
            let (found, expected) = (enrolled.backend.clone(), expected.clone());
            return Err(BadIdentity::OtherBackend { path, found, expected });
        }
        Self::of(file, Some(path))
    }

    /// An identity that is kept nowhere: for a backend that ends with its process.
    ///
    /// # Errors
    /// The site's key is none.
    pub fn in_memory(secret: &[u8; 32], enrolled: protocol::enrol::Enrolled) -> Result<Self, BadIdentity> {
        let mut file = File::new(secret);
        file.enrolled = Some(enrolled);
        Self::of(file, None)
    }

    fn of(file: File, path: Option<PathBuf>) -> Result<Self, BadIdentity> {
        let damaged = |what| BadIdentity::Damaged { path: path.clone().unwrap_or_default(), what };
        let enrolled = file.enrolled.as_ref().ok_or_else(|| damaged("it is not enrolled"))?;
        let site = PublicKey::read(&enrolled.site_public_key).map_err(|_| damaged("the site's key is none"))?;
        let key = file.key(enrolled.key.clone()).ok_or_else(|| damaged("its key is none"))?;
        let backend = enrolled.backend.clone();
        let words = fingerprint(&backend, &key.public(), &site).join(" ");
        let site = Keys::from([(enrolled.site_key.clone(), site)]);
        Ok(Self { path, file: Mutex::new(file), backend, site, fingerprint: words })
    }

    /// Whose it is.
    pub fn backend(&self) -> &BackendSlug {
        &self.backend
    }

    /// The six words that both ends show.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The key that signs facts.
    ///
    /// # Errors
    /// What is held is none.
    pub fn signing_key(&self) -> Result<SigningKey, BadIdentity> {
        let damaged = || BadIdentity::Damaged { path: self.path.clone().unwrap_or_default(), what: "its key is none" };
        let file = self.held();
        let name = file.enrolled.as_ref().ok_or_else(damaged)?.key.clone();
        file.key(name).ok_or_else(damaged)
    }

    /// The key that follows, if one was prepared.
    pub fn next_key(&self) -> Option<SigningKey> {
        self.held().next_key()
    }

    /// Makes the key that follows and keeps it, unless there is one. Facts are signed by it from the moment at which the chain
    /// says so (`Log::change_key`).
    ///
    /// # Errors
    /// No random bytes, or it cannot be kept.
    pub fn prepare_key(&self) -> Result<(), BadIdentity> {
        if self.next_key().is_some() {
            return Ok(());
        }
        let failed = |why: &str| BadIdentity::File {
            path: self.path.clone().unwrap_or_default(),
            source: std::io::Error::other(why.to_owned()),
        };
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|bad| failed(&bad.to_string()))?;
        let name =
            following(self.signing_key()?.id()).ok_or_else(|| failed("its key has no number to count on from"))?;
        self.change(|file| file.prepare(name, &secret))
    }

    /// The chain has said that the key that follows counts: the one before is forgotten.
    ///
    /// # Errors
    /// It cannot be kept.
    pub fn settle_key(&self) -> Result<(), BadIdentity> {
        self.change(File::settle)
    }

    /// The site's keys.
    pub fn site_keys(&self) -> &Keys {
        &self.site
    }

    /// The message by which it was enrolled, and when: the ledger of what left begins with it.
    pub fn enrolment(&self) -> Option<(Moment, String)> {
        self.held().sent.clone()
    }

    /// The token of the next call: the newer one from its moment on.
    pub(crate) fn token(&self, now: Moment) -> Option<Token> {
        let file = self.held();
        match &file.next_token {
            Some(next) if next.valid_from <= now && !file.next_refused => Some(next.token.clone()),
            _ => file.enrolled.as_ref().map(|enrolled| enrolled.token.clone()),
        }
    }

    /// Takes a new token, durably. The old one is kept until the new one was used.
    pub(crate) fn take(&self, credential: &Credential) -> Result<(), BadIdentity> {
        self.change(|file| {
            file.next_token = Some(credential.clone());
            file.next_refused = false;
        })
    }

    /// A call with this token was answered: an older one is not needed any more.
    pub(crate) fn worked(&self, token: &Token) -> Result<(), BadIdentity> {
        if self.held().next_token.as_ref().is_none_or(|next| next.token != *token) {
            return Ok(());
        }
        self.change(|file| {
            if let (Some(next), Some(enrolled)) = (file.next_token.take(), &mut file.enrolled) {
                enrolled.token = next.token;
            }
        })
    }

    /// A call with this token was refused as unknown: the other one is tried, in turns.
    pub(crate) fn refused(&self, token: &Token) {
        let mut file = self.held();
        if let Some(next) = &file.next_token {
            file.next_refused = next.token == *token;
        }
    }

    fn change(&self, change: impl FnOnce(&mut File)) -> Result<(), BadIdentity> {
        let mut held = self.held();
        let mut after = held.clone();
        change(&mut after);
        if let Some(path) = &self.path {
            after.write(path)?;
        }
        *held = after;
        Ok(())
    }

    fn held(&self) -> std::sync::MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of the key after this one: `north-1`, `north-2`.
fn following(name: &KeyId) -> Option<KeyId> {
    let (stem, number) = name.as_str().rsplit_once('-').unwrap_or((name.as_str(), "1"));
    match number.parse::<u32>() {
        Ok(number) => format!("{stem}-{}", number.checked_add(1)?).parse().ok(),
        Err(_) => format!("{name}-2").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_counted() {
        let after = |name: &str| following(&name.parse().unwrap()).map(String::from);
        for (name, next) in
            [("north-1", "north-2"), ("north-east-9", "north-east-10"), ("north", "north-2"), ("a-b", "a-b-2")]
        {
            assert_eq!(after(name).as_deref(), Some(next));
        }
        assert_eq!(after("a-4294967295"), None);
    }
}
