//! The words of `cloister site`, as clap reads them. Spec site.md 10, 17.

mod people;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(crate) use people::{Role, Token, User};
pub(crate) use work::{Backend, Org, Permission, Project, Request, Show, Workspace};

/// The public jobs site: serve it, and do from this terminal what its staff do on its pages.
///
/// Everything works while the site serves. Each act is in the site's audit log as one of operator@HOST.
#[derive(Debug, Args)]
#[command(
    after_help = "Settings are one TOML file (--settings) and options, which win over it:\n  name, listen, origin, data, repositories, local_repositories, trusted_proxies,\n  tls.certificate, tls.key\n\nExamples:\n  cloister site serve --data /srv/site --origin https://jobs.example.org\n  cloister site user add sample-r --name 'Sample Researcher' --data /srv/site\n  cloister site role grant sample-r ProjectDeveloper --at project/winter \\\n      --reason 'works on it' --data /srv/site\n  cloister site backup /mnt/backups --keep 14 --data /srv/site"
)]
pub(crate) struct Site {
    #[command(subcommand)]
    pub(crate) command: Command,
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
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer people and backends; the first start prints a link that makes the first administrator
    Serve {
        /// Write each request and event into this file, one JSON object a line (- is standard error)
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
    },
    /// Read the settings and say what is wrong with them, or nothing
    CheckConfig,
    /// People: add them, change them, let them in and keep them out
    #[command(subcommand)]
    User(User),
    /// Roles: grant, approve, take back
    #[command(subcommand)]
    Role(Role),
    /// API tokens
    #[command(subcommand)]
    Token(Token),
    /// Organisations and who belongs to them
    #[command(subcommand)]
    Org(Org),
    /// Projects
    #[command(subcommand)]
    Project(Project),
    /// Workspaces
    #[command(subcommand)]
    Workspace(Workspace),
    /// What data projects may use
    #[command(subcommand)]
    Permission(Permission),
    /// Backends: make them known, confirm their keys, say who may ask them for runs
    #[command(subcommand)]
    Backend(Backend),
    /// Job requests: which there are, and where one stands
    #[command(subcommand)]
    Request(Request),
    /// Ask to stop a job request, or some of its actions; what has ended is left alone
    #[command(
        after_help = "The backend decides what it can still stop; the request's page shows its answers.\n\nExamples:\n  cloister site cancel 812 --reason 'asked for by the researcher'\n  cloister site cancel 812 plot"
    )]
    Cancel {
        /// Its number or identifier
        request: String,
        /// Which actions [default: all that have not ended]
        actions: Vec<String>,
        /// Why, for everybody to read
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Make a backup while the site serves, or try one
    #[command(
        after_help = "A folder holds many backups; bytes that did not change are in it once. It holds the site's\nkey: keep it as safe as the site's own folder.\n\nExamples:\n  cloister site backup /mnt/backups --keep 14    make one, keep the newest 14\n  cloister site backup /mnt/backups --verify     put the newest back beside the\n                                                 others, read every hash and\n                                                 chain, and remove it again"
    )]
    Backup {
        /// The folder of the backups
        dir: PathBuf,
        /// Make none; try one
        #[arg(long)]
        verify: bool,
        /// The name of the backup to try [default: the newest]
        #[arg(long, value_name = "NAME", requires = "verify")]
        name: Option<String>,
        /// Remove all but the newest N afterwards
        #[arg(long, value_name = "N", conflicts_with = "verify", value_parser = clap::value_parser!(u32).range(1..))]
        keep: Option<u32>,
    },
    /// Put a backup back where nothing is
    #[command(
        after_help = "It is done only when every hash, the chains of facts and the audit log are right. What was\nrevoked after the backup counts again: look through users, roles and tokens. Everybody signs in\nanew; backends send what is missing.\n\nExample:\n  cloister site restore /mnt/backups --data /srv/new-site"
    )]
    Restore {
        /// The folder of the backups
        dir: PathBuf,
        /// The name of the backup [default: the newest]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
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
