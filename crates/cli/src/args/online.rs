//! The words of `cloister demo`, as clap reads them. Spec site.md 17. Those of `cloister site` are in its folder.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// A whole platform on this machine, from one command: a site, two backends, studies, people to sign in as, requests that
/// run. Nothing has to be set up before, and nothing is left behind.
#[derive(Debug, Args)]
#[command(
    after_help = "Open the address that is printed. Sign in by picking a person: each has one role.\n\nCtrl-C ends it all and removes its folder.\n\nJobs wait until their environments are made: about 600 MB of Python and R packages are fetched once into the cache folder, 270 MB with --studies one. Pages can be read meanwhile."
)]
pub(crate) struct Demo {
    /// Where to listen; only an address of this machine [default: 127.0.0.1:8000, or a free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Of which studies requests are made at the start: of all five, which fetches their environments (once), or of one
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = Studies::All)]
    pub(crate) studies: Studies,
    /// Write each request and event into this file, one JSON object a line (- is standard error)
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

/// Of which studies a demo asks for runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Studies {
    /// Of all
    All,
    /// Of the one with the smallest environment, three times
    One,
}
