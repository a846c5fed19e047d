//! The words of `cloister site user`, `role` and `token`. Spec site.md 10, 11.3, 11.6.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;

fn roles() -> PossibleValuesParser {
    site::access::Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>().into()
}

fn scopes() -> PossibleValuesParser {
    site::access::TokenScope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().into()
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Everybody
    List,
    /// One person: memberships, roles, tokens
    Show {
        /// Their user name
        username: String,
    },
    /// Add somebody, without roles
    #[command(
        after_help = "The link lets the person choose a password. It counts once, for seven days: hand it over by a\nway that nobody else reads.\n\nExample:\n  cloister site user add sample-r --name 'Sample Researcher' --link"
    )]
    Add {
        /// A user name: letters, digits and -, never given twice
        username: String,
        /// The name that is shown
        #[arg(long)]
        name: String,
        /// Never public
        #[arg(long, default_value = "", hide_default_value = true)]
        email: String,
        /// A program, not a person: it cannot sign in, only use tokens
        #[arg(long, conflicts_with = "link")]
        service: bool,
        /// Print a link by which they choose a password
        #[arg(long)]
        link: bool,
    },
    /// Change the shown name or the e-mail address
    Edit {
        /// Their user name
        username: String,
        /// The name that is shown
        #[arg(long)]
        name: Option<String>,
        /// Never public; blank for none
        #[arg(long)]
        email: Option<String>,
    },
    /// Keep somebody out: sessions end, tokens and roles count no more
    Disable {
        /// Their user name
        username: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let somebody in again
    Enable {
        /// Their user name
        username: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Print a link by which somebody chooses a password; earlier ones end
    Link {
        /// Their user name
        username: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Roles that count or wait for a second person
    List {
        /// Only of this person
        username: Option<String>,
    },
    /// Grant a role
    #[command(
        after_help = "Some roles count only when another person has approved them. The operator is never both people.\n\nExamples:\n  cloister site role grant sample-r ProjectDeveloper --at project/winter --reason 'joins'\n  cloister site role grant sample-o BackendOperator --at backend/north --reason 'runs it'\n  cloister site role grant sample-a Auditor --reason 'yearly audit' --until 2027-04-01"
    )]
    Grant {
        /// Their user name
        username: String,
        /// Which
        #[arg(value_parser = roles())]
        role: String,
        /// Where it counts: site, project/SLUG or backend/SLUG
        #[arg(long, value_name = "PLACE", default_value = "site")]
        at: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The first day on which it does not count, UTC [default: it has no end]
        #[arg(long, value_name = "DAY", default_value = "", hide_default_value = true)]
        until: String,
    },
    /// Approve one that waits, as the second person
    Approve {
        /// Its number in the list
        id: i64,
    },
    /// Take one back, or turn down one that waits
    Revoke {
        /// Its number in the list
        id: i64,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Take all roles of somebody back
    Clear {
        /// Their user name
        username: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Say whether some roles need two people: only a site for one person alone does without
    TwoPeople {
        /// on or off
        #[arg(value_parser = ["on", "off"], hide_possible_values = true)]
        rule: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Tokens that count
    List {
        /// Only of this account
        username: Option<String>,
    },
    /// Make a token; it is printed this once
    #[command(
        after_help = "Example:\n  cloister site token make nightly --name 'nightly runs' --scope read \\\n      --scope request:run --project winter --days 30"
    )]
    Make {
        /// Of which account
        #[arg(value_name = "USER")]
        username: String,
        /// What it is called
        #[arg(long)]
        name: String,
        /// What it is for; several times for several things
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = scopes())]
        scopes: Vec<String>,
        /// How many days it counts, at most 365
        #[arg(long, default_value_t = site::people::tokens::DAYS)]
        days: i64,
        /// The only project that it reaches; several times for several [default: all]
        #[arg(long = "project", value_name = "SLUG")]
        projects: Vec<String>,
    },
    /// Revoke a token
    Revoke {
        /// Of which account
        username: String,
        /// Its number in the list
        id: i64,
    },
}
