//! The words of `cloister site org`, `project`, `workspace`, `permission`, `backend` and `request`. Spec site.md 10.

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// All organisations
    List,
    /// Add one
    Add {
        /// The part of its address, never changed
        slug: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// What it is, in Markdown
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
    },
    /// Change name or description
    Edit {
        /// Its slug
        slug: String,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// What it is, in Markdown
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Say who belongs to it
    Member {
        /// Its slug
        slug: String,
        /// A user name
        username: String,
        /// No longer
        #[arg(long)]
        remove: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Project {
    /// All projects
    List,
    /// Add one
    #[command(
        after_help = "Example:\n  cloister site project add winter --name 'Winter pressures' --number POS-2026-0412 \\\n      --category approved --org northfield"
    )]
    Add {
        /// The first part of its addresses
        slug: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// Its public number
        #[arg(long, default_value = "", hide_default_value = true)]
        number: String,
        /// internal, legacy, legacy_approved, approved or unknown
        #[arg(long, default_value = "approved")]
        category: String,
        /// Slug of the organisation that leads it
        #[arg(long, value_name = "SLUG")]
        org: Option<String>,
    },
    /// Change what is given; old addresses lead to the new ones for a year
    Edit {
        /// Its slug
        slug: String,
        /// A new slug
        #[arg(long, value_name = "SLUG")]
        rename: Option<String>,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// Its public number; blank for none
        #[arg(long)]
        number: Option<String>,
        /// internal, legacy, legacy_approved, approved or unknown
        #[arg(long)]
        category: Option<String>,
        /// Slug of the organisation that leads it
        #[arg(long, value_name = "SLUG")]
        org: Option<String>,
    },
    /// Say how it stands
    Status {
        /// Its slug
        slug: String,
        /// ongoing, postponed, retired, ongoing-and-linked, completed-and-linked or completed-and-awaiting
        status: String,
        /// For members and staff, in Markdown
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Workspace {
    /// All workspaces
    List,
    /// Add one to a project
    #[command(
        override_usage = "cloister site workspace add NAME --project SLUG --repo URL [OPTIONS]",
        after_help = "Example:\n  cloister site workspace add winter-chest --project winter \\\n      --repo https://github.com/our-organisation/winter-chest --branch main"
    )]
    Add {
        /// Its name on the whole site, never given twice
        name: String,
        /// Slug of the project
        #[arg(long, value_name = "SLUG")]
        project: String,
        /// Address of the repository
        #[arg(long, value_name = "URL")]
        repo: String,
        /// Its branch
        #[arg(long, default_value = "main")]
        branch: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        purpose: String,
    },
    /// Change what is given
    Edit {
        /// Its name
        name: String,
        /// Its branch
        #[arg(long)]
        branch: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        purpose: Option<String>,
        /// Whether new requests notify
        #[arg(long, value_name = "on|off", value_parser = ["on", "off"], hide_possible_values = true)]
        notify: Option<String>,
    },
    /// Close it: it takes no new requests
    Archive {
        /// Its name
        name: String,
        /// Why, for everybody to read
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Open it again
    Unarchive {
        /// Its name
        name: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Permission {
    /// What projects have: what waits first, then what ends soonest
    List {
        /// Only of this project
        project: Option<String>,
    },
    /// What may be permitted
    Kinds,
    /// Propose one; it counts when another person approves it
    #[command(
        after_help = "The operator is never both people.\n\nExample:\n  cloister site permission propose winter icnarc --reason 'approved by the data board' \\\n      --evidence https://example.org/minutes/12 --until 2028-01-01"
    )]
    Propose {
        /// Slug of the project
        #[arg(value_name = "SLUG")]
        project: String,
        /// A code of `cloister site permission kinds`
        code: String,
        /// Why, for everybody to read
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Where that is documented
        #[arg(long, value_name = "URL", default_value = "", hide_default_value = true)]
        evidence: String,
        /// The first day on which it does not count, UTC [default: it has no end]
        #[arg(long, value_name = "DAY", default_value = "", hide_default_value = true)]
        until: String,
    },
    /// Approve one that waits
    Approve {
        /// Its number in the list
        id: i64,
    },
    /// End one, or turn down one that waits
    Revoke {
        /// Its number in the list
        id: i64,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Backend {
    /// All backends
    List,
    /// Make one known
    Add {
        /// The part of its address, never changed
        slug: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// tpp, emis or other
        #[arg(long, default_value = "other")]
        flavour: String,
        /// real or synthetic; the backend itself says so when it connects
        #[arg(long, value_name = "KIND", default_value = "synthetic")]
        data_kind: String,
    },
    /// Print a code for `cloister backend enrol`, valid for an hour; earlier ones end
    Code {
        /// Its slug
        slug: String,
    },
    /// Print the six words of its newest key, to be compared with those that its operator reads out
    Words {
        /// Its slug
        slug: String,
    },
    /// Confirm its key, after two people found the six words the same
    #[command(after_help = "Example:\n  cloister site backend confirm north acid ball calm dust echo fame")]
    Confirm {
        /// Its slug
        slug: String,
        /// The six words that its operator read out
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Give it a new token beside the old one
    Rotate {
        /// Its slug
        slug: String,
    },
    /// End all its tokens at once: it has to enrol again
    Revoke {
        /// Its slug
        slug: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say who may ask it for runs
    Member {
        /// Its slug
        slug: String,
        /// A user name
        username: String,
        /// No longer
        #[arg(long)]
        remove: bool,
    },
    /// Put it into use, or take it out: then its calls are refused
    Use {
        /// Its slug
        slug: String,
        /// on or off
        #[arg(value_parser = ["on", "off"], hide_possible_values = true)]
        state: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say after how many seconds without contact it counts as missing
    Alert {
        /// Its slug
        slug: String,
        /// 60 to 86400
        seconds: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Request {
    /// The newest, or those that somebody should look at
    List {
        /// Which
        #[arg(long, value_enum, default_value = "all")]
        show: Show,
        /// Only of this workspace
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        /// Only with numbers below this one
        #[arg(long, value_name = "NUMBER")]
        below: Option<i64>,
        /// How many
        #[arg(short = 'n', long, default_value = "25", value_name = "N")]
        limit: u32,
    },
    /// Where each action of a request stands, and who waits for it
    Show {
        /// Its number or identifier
        request: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// All
    All,
    /// Not ended
    Open,
    /// Not yet fetched by their backend
    Waiting,
    /// Refused
    Refused,
    /// Not ended, and no news for 30 minutes
    Stale,
}
