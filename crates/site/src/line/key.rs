//! The key by which the site signs its orders: 32 random bytes in a file that only its owner can read.
//! Spec protocol.md 2, 3.1.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use protocol::keys::SigningKey;

const NAME: &str = "site.key";

/// The key cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file.
    #[error("the site's signing key {path} cannot be read or made: {source}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its content.
    #[error(
        "the site's signing key {path} is not 32 bytes in hexadecimal; put back the file of your backup. Without it every backend has to be enrolled again"
    )]
    NotAKey {
        /// Where.
        path: PathBuf,
    },
    /// No random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Reads the key of a data folder, made at the first start.
pub(super) fn open(folder: &Path) -> Result<SigningKey, KeyError> {
    let path = folder.join(NAME);
    let failed = |source| KeyError::File { path: path.clone(), source };
    if !path.exists() {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(KeyError::Random)?;
        make(folder, &path, &secret).map_err(failed)?;
    }
    let mut text = String::new();
    std::fs::File::open(&path).and_then(|file| file.take(1024).read_to_string(&mut text)).map_err(failed)?;
    let not_a_key = || KeyError::NotAKey { path: path.clone() };
    let bytes = data_encoding::HEXLOWER.decode(text.trim_end().as_bytes()).map_err(|_| not_a_key())?;
    let secret: [u8; 32] = bytes.try_into().map_err(|_| not_a_key())?;
    let id = "site-1".parse().map_err(|_| not_a_key())?;
    Ok(SigningKey::new(&secret, id))
}

/// Whole or not at all: a half-written key would lock out every backend.
fn make(folder: &Path, path: &Path, secret: &[u8; 32]) -> std::io::Result<()> {
    let half = folder.join(".site.key.new");
    let _ = std::fs::remove_file(&half);
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
    writeln!(file, "{}", data_encoding::HEXLOWER.encode(secret))?;
    file.sync_all()?;
    std::fs::rename(&half, path)?;
    std::fs::File::open(folder)?.sync_all()
}
