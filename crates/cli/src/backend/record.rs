//! What an operator does to the record of a backend: a new epoch, a new key, the line after a conflict, a workspace that was
//! moved, and what left. Spec protocol.md 1, 2, 3.2, 7.4, 9 (d).

use std::error::Error;
use std::path::Path;

use backend::line::ground::System;
use backend::log::ContinueAt;
use backend::settings::Settings;
use backend::upkeep::OpenReason;
use backend::{agent, upkeep};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jobs::WorkspaceName;
use jobs::local::Desk;
use pipeline::report::visible;
use serde_json::{Value, json};

use super::args::{Backend, NewEpochReason};
use super::{operator, say, unconfirmed};
use crate::exit::Exit;
use crate::terminal::Terminal;

pub(super) type Done = Result<Exit, Box<dyn Error>>;

pub(super) fn threads() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The desk of the backend, to write down who and why; none without a why.
pub(super) async fn desk(args: &Backend, state: &Path) -> Result<Desk, Box<dyn Error>> {
    if args.why.trim().is_empty() {
        return Err("error: say with --why what this is for; it stays in the record".into());
    }
    let none = || format!("error: no backend has run with the state folder {}", visible(&state.to_string_lossy()));
    Ok(Desk::of_backend(state, operator(&args.why)).await?.ok_or_else(none)?)
}

/// Writes down what is about to be done to the record of a backend, which must be stopped.
async fn noted(args: &Backend, settings: &Settings, did: &str, what: Value) -> Result<(), Box<dyn Error>> {
    let desk = desk(args, &settings.folders.state).await?;
    if desk.runs() {
        desk.close().await?;
        return Err("error: the backend runs: stop it first, and start it again afterwards".into());
    }
    desk.note(did, what).await?;
    Ok(desk.close().await?)
}

pub(super) fn new_epoch(
    args: &Backend,
    file: &Path,
    reason: NewEpochReason,
    (continue_at, site_epoch): (Option<u64>, Option<u64>),
    yes: bool,
    terminal: &Terminal,
) -> Done {
    let settings = Settings::read(file)?;
    let from = match (continue_at, site_epoch) {
        (Some(seq), _) => ContinueAt::Common(seq.try_into()?),
        (None, Some(site)) => ContinueAt::Nowhere { site: site.try_into()? },
        (None, None) => ContinueAt::Head,
    };
    let (reason, word) = match reason {
        NewEpochReason::Restored => (OpenReason::Restored, "restored"),
        NewEpochReason::NewKey => (OpenReason::NewKey, "new_key"),
    };
    if !yes && !Terminal::confirmed("Begin a new chain of what this backend tells?") {
        return Err(unconfirmed("no epoch was opened"));
    }
    threads()?.block_on(async {
        let what = json!({ "reason": word, "continue_at": continue_at, "site_epoch": site_epoch });
        noted(args, &settings, "new_epoch", what).await?;
        let epoch = upkeep::new_epoch(&settings, &System, reason, from).await?;
        let text = format!(
            "epoch {epoch} is open here; the next start offers it to the site, whose staff confirm it on the page of {}",
            settings.slug
        );
        say(args, terminal, &text, &json!({ "epoch": epoch }));
        Ok(Exit::Done)
    })
}

pub(super) fn rotate_key(args: &Backend, file: &Path, terminal: &Terminal) -> Done {
    let settings = Settings::read(file)?;
    threads()?.block_on(async {
        noted(args, &settings, "rotate_key", json!({})).await?;
        let identity = agent::rotate_key(&settings, &System).await?;
        let (key, words) = (identity.signing_key()?.id().to_string(), identity.fingerprint().to_owned());
        let text = format!("from now on {key} signs; its words are: {words}");
        say(args, terminal, &text, &json!({ "key": key, "words": words }));
        Ok(Exit::Done)
    })
}

pub(super) fn resume_line(args: &Backend, file: &Path, terminal: &Terminal) -> Done {
    let settings = Settings::read(file)?;
    threads()?.block_on(async {
        noted(args, &settings, "resume_line", json!({})).await?;
        let stopped = upkeep::resume_line(&settings).await?;
        let text = if stopped { "the line goes on at the next start" } else { "the line was not stopped" };
        say(args, terminal, text, &json!({ "was_stopped": stopped }));
        Ok(Exit::Done)
    })
}

/// The state folder, which these commands need.
pub(super) fn state(args: &Backend) -> Result<&Path, Box<dyn Error>> {
    let missing = "error: say with --state which backend: the folder that its settings name";
    Ok(args.state.as_deref().ok_or(missing)?)
}

pub(super) fn rebind(args: &Backend, workspace: &str, terminal: &Terminal) -> Done {
    let state = state(args)?;
    let workspace: WorkspaceName = workspace.parse()?;
    threads()?.block_on(async {
        let desk = desk(args, state).await?;
        let bound = desk.rebind(&workspace).await?;
        desk.close().await?;
        let none = || format!("error: the workspace {workspace} is bound to nothing: no request was planned in it");
        let bound = bound.ok_or_else(none)?;
        let before = [bound.repo_url.as_deref(), bound.project.as_deref()].map(Option::unwrap_or_default);
        let text = format!("{workspace} was bound to {} of {}; the next request binds it anew", before[0], before[1]);
        let value = json!({ "workspace": workspace, "repo_url": bound.repo_url, "project": bound.project });
        say(args, terminal, &text, &value);
        Ok(Exit::Done)
    })
}

/// A day, from its beginning in UTC, or a moment.
pub(super) fn moment(text: &str) -> Result<Timestamp, Box<dyn Error>> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day = text.parse::<Date>().map_err(|_| {
        format!("error: `{}` is no day and no moment; write 2027-03-04 or 2027-03-04T09:15:00Z", visible(text))
    })?;
    Ok(day.to_zoned(TimeZone::UTC)?.timestamp())
}

pub(super) fn egress(args: &Backend, since: Option<&str>, bodies: bool, terminal: &Terminal) -> Done {
    let state = state(args)?;
    let since = since.map(moment).transpose()?.map_or(i64::MIN, |since| since.as_microsecond());
    threads()?.block_on(async {
        let mut shown = 0u64;
        let count = upkeep::egress(state, |sent| {
            if sent.at.microseconds() < since {
                return;
            }
            shown += 1;
            let body = String::from_utf8_lossy(&sent.bytes);
            if args.json {
                let mut value = json!({ "seq": sent.seq, "at": sent.at, "call": sent.call, "bytes": sent.bytes.len(), "hash": sent.hash });
                if let (true, Some(value)) = (bodies, value.as_object_mut()) {
                    value.insert("body".to_owned(), json!(body));
                }
                terminal.line(&value.to_string());
                return;
            }
            let line = format!("{:>6}  {}  {:>8} bytes  {}", sent.seq, sent.at, sent.bytes.len(), sent.call);
            terminal.line(&visible(&line));
            if bodies && !body.is_empty() {
                terminal.line(&format!("        {}", visible(&body)));
            }
        })
        .await?;
        if !args.json {
            terminal.note(&format!("{shown} of {count} messages; the chain is whole"));
        }
        Ok(Exit::Done)
    })
}
