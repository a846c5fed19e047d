//! What an operator decides, in one TOML file. An unknown key or an impossible value stops the start, with file and line.
//! Spec jobs.md 20, 21 (data source), 23; protocol.md 1, 2.

mod check;
mod file;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use protocol::fact::backend::Flavour;
use protocol::order::PermissionKind;
use protocol::text::names::{BackendSlug, DataVersion, PermissionCode, ProjectSlug};
use protocol::text::time::Moment;
use repositories::{AllowList, Rewrites, Tokens};

use crate::orders::ActionRules;

/// The settings of one backend.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name at the site.
    pub slug: BackendSlug,
    /// Beside which records it stands.
    pub flavour: Flavour,
    /// What it may do without.
    pub profile: Profile,
    /// Whose data.
    pub data: Data,
    /// The operator's label of the data, the only word about it that leaves.
    pub data_version: Option<DataVersion>,
    /// How jobs are kept apart.
    pub environments: Environments,
    /// Where the site is.
    pub site: Site,
    /// Where everything is kept.
    pub folders: Folders,
    /// Where code may come from.
    pub repositories: Repositories,
    /// Which reusable actions may run.
    pub actions: ActionRules,
    /// How many jobs run at once.
    pub workers: Workers,
    /// What one job may use, and how long the backend waits.
    pub limits: Limits,
    /// What projects may use, at most; an order can only ask for less.
    pub permissions: Vec<Grant>,
}

/// What a backend may do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Invented data on one machine: native environments and local repositories are allowed.
    Demo,
    /// Patients' data.
    Production,
}

/// Whose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// Invented, as `cloister run` uses it. The only source there is today.
    Dummy,
}

/// How jobs are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environments {
    /// Programs of this machine in namespaces. The only ones there are today.
    Native,
}

/// Where the site is.
#[derive(Debug, Clone)]
pub struct Site {
    /// Scheme, host and port.
    pub url: http::Uri,
    /// Its address, if the name is not to be looked up; the port is that of `url`.
    pub address: Option<IpAddr>,
    /// The only certificates (PEM) that its own may be signed by; without it, the system's.
    pub ca_file: Option<PathBuf>,
    /// A proxy for CONNECT.
    pub proxy: Option<http::Uri>,
    /// Whether gauges hold no more than mode, version, places and contact.
    pub minimal_gauges: bool,
    /// For how long without contact jobs may start, in seconds.
    pub offline_start: i64,
}

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The record, the key, the state of jobs.
    pub state: PathBuf,
    /// Outputs that no person reads.
    pub high: PathBuf,
    /// Outputs that reviewers read.
    pub medium: PathBuf,
}

/// Where code may come from.
#[derive(Debug, Clone)]
pub struct Repositories {
    /// The patterns, and whether folders of this machine count.
    pub allow: AllowList,
    /// Whether folders of this machine count.
    pub local: bool,
    /// Where to fetch from instead.
    pub rewrites: Rewrites,
    /// Tokens for private repositories.
    pub tokens: Tokens,
    /// Certificates (PEM) for fetching.
    pub ca_file: Option<PathBuf>,
}

/// How many jobs run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// In all.
    pub max: u32,
    /// That use the database.
    pub db: u32,
}

/// What one job may use, and how long the backend waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Processor cores of a job.
    pub cpus: u32,
    /// Memory of a job, in MiB.
    pub memory_mb: u64,
    /// Run time of a job, in seconds.
    pub run_time: u64,
    /// For how long an order is tried whose code cannot be reached, in seconds.
    pub request_check: u64,
}

/// What a project may use here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The project.
    pub project: ProjectSlug,
    /// Permission for what.
    pub kind: PermissionKind,
    /// Which one.
    pub code: PermissionCode,
    /// The moment from which it counts no more, by this machine's clock.
    pub ends_at: Option<Moment>,
}

/// Settings that cannot be used: nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// The file cannot be read.
    #[error("{path}: {source}; write the backend's settings there, or name another file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key or value in it.
    #[error("{path}:{line}: {what}")]
    At {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong and what to do.
        what: String,
    },
}

impl Settings {
    /// Reads a file. Relative paths in it are taken from its own folder.
    ///
    /// # Errors
    /// It cannot be read, or one of its keys or values cannot be used.
    pub fn read(path: &Path) -> Result<Self, BadSettings> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| BadSettings::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// The settings of a text; `path` is for its relative paths and for errors.
    ///
    /// # Errors
    /// One of its keys or values cannot be used.
    pub fn parse(text: &str, path: &Path) -> Result<Self, BadSettings> {
        let line = |span: Option<std::ops::Range<usize>>| {
            let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or(text);
            before.matches('\n').count() + 1
        };
        let at = |line, what| BadSettings::At { path: path.to_owned(), line, what };
        let file: file::File =
            toml::from_str(text).map_err(|bad| at(line(bad.span()), bad.message().trim_end().to_owned()))?;
        // git works in a folder of its own, so mirrors and tokens must not be named from here.
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = whole.parent().unwrap_or(Path::new(""));
        check::settings(file, folder).map_err(|wrong| {
            let mut faults = wrong.into_iter().map(|fault| (line(fault.span), fault.what));
            let (first, mut what) = faults.next().unwrap_or_default();
            for (line, more) in faults {
                what.push_str(&format!("\n{}:{line}: {more}", path.display()));
            }
            at(first, what)
        })
    }
}
