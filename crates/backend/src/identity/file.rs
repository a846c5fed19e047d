//! The file of an identity: mode 0600, replaced whole, flushed to the disk.
//! Spec protocol.md 2.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use protocol::directive::body::Credential;
use protocol::enrol::Enrolled;
use protocol::keys::SigningKey;
use protocol::text::ids::KeyId;
use protocol::text::time::Moment;
use serde::{Deserialize, Serialize};

use super::BadIdentity;

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The private key: 32 bytes in base64.
    secret: String,
    /// What the site answered; absent while an enrolment is under way.
    pub(super) enrolled: Option<Enrolled>,
    /// The message of the enrolment, and when it was sent.
    pub(super) sent: Option<(Moment, String)>,
    /// A key that follows, once the chain has said so: its name and its 32 bytes in base64.
    #[serde(default)]
    next_key: Option<(KeyId, String)>,
    /// A token that follows the enrolled one.
    pub(super) next_token: Option<Credential>,
    /// Whether the site knew the newer token the last time.
    #[serde(skip)]
    pub(super) next_refused: bool,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("File(private)")
    }
}

impl File {
    pub(super) fn path(state: &Path) -> PathBuf {
        state.join("identity.json")
    }

    /// An identity with a new key.
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        let secret = BASE64.encode(secret);
        Self { secret, enrolled: None, sent: None, next_key: None, next_token: None, next_refused: false }
    }

    pub(super) fn key(&self, name: KeyId) -> Option<SigningKey> {
        key_of(&self.secret, name)
    }

    /// The key that follows, if one was prepared.
    pub(super) fn next_key(&self) -> Option<SigningKey> {
        let (name, secret) = self.next_key.as_ref()?;
        key_of(secret, name.clone())
    }

    pub(super) fn prepare(&mut self, name: KeyId, secret: &[u8; 32]) {
        self.next_key = Some((name, BASE64.encode(secret)));
    }

    /// The key that followed is the key now; the one before is forgotten.
    pub(super) fn settle(&mut self) {
        if let (Some((name, secret)), Some(enrolled)) = (self.next_key.take(), &mut self.enrolled) {
            enrolled.key = name;
            self.secret = secret;
        }
    }

    pub(super) fn read(path: &Path) -> Result<Option<Self>, BadIdentity> {
        let failed = |source| BadIdentity::File { path: path.to_owned(), source };
        let flags = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Err(absent) if absent.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(BadIdentity::NotPrivate { path: path.to_owned(), mode });
        }
        let mut text = String::new();
        file.take(64 * 1024).read_to_string(&mut text).map_err(failed)?;
        let what = "it is not what this program writes";
        serde_json::from_str(&text).map(Some).map_err(|_| BadIdentity::Damaged { path: path.to_owned(), what })
    }

    /// Puts it in the place of what was there. After a kill there is the old one or the new one.
    pub(super) fn write(&self, path: &Path) -> Result<(), BadIdentity> {
        let failed = |source| BadIdentity::File { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new("."));
        let beside = path.with_extension("json.new");
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let _ = std::fs::remove_file(&beside);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            std::fs::rename(&beside, path)?;
            std::fs::File::open(folder)?.sync_all()
        };
        write().map_err(failed)
    }
}

fn key_of(secret: &str, name: KeyId) -> Option<SigningKey> {
    let secret: [u8; 32] = BASE64.decode(secret.as_bytes()).ok()?.try_into().ok()?;
    Some(SigningKey::new(&secret, name))
}
