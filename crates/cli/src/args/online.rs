//! The words of `cloister demo` and `cloister site`, as clap reads them. Spec site.md 10, 17.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// A whole platform on this machine, from one command: a site, two backends, studies, people to sign in as, requests that
/// run. Nothing has to be set up before, and nothing is left behind.
#[derive(Debug, Args)]
#[command(
    after_help = "Open the address that is printed. Sign in by picking a person: each has one role.\n\nCtrl-C ends it all and removes its folder.\n\nThe first job waits until its environment is made (270 MB are fetched once, into the cache folder); pages can be read meanwhile."
)]
pub(crate) struct Demo {
    /// Where to listen; only an address of this machine [default: 127.0.0.1:8000, or a free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Write each request and event into this file, one JSON object a line (- is standard error)
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

/// The public jobs site: serve it, and what its operator does with its data.
#[derive(Debug, Args)]
#[command(
    after_help = "Settings are one TOML file (--settings) and options, which win over it:\n  name, listen, origin, data, repositories, local_repositories, trusted_proxies,\n  tls.certificate, tls.key\n\nExamples:\n  cloister site serve --data /srv/site --origin https://jobs.example.org\n  cloister site import old.jsonl --data /srv/site"
)]
pub(crate) struct Site {
    #[command(subcommand)]
    pub(crate) command: SiteCommand,
    /// Where to listen [default: 127.0.0.1:8000]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// How people reach it: scheme, host and port
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) origin: Option<String>,
    /// The folder of its data [default: cloister-site]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The settings file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SiteCommand {
    /// Answer people and backends; the first start prints a link that makes the first administrator
    Serve {
        /// Write each request and event into this file, one JSON object a line (- is standard error)
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
    },
    /// Read the settings and say what is wrong with them, or nothing
    CheckConfig,
    /// Take in old job requests, one JSON object a line; what is known already changes nothing
    Import {
        /// The file
        file: PathBuf,
    },
    /// Make the tables of jobs again from the facts that backends sent
    Rebuild,
    /// Read the whole audit log and name the first record that is not as it was written
    AuditVerify,
}
