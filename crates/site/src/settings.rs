//! What an operator decides about a site: where it listens, what it is called, where its data are.
//! Spec site.md 17. One TOML file, overridden by the command line; a wrong key stops the start with its line.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

pub use crate::access::rate::Rates;

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
    /// Which repositories workspaces may use: patterns of addresses, `*` for one whole part of the path.
    pub repositories: Vec<String>,
    /// Whether repositories may be folders of this machine (`file://`): the demo's are.
    pub local_repositories: bool,
    /// Proxies whose word about the caller's address is believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Serve https with these, rather than leaving it to a proxy.
    pub tls: Option<Tls>,
    /// Whether anybody may sign in by picking a person. Only for the demo, only on loopback.
    pub personas: bool,
    /// How often what may be asked.
    pub rates: Rates,
    /// How long what may take.
    pub times: Times,
}

/// How long what may take until the answer is 503 (spec site.md 16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// One query.
    pub query: Duration,
    /// A whole request, until its answer begins.
    pub request: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { query: crate::store::QUERY, request: Duration::from_secs(10) }
    }
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// What the file may say; what it leaves out keeps its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    listen: Option<SocketAddr>,
    origin: Option<String>,
    data: Option<PathBuf>,
    repositories: Option<Vec<String>>,
    local_repositories: Option<bool>,
    trusted_proxies: Option<Vec<std::net::IpAddr>>,
    tls: Option<Tls>,
    query_seconds: Option<NonZeroU16>,
    request_seconds: Option<NonZeroU16>,
}

/// What the command line says; it wins over the file.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// `--listen`.
    pub listen: Option<SocketAddr>,
    /// `--origin`.
    pub origin: Option<String>,
    /// `--data`.
    pub data: Option<PathBuf>,
}

/// Why a site's settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key or value that means nothing.
    #[error("the settings file {path} cannot be used:\n{source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// With line and the keys that there are.
        source: Box<toml::de::Error>,
    },
    /// An origin is scheme, host and port only.
    #[error(
        "origin = \"{origin}\" is not the address of a site: write scheme and host, as in https://jobs.example.org"
    )]
    Origin {
        /// As written.
        origin: String,
    },
    /// Sign-in by picking a person lets in everybody who reaches it.
    #[error("people to pick from are only for a site that listens on this machine alone, not on {listen}")]
    Personas {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// Session cookies would pass in clear.
    #[error(
        "people reach this site by {origin}, without https, which is only for a site that listens on this machine alone: write an https:// origin"
    )]
    Plain {
        /// How they reach it.
        origin: String,
    },
}

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8000);

impl Settings {
    /// Reads the file, if one is given, and lets the command line win.
    ///
    /// # Errors
    /// The file cannot be read, or a key or value means nothing.
    pub fn read(file: Option<&Path>, chosen: Chosen) -> Result<Self, BadSettings> {
        let written = match file {
            None => Written::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| BadSettings::Read { path: path.to_owned(), source })?;
                let failed = |source| BadSettings::Parse { path: path.to_owned(), source: Box::new(source) };
                toml::from_str(&text).map_err(failed)?
            }
        };
        let seconds = |given: Option<NonZeroU16>, or: Duration| {
            given.map_or(or, |given| Duration::from_secs(u64::from(given.get())))
        };
        let times = Times::default();
        let times = Times {
            query: seconds(written.query_seconds, times.query),
            request: seconds(written.request_seconds, times.request),
        };
        let listen = chosen.listen.or(written.listen).unwrap_or(LISTEN);
        let scheme = if written.tls.is_some() { "https" } else { "http" };
        let settings = Self {
            name: written.name.unwrap_or_else(|| "Cloister".to_owned()),
            listen,
            origin: chosen.origin.or(written.origin).unwrap_or_else(|| format!("{scheme}://{listen}")),
            data: chosen.data.or(written.data).unwrap_or_else(|| PathBuf::from("cloister-site")),
            repositories: written.repositories.unwrap_or_default(),
            local_repositories: written.local_repositories.unwrap_or(false),
            trusted_proxies: written.trusted_proxies.unwrap_or_default(),
            tls: written.tls,
            personas: false,
            rates: Rates::default(),
            times,
        };
        settings.checked()
    }

    /// The same, if they make sense together.
    ///
    /// # Errors
    /// What does not.
    pub fn checked(mut self) -> Result<Self, BadSettings> {
        let rest = self.origin.strip_prefix("https://").or_else(|| self.origin.strip_prefix("http://"));
        let host = rest.filter(|rest| !rest.is_empty() && rest.chars().all(is_of_host));
        if host.is_none() {
            return Err(BadSettings::Origin { origin: self.origin });
        }
        if self.personas && !self.listen.ip().is_loopback() {
            return Err(BadSettings::Personas { listen: self.listen });
        }
        if !self.is_https() && !self.listen.ip().is_loopback() {
            return Err(BadSettings::Plain { origin: self.origin });
        }
        // git works in a folder of its own, so the mirrors must not be named from here. An empty path stays: it fails when
        // it is made.
        self.data = std::path::absolute(&self.data).unwrap_or(self.data);
        Ok(self)
    }

    /// Whether pages are reached by https, so that cookies can be kept to it.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
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

fn is_of_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use super::*;

    fn read(text: &str, chosen: Chosen) -> Result<Settings, BadSettings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.toml");
        std::fs::write(&path, text).unwrap();
        Settings::read(Some(&path), chosen)
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_the_file_over_defaults() {
        let none = Settings::read(None, Chosen::default()).unwrap();
        assert_eq!((none.origin.as_str(), none.is_https()), ("http://127.0.0.1:8000", false));
        let file = "listen = \"0.0.0.0:443\"\norigin = \"https://jobs.example.org\"\ndata = \"/srv/site\"";
        let written = read(file, Chosen::default()).unwrap();
        assert!(written.is_https() && written.database() == Path::new("/srv/site/site.sqlite"));
        let data = Some(PathBuf::from("/other"));
        assert_eq!(read(file, Chosen { data, ..Chosen::default() }).unwrap().data, Path::new("/other"));
    }

    #[test]
    fn what_means_nothing_is_told_with_its_line() {
        let told = read("name = \"x\"\nlisen = \"127.0.0.1:1\"", Chosen::default()).unwrap_err().to_string();
        assert!(told.contains("line 2") && told.contains("lisen") && told.contains("`listen`"), "{told}");
        for origin in ["jobs.example.org", "https://", "https://a/b", "https://a b", "ftp://a"] {
            assert!(read(&format!("origin = \"{origin}\""), Chosen::default()).is_err(), "{origin}");
        }
    }

    #[test]
    fn people_to_pick_from_stay_on_this_machine() {
        let settings = Settings::read(None, Chosen::default()).unwrap();
        assert!(Settings { personas: true, ..settings.clone() }.checked().is_ok());
        let listen = "0.0.0.0:8000".parse().unwrap();
        assert!(Settings { personas: true, listen, ..settings.clone() }.checked().is_err());
        let origin = "https://jobs.example.org".to_owned();
        assert!(Settings { listen, origin: origin.clone(), ..settings.clone() }.checked().is_ok());
        assert!(matches!(Settings { listen, ..settings.clone() }.checked(), Err(BadSettings::Plain { .. })));
        let listen = "[::]:443".parse().unwrap();
        assert!(Settings { personas: true, listen, origin, ..settings }.checked().is_err());
    }

    #[test]
    fn only_own_names_are_known() {
        let inside = Settings::read(None, Chosen::default()).unwrap();
        for host in ["127.0.0.1:8000", "localhost:9", "[::1]:8000", "localhost"] {
            assert!(inside.is_known_as(host), "{host}");
        }
        let outside =
            Settings { origin: "https://jobs.example.org".into(), listen: "0.0.0.0:443".parse().unwrap(), ..inside };
        assert!(outside.is_known_as("jobs.example.org") && outside.is_known_as("JOBS.example.org"));
        for host in
            ["evil.example", "jobs.example.org.evil.example", "jobs.example.org:444", "localhost:8000", "", "127.0.0.1"]
        {
            assert!(!outside.is_known_as(host), "{host}");
        }
    }
}
