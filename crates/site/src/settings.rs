//! What an operator decides about a site: where it listens, what it is called, where its data are.
//! Spec site.md 17.

use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// Which repositories may be fetched: patterns such as `https://host/owner/*`. Nothing else is ever asked.
    pub repositories: Vec<String>,
    /// Whether repositories may be folders of this machine (`file://`): the demo's are.
    pub local_repositories: bool,
    /// Whether anybody may sign in by picking a person. Only for the demo, only on loopback.
    pub personas: bool,
}

impl Settings {
    /// Whether pages are reached by https, so that cookies can be kept to it.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data.join("site.sqlite")
    }
}
