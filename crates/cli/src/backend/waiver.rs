//! `cloister backend waiver`: SQL of older studies that may run although it does not say how it treats type 1 opt-outs.
//! Spec actions.md 7.5. The sandbox's own check compares the bytes; what is kept here only names them.

use std::path::{Path, PathBuf};

use backend::waivers::{ActionName, Mode, Moment, Revoked, Sha256Hex, Terms, Waiver as Kept, Waivers, now};
use clap::{Args, Subcommand, ValueEnum};
use pipeline::report::visible;
use serde_json::{Value, json};

use super::args::Backend;
use super::record::{Done, desk, moment, state, threads};
use super::say;
use crate::exit::Exit;
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum Waiver {
    /// Let exactly these bytes of SQL run in one action of one commit
    #[command(after_help = ADD)]
    Add(Box<Add>),
    /// All waivers, those that are over too
    List,
    /// End one; jobs that run already go on
    #[command(after_help = REVOKE)]
    Revoke {
        /// Its name
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The workspace whose jobs it is for
    #[arg(long)]
    workspace: String,
    /// The study's repository
    #[arg(long, value_name = "URL")]
    repository: String,
    /// The commit, all 40 digits
    #[arg(long)]
    commit: String,
    /// The action of the project.yaml
    #[arg(long)]
    action: String,
    /// The SQL file at that commit, or its SHA-256
    #[arg(long, value_name = "FILE|SHA256")]
    sql: String,
    /// Why it may run as it is
    #[arg(long, value_enum)]
    mode: Waived,
    /// Who asks for it
    #[arg(long, value_name = "NAME")]
    proposed_by: String,
    /// Who grants it: another person
    #[arg(long, value_name = "NAME")]
    approved_by: String,
    /// The first day or moment [default: now]
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// The day or moment at which it ends, a year later at most
    #[arg(long, value_name = "WHEN")]
    until: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Waived {
    /// The tables that it reads are views without opted-out patients
    ExcludedByView,
    /// Its results are taken to be without them
    AssumeExcluded,
    /// It may read them; the project must hold the permission include_t1oo too
    Include,
}

const ADD: &str = "A backend refuses SQL that neither excludes opted-out patients nor states why it does not (sqlrunner's error t1oo_undeclared names the SHA-256). A waiver lets one file of an older study run unchanged; one changed byte, another commit, action or workspace is refused again.\n\nThe backend may run meanwhile. --why is asked for: it stays in the record here, as all of it does.\n\nExample:\n  cloister backend waiver add --state state --workspace short-report \\\n      --repository https://github.com/example/short-report \\\n      --commit 2f1c0b0e9a7d4c3b8a6f5e4d3c2b1a0f9e8d7c6b --action query --sql analysis/query.sql \\\n      --mode excluded-by-view --proposed-by \"A. Researcher\" --approved-by \"B. Governance\" \\\n      --until 2027-03-04 --why \"written before the rule of 2022\"";
const REVOKE: &str = "The backend may run meanwhile. --why is asked for: it stays in the record here.\n\nExample:\n  cloister backend waiver revoke 01k4z0c3t9v7w2x8y6r5q4p3n1 --state state --why \"the query was mended\"";

pub(super) fn waiver(args: &Backend, what: &Waiver, terminal: &Terminal) -> Done {
    let folder = state(args)?;
    let waivers = Waivers::of_state(folder);
    match what {
        Waiver::Add(add) => {
            let terms = terms(add, &args.why)?;
            let kept = noted(args, folder, "waiver_add", || Ok(waivers.add(terms)?))?;
            say(args, terminal, &format!("{} holds until {}", kept.id, day(kept.terms.until)), &of(&kept));
        }
        Waiver::Revoke { id } => {
            let revoked = Revoked { at: now(), why: args.why.clone() };
            let ended = noted(args, folder, "waiver_revoke", || Ok(waivers.revoke(id, revoked)?))?;
            say(args, terminal, &format!("{} is over: no job starts with it any more", ended.id), &of(&ended));
        }
        Waiver::List => list(args, &waivers.all()?, now(), terminal),
    }
    Ok(Exit::Done)
}

/// Does it, with who and why in the backend's record; without a why, or a backend, nothing is done.
fn noted(
    args: &Backend,
    folder: &Path,
    did: &str,
    change: impl FnOnce() -> Result<Kept, Box<dyn std::error::Error>>,
) -> Result<Kept, Box<dyn std::error::Error>> {
    threads()?.block_on(async {
        let desk = desk(args, folder).await?;
        let kept = change()?;
        desk.note(did, of(&kept)).await?;
        desk.close().await?;
        Ok(kept)
    })
}

fn terms(add: &Add, why: &str) -> Result<Terms, Box<dyn std::error::Error>> {
    Ok(Terms {
        workspace: add.workspace.parse()?,
        repository: add.repository.clone(),
        commit: add.commit.parse()?,
        action: ActionName::new(&add.action),
        sql: hash_of(&add.sql)?,
        mode: match add.mode {
            Waived::ExcludedByView => Mode::ExcludedByView,
            Waived::AssumeExcluded => Mode::AssumeExcluded,
            Waived::Include => Mode::Include,
        },
        reason: why.to_owned(),
        proposed_by: add.proposed_by.clone(),
        approved_by: add.approved_by.clone(),
        from: add.from.as_deref().map_or_else(|| Ok(now()), when)?,
        until: when(&add.until)?,
    })
}

fn when(text: &str) -> Result<Moment, Box<dyn std::error::Error>> {
    Ok(Moment::from_microseconds(moment(text)?.as_microsecond())?)
}

fn hash_of(given: &str) -> Result<Sha256Hex, Box<dyn std::error::Error>> {
    if let Ok(hash) = given.parse() {
        return Ok(hash);
    }
    let bytes = std::fs::read(PathBuf::from(given))
        .map_err(|error| format!("error: --sql {}: {error}; give the SQL file, or its SHA-256", visible(given)))?;
    Ok(Sha256Hex::of(&[&bytes]))
}

/// One as JSON.
fn of(waiver: &Kept) -> Value {
    json!({ "id": waiver.id, "terms": waiver.terms, "revoked": waiver.revoked })
}

fn list(args: &Backend, all: &[Kept], now: Moment, terminal: &Terminal) {
    for waiver in all {
        let terms = &waiver.terms;
        if args.json {
            terminal.line(&of(waiver).to_string());
            continue;
        }
        let standing = match &waiver.revoked {
            Some(revoked) => format!("revoked on {}", day(revoked.at)),
            None if waiver.holds(now) => format!("holds until {}", day(terms.until)),
            None if now < terms.from => format!("begins on {}", day(terms.from)),
            None => format!("ended on {}", day(terms.until)),
        };
        let mode = json!(terms.mode);
        let lines = [
            format!("{}  {standing}", waiver.id),
            format!("  {} of {} in {}", terms.action, terms.workspace, terms.repository),
            format!("  commit {}, SQL {}", terms.commit.short(), terms.sql),
            format!("  {}: {}", mode.as_str().unwrap_or_default(), terms.reason),
            format!("  proposed by {}, approved by {}", terms.proposed_by, terms.approved_by),
        ];
        lines.iter().for_each(|line| terminal.line(&visible(line)));
    }
    if !args.json {
        terminal.note(&crate::words::plural(all.len(), "waiver"));
    }
}

/// The day of a moment, in UTC.
fn day(moment: Moment) -> String {
    moment.to_string().chars().take(10).collect()
}
