//! `snapshot`, `verify`, `gc` and `restore`. Spec jobs.md 9, 17, 21.

use std::error::Error;
use std::path::Path;

use jiff::Timestamp;
use jobs::local::{self, Finding, Verified};
use jobs::server;
use serde_json::json;

use super::args::Backend;
use super::{NOTHING, say, unconfirmed};
use crate::env;
use crate::exit::Exit;
use crate::project::shown;
use crate::terminal::Terminal;
use crate::words::{bytes, plural};

fn counted(count: u64, word: &str) -> String {
    plural(usize::try_from(count).unwrap_or(usize::MAX), word)
}

pub(super) async fn snapshot(args: &Backend, folder: &Path, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let Some(path) = local::snapshot(folder, &env::runs_folder()?, Timestamp::now()).await? else {
        return Err(NOTHING.into());
    };
    say(args, terminal, &format!("copied to {}", shown(&path)), &json!({ "snapshot": path }));
    Ok(Exit::Done)
}

/// The same of a backend, by its state folder.
pub(super) async fn snapshot_of(args: &Backend, state: &Path, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let path = server::snapshot(state, Timestamp::now()).await?;
    say(args, terminal, &format!("copied to {}", shown(&path)), &json!({ "snapshot": path }));
    Ok(Exit::Done)
}

pub(super) async fn verify_of(args: &Backend, state: &Path, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let seen = server::verify(state).await?;
    Ok(report(
        args,
        &seen,
        "A damaged or missing output is made again by the next request for it; damaged records are replaced by hand, by the newest whole file of `snapshots`",
        terminal,
    ))
}

pub(super) async fn verify(args: &Backend, folder: &Path, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let Some(seen) = local::verify(folder).await? else { return Err(NOTHING.into()) };
    let mend = "A damaged or missing output is made again by the next `cloister run`; damaged records are replaced by `cloister backend restore`";
    Ok(report(args, &seen, mend, terminal))
}

fn report(args: &Backend, seen: &Verified, mend: &str, terminal: &Terminal) -> Exit {
    if args.json {
        let kind = |finding: &Finding| match finding {
            Finding::State(_) => "state",
            Finding::Damaged(..) => "damaged",
            Finding::Missing(..) => "missing",
            Finding::Foreign(_) => "foreign",
            Finding::Snapshot(..) => "snapshot",
        };
        let findings: Vec<_> =
            seen.findings.iter().map(|f| json!({ "kind": kind(f), "message": f.to_string() })).collect();
        let value =
            json!({ "objects": seen.objects, "bytes": seen.bytes, "snapshots": seen.snapshots, "findings": findings });
        terminal.line(&value.to_string());
    } else {
        seen.findings.iter().for_each(|finding| terminal.line(&finding.to_string()));
        let read = format!(
            "read the records, {} ({}) and {}",
            counted(seen.objects, "object"),
            bytes(seen.bytes),
            counted(seen.snapshots, "snapshot")
        );
        let found = match seen.findings.len() {
            0 => "all as written".to_owned(),
            n => format!("{} found. {mend}", plural(n, "fault")),
        };
        terminal.line(&format!("{read}: {found}"));
    }
    if seen.findings.is_empty() { Exit::Done } else { Exit::No }
}

pub(super) async fn gc(args: &Backend, folder: &Path, yes: bool, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let Some(freed) = local::gc(folder, !yes).await? else { return Err(NOTHING.into()) };
    let verb = if yes { "removed" } else { "would remove" };
    let count = counted(freed.objects, "object");
    let hint = if yes || freed.objects == 0 { "" } else { "; --yes removes them" };
    let text = format!("{verb} {count}, {}{hint}", bytes(freed.bytes));
    say(args, terminal, &text, &json!({ "objects": freed.objects, "bytes": freed.bytes, "removed": yes }));
    Ok(Exit::Done)
}

pub(super) async fn restore(
    args: &Backend,
    folder: &Path,
    name: Option<&str>,
    yes: bool,
    terminal: &Terminal,
) -> Result<Exit, Box<dyn Error>> {
    let chosen = local::snapshot_to_restore(folder, name).await?;
    let lacks = match chosen.lost {
        0 => String::new(),
        lost => format!(" ({} of its objects are gone: what they were is made again)", lost),
    };
    let question = format!("Put the snapshot {}{lacks} in the place of the records?", chosen.name);
    if !yes && !Terminal::confirmed(&question) {
        return Err(unconfirmed("nothing was changed"));
    }
    let restored = local::restore(folder, Some(&chosen.name), Timestamp::now()).await?;
    let aside =
        restored.replaced.as_deref().map_or_else(String::new, |path| format!("; what was there is {}", shown(path)));
    let text = format!("the records are those of {}{lacks}{aside}", restored.from);
    say(args, terminal, &text, &json!({ "from": restored.from, "replaced": restored.replaced }));
    Ok(Exit::Done)
}
