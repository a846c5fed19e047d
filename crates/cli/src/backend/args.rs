//! The words of `cloister backend`, as clap reads them. Spec jobs.md 21.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// These work on the records of one study's folder, while `cloister run` goes on there or not; with --state on those of a
/// backend, while it runs or is down.
#[derive(Debug, Args)]
#[command(
    after_help = "Ids of jobs and requests may be shortened as long as they are unique.\n\nExamples:\n  cloister backend status              what runs, what waits and for what\n  cloister backend pause on            nothing new starts, what runs carries on\n  cloister backend status --state DIR  the same of a backend, by its state folder\n  cloister backend kill 54fy --fail    end this job for good\n  cloister backend verify              read every record and object again"
)]
pub(crate) struct Backend {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// The study folder [default: this folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project_dir: Option<PathBuf>,
    /// The state folder of a backend, as its settings name it
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "project_dir")]
    pub(crate) state: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Why, for the record
    #[arg(long, global = true, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) why: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a backend beside the data: take orders from its site, run them, tell what happened
    Serve {
        /// Its settings file
        settings: PathBuf,
        /// End another process of this backend that is connected
        #[arg(long)]
        take_over: bool,
        /// Write what it does into this file, one JSON object a line (- is standard error); it stays inside
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
    },
    /// Make this backend's key and get its token, with the one-time code that the site's staff give
    Enrol {
        /// Its settings file
        settings: PathBuf,
        /// The code [default: asked for, or read from standard input]
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
    },
    /// What runs, what waits and for what, and which modes are on
    Status,
    /// The newest jobs
    Jobs {
        /// How many
        #[arg(short = 'n', long, default_value = "20", value_name = "N")]
        limit: u32,
    },
    /// One job with its attempts
    Job {
        /// Its id
        id: String,
    },
    /// The log of a job, also while it runs
    Logs {
        /// Its id
        id: String,
        /// Go on until the job ends
        #[arg(short, long)]
        follow: bool,
    },
    /// Nothing new starts; what runs carries on
    Pause {
        #[arg(value_enum)]
        to: Switch,
    },
    /// Nothing that reads the database starts, and what reads it is stopped and put back
    Maintenance {
        #[arg(value_enum)]
        to: Switch,
    },
    /// Stop everything and put it back, for a restart of the machine
    Drain {
        /// Only say whether the machine is ready: nothing runs and nothing will start
        #[arg(long, conflicts_with = "end")]
        status: bool,
        /// Go on afterwards
        #[arg(long)]
        end: bool,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// End running jobs; they are tried again unless --fail
    Kill {
        /// Ids of jobs
        #[arg(required = true)]
        ids: Vec<String>,
        /// They fail
        #[arg(long)]
        fail: bool,
    },
    /// Cancel jobs of a request: these actions, or all
    Cancel {
        /// Its id
        request: String,
        /// Names
        actions: Vec<String>,
    },
    /// Check a file of weights: `regex = number` by workspace
    Weights {
        /// The file
        file: PathBuf,
    },
    /// Copy the records; the newest seven copies are kept
    Snapshot,
    /// Read every record, object and snapshot again, and name what is not as it was written
    Verify,
    /// Remove stored objects that nothing needs; lists them unless --yes
    Gc {
        /// Remove them
        #[arg(short, long)]
        yes: bool,
    },
    /// Put a snapshot in the place of the records; what was there is kept beside it
    Restore {
        /// Its name [default: the newest that is whole]
        snapshot: Option<String>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}
