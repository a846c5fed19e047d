//! The words of `cloister demo`, as clap reads them. Spec site.md 17. Those of `cloister site` are in its folder.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

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
