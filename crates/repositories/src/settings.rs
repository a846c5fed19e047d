//! What an operator decides about fetching: where mirrors lie, tokens, limits, whether there is a network at all.
//! Spec jobs.md 20, 23.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::BASE64;

use crate::rewrite::Rewrites;
use crate::url::authority_of;

/// Whether anything may be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Repositories may be asked and fetched.
    #[default]
    Allowed,
    /// Only what the mirrors hold counts (an offline mirror, `--offline`).
    Off,
}

/// How [`Mirrors`](crate::Mirrors) works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the mirrors; made if absent, must be ours alone.
    pub root: PathBuf,
    /// Where to fetch from instead.
    pub rewrites: Rewrites,
    /// Tokens for private repositories.
    pub tokens: Tokens,
    /// Whether anything may be fetched.
    pub network: Network,
    /// Certificates to trust instead of the system's (PEM), for a proxy with its own authority.
    pub ca_file: Option<PathBuf>,
    /// The longest a single call of git may take; default ten minutes.
    pub time_limit: Duration,
    /// The wait before the second try after a passing error; each further one is twice as long. Default one second.
    pub first_wait: Duration,
    /// Bytes of the largest pack that a fetch may bring; default 8 GiB.
    pub max_pack: u64,
}

impl Settings {
    /// The defaults, with mirrors in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            rewrites: Rewrites::default(),
            tokens: Tokens::default(),
            network: Network::Allowed,
            ca_file: None,
            time_limit: Duration::from_secs(600),
            first_wait: Duration::from_secs(1),
            max_pack: 8 << 30,
        }
    }
}

/// Which file holds the token for which host (`host` or `host:port`, the one that is fetched from). A token is the first
/// line of its file. It is read by a helper of git when the server asks for it, and is in no address, argument, variable,
/// log or mirror.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    files: BTreeMap<(String, Option<u16>), PathBuf>,
}

/// Not a host for which a token can be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no token can be set for {host:?}: {why}; write `host` or `host:port`")]
pub struct BadTokenHost {
    host: String,
    why: &'static str,
}

impl Tokens {
    /// No token for anything.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the file with the token for a host.
    ///
    /// # Errors
    /// `host` is not one.
    pub fn with(mut self, host: &str, file: impl Into<PathBuf>) -> Result<Self, BadTokenHost> {
        let (name, port) = authority_of(host).map_err(|why| BadTokenHost { host: host.to_owned(), why })?;
        self.files.insert((name, port.filter(|port| *port != 443)), file.into());
        Ok(self)
    }

    pub(crate) fn file(&self, host: &str, port: Option<u16>) -> Option<&Path> {
        self.files.get(&(host.to_owned(), port)).map(PathBuf::as_path)
    }
}

/// The user that goes with a token; hosts ignore it.
pub(crate) const TOKEN_USER: &str = "token";

/// What must never be shown: the token in the forms in which a server could send it back.
pub(crate) fn secrets_of(file: &Path) -> io::Result<Vec<String>> {
    let mut text = String::new();
    std::fs::File::open(file)?.take(64 * 1024).read_to_string(&mut text)?;
    let token = text.lines().next().unwrap_or_default().trim().to_owned();
    let basic = BASE64.encode(format!("{TOKEN_USER}:{token}").as_bytes());
    Ok(vec![basic, token])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_host_and_port() {
        let tokens = Tokens::none().with("Code.example.org", "/a").unwrap().with("h:8443", "/b").unwrap();
        assert_eq!(tokens.file("code.example.org", None), Some(Path::new("/a")));
        assert_eq!(tokens.file("h", Some(8443)), Some(Path::new("/b")));
        assert_eq!((tokens.file("h", None), tokens.file("example.org", None)), (None, None));
        assert!(Tokens::none().with("https://h", "/a").is_err());
        assert!(Tokens::none().with("u@h", "/a").is_err());
    }
}
