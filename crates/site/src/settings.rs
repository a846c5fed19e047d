//! What an operator decides about a site: where it listens, what it is called, where its data are.
//! Spec site.md 17.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::access::Limits;

/// Settings of one site.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Shown in every title.
    pub name: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How people reach it: scheme, host and port, without a path. Forms are accepted from this origin only.
    pub origin: String,
    /// The folder of the database, files and mirrors.
    pub data: PathBuf,
    /// Whether repositories may be folders of this machine (`file://`): the demo's are.
    pub local_repositories: bool,
    /// Whether anybody may sign in by picking a person. Only for the demo, only on loopback.
    pub personas: bool,
    /// How often what may be asked, and which proxies are believed.
    pub limits: Limits,
}

/// Why settings cannot be used together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// Anybody could sign in as anybody.
    #[error("personas let anybody sign in as anybody, so they are only for listening on loopback, not on {0}")]
    Personas(SocketAddr),
    /// Session cookies would pass in clear.
    #[error(
        "people reach this site by {0}, without https; that is only for listening on loopback: set an https:// origin"
    )]
    Plain(String),
    /// Not an origin.
    #[error("{0:?} is no origin: it is http:// or https://, a host and perhaps a port, without a path")]
    Origin(String),
}

impl Settings {
    /// Whether pages are reached by https, so that cookies can be kept to it.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Whether these settings may be used together.
    ///
    /// # Errors
    /// [`BadSettings`] says what is unsafe or unreadable.
    pub fn check(&self) -> Result<(), BadSettings> {
        let host = self.host().ok_or_else(|| BadSettings::Origin(self.origin.clone()))?;
        let plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
        if host.is_empty() || !plain {
            return Err(BadSettings::Origin(self.origin.clone()));
        }
        let inside = self.listen.ip().is_loopback();
        if self.personas && !inside {
            return Err(BadSettings::Personas(self.listen));
        }
        if !self.is_https() && !inside {
            return Err(BadSettings::Plain(self.origin.clone()));
        }
        Ok(())
    }

    /// Host and port of the origin.
    fn host(&self) -> Option<&str> {
        self.origin.strip_prefix("https://").or_else(|| self.origin.strip_prefix("http://"))
    }

    /// Whether people reach this site by this host, as a `Host` header says it. On loopback the names of loopback are
    /// known with every port.
    pub fn is_known_as(&self, host: &str) -> bool {
        if self.host().is_some_and(|own| own.eq_ignore_ascii_case(host)) {
            return true;
        }
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        self.listen.ip().is_loopback() && ["localhost", "127.0.0.1", "[::1]"].contains(&name)
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data.join("site.sqlite")
    }
}
