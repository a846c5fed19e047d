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
    /// Begin what this backend tells anew, after its records were restored or its key was lost
    #[command(after_help = NEW_EPOCH)]
    NewEpoch {
        /// Its settings file
        settings: PathBuf,
        /// What happened
        #[arg(long, value_enum)]
        reason: NewEpochReason,
        /// The last fact here that the site has too [default: the last one]
        #[arg(long, value_name = "N", conflicts_with = "site_epoch")]
        continue_at: Option<u64>,
        /// The site's open epoch, if this backend knows nothing of it
        #[arg(long, value_name = "E")]
        site_epoch: Option<u64>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Make a new signing key; the old one signs that it follows
    #[command(after_help = ROTATE_KEY)]
    RotateKey {
        /// Its settings file
        settings: PathBuf,
    },
    /// Take orders again after the site sent two for one place of its line
    #[command(after_help = RESUME_LINE)]
    ResumeLine {
        /// Its settings file
        settings: PathBuf,
    },
    /// Let the next request bind a workspace to another repository or project
    #[command(after_help = REBIND)]
    Rebind {
        /// Its name
        workspace: String,
    },
    /// What left this machine for the site: every message, byte for byte
    #[command(after_help = EGRESS)]
    Egress {
        /// From this day or moment on: 2027-03-04 or 2027-03-04T09:15:00Z
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
        /// Show what is in each message too
        #[arg(long)]
        bodies: bool,
    },
    /// SQL files that may run here without saying how they treat type 1 opt-outs
    #[command(subcommand)]
    Waiver(super::waiver::Waiver),
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
pub(crate) enum NewEpochReason {
    /// The records were restored from an older copy
    Restored,
    /// The key was lost, and `enrol` made another one
    NewKey,
}

const NEW_EPOCH: &str = "What a backend tells is a chain that the site keeps for ever. If records were restored from an older copy, the site has facts that this backend no longer knows, and takes no more until a new chain begins. Open one once you know why; staff of the site see it on the backend's page and confirm it after asking you.\n\nIf site and backend tell different histories (the backend went on after it was restored), say with --continue-at which fact is the last that both have. 0 is always right: all is told again, and the site leaves what it knows as it is.\n\nStop the backend first. --why is asked for: it stays in the record here.\n\nExample:\n  cloister backend new-epoch backend.toml --reason restored \\\n      --why \"disk failed, copy of Monday\"";
const ROTATE_KEY: &str = "Do this once a year, and at once if somebody may have copied the key's file. A key that was lost cannot sign: then enrol again, and open a new epoch.\n\nStop the backend first. The site learns of the new key by itself at the next start. --why is asked for: it stays in the record here.\n\nExample:\n  cloister backend rotate-key backend.toml --why \"once a year\"";
const RESUME_LINE: &str = "Orders come in a line without gaps. A second order at a place that was taken means that the site, or somebody in its place, tells two histories: the backend takes no more orders and says so to the site's staff. Ask them what happened before you go on. What was taken stays; what comes behind it counts.\n\nStop the backend first. --why is asked for: it stays in the record here.\n\nExample:\n  cloister backend resume-line backend.toml --why \"the site was restored\"";
const REBIND: &str = "The first request in a workspace binds it to its repository and project; requests of another one are refused as not_permitted, for the site alone must not move results from one project to another. If a workspace was really moved, say so here.\n\nThe backend may run meanwhile. --why is asked for: it stays in the record here.\n\nExample:\n  cloister backend rebind winter-chest --state state --why \"moved to POS-2026-0412\"";
const EGRESS: &str = "The ledger is written before anything is sent, each entry chained to the one before by a hash. It is read from its beginning and checked, whatever is shown of it. Tokens are in no message.\n\nThe backend may run meanwhile.\n\nExamples:\n  cloister backend egress --state state --since 2027-03-04\n  cloister backend egress --state state --bodies --json | less";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}
