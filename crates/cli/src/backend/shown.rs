//! Jobs, attempts and modes as lines or as JSON. Spec jobs.md 21.

use jiff::Timestamp;
use jobs::JobState;
use jobs::local::Overview;
use jobs::state::{Act, Flag, Job, PastAttempt};
use pipeline::report::visible;
use serde_json::{Value, json};

use super::args::Backend;
use crate::terminal::Terminal;
use crate::words::plural;

/// `2026-01-02 03:04:05` in UTC.
pub(super) fn second(at: i64) -> String {
    Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn value(job: &Job) -> Value {
    json!({
        "job": job.id,
        "request": job.request,
        "workspace": job.definition.workspace,
        "action": job.definition.action,
        "state": job.state(),
        "code": job.status.code,
        "reason": job.status.reason,
        "message": job.status.message,
        "attempts": job.attempts,
        "needs": job.pins.iter().map(|pin| &pin.action).collect::<Vec<_>>(),
        "created_at": job.times.created_at,
        "started_at": job.times.started_at,
        "completed_at": job.times.completed_at,
        "next_try_at": job.next_try_at,
        "cancel_requested_at": job.cancel_requested_at,
    })
}

fn line(job: &Job) -> String {
    let since = job.times.completed_at.or(job.times.started_at).unwrap_or(job.times.created_at);
    let cancelling =
        if job.cancel_requested_at.is_some() && job.state().is_active() { ", being cancelled" } else { "" };
    let (action, message) = (visible(job.definition.action.as_str()), visible(&job.status.message));
    format!("{}  {:<24} {:<24} {}  {message}{cancelling}", job.id, action, job.status.code.as_str(), second(since))
}

/// ` by uid 0: disk swap`.
fn by(act: &Act) -> String {
    let why = if act.by.why.is_empty() { String::new() } else { format!(": {}", visible(&act.by.why)) };
    format!(" by {}{why}", visible(&act.by.who))
}

fn modes(seen: &Overview, acts: &[Act]) -> Vec<String> {
    let set = |flag: &Flag| acts.iter().find(|act| act.did == "flag" && act.what["name"] == *flag.name);
    let line =
        |flag: &Flag| format!("{} since {}{}", flag.name, second(flag.since), set(flag).map(by).unwrap_or_default());
    seen.flags.iter().map(line).collect()
}

pub(super) fn status(args: &Backend, seen: &Overview, acts: &[Act], terminal: &Terminal) {
    if args.json {
        let flags: Vec<_> =
            seen.flags.iter().map(|f| json!({ "flag": f.name, "value": f.value, "since": f.since })).collect();
        let open: Vec<_> = seen.open.iter().map(value).collect();
        let wish = seen.wish.as_deref().and_then(|wish| serde_json::from_str::<Value>(wish).ok());
        let mut value = json!({ "runs": seen.runs, "modes": flags, "jobs": open });
        if wish.is_some() {
            value["wish"] = json!(wish);
        }
        if let Some(notice) = seen.notice.as_deref().and_then(|notice| serde_json::from_str::<Value>(notice).ok()) {
            value["notice"] = notice;
        }
        terminal.line(&value.to_string());
        return;
    }
    for mode in modes(seen, acts) {
        terminal.line(&mode);
    }
    let running = seen.open.iter().filter(|job| job.state() == JobState::Running).count();
    let waiting = seen.open.len() - running;
    if let Some(wish) = &seen.wish {
        terminal.line(&format!("the site's staff wish: {}", visible(wish)));
    }
    if let Some(notice) = &seen.notice {
        terminal.line(&format!("the site says: {}", visible(notice)));
    }
    let counts = || format!("{} running, {waiting} waiting", plural(running, "job"));
    let how = match (seen.runs, seen.open.is_empty()) {
        (true, _) if seen.is_backend => format!("the backend runs: {}", counts()),
        (false, _) if seen.is_backend => {
            format!("the backend is down; when it comes back it goes on with {}", counts())
        }
        (true, _) => format!("a run goes on here: {}", counts()),
        (false, true) => "no run goes on here".to_owned(),
        (false, false) => {
            format!(
                "no run goes on here; a killed one left {}, which the next one cancels",
                plural(seen.open.len(), "job")
            )
        }
    };
    terminal.line(&how);
    seen.open.iter().for_each(|job| terminal.line(&line(job)));
}

pub(super) fn jobs(args: &Backend, newest: &[Job], terminal: &Terminal) {
    if args.json {
        terminal.line(&json!(newest.iter().map(value).collect::<Vec<_>>()).to_string());
        return;
    }
    newest.iter().for_each(|job| terminal.line(&line(job)));
}

pub(super) fn job(args: &Backend, job: &Job, attempts: &[PastAttempt], acts: &[Act], terminal: &Terminal) {
    let id = job.id.to_string();
    let of_it = |act: &&Act| act.what["job"] == id || act.what["request"] == job.request.to_string();
    if args.json {
        let attempts: Vec<_> = attempts
            .iter()
            .map(|a| {
                json!({ "attempt": a.id, "owner": a.owner, "started_at": a.started_at, "ended_at": a.ended_at,
                    "code": a.ended_as, "reason": a.reason, "exit_code": a.exit_code })
            })
            .collect();
        let mut value = value(job);
        value["history"] = json!(attempts);
        let acts = acts.iter().filter(of_it);
        value["operators"] = json!(
            acts.map(|a| json!({ "at": a.at, "who": a.by.who, "why": a.by.why, "did": a.did })).collect::<Vec<_>>()
        );
        terminal.line(&value.to_string());
        return;
    }
    terminal.line(&line(job));
    terminal.line(&format!("  command   {}", visible(&job.definition.words.join(" "))));
    terminal.line(&format!("  request   {}", job.request));
    for pin in &job.pins {
        terminal.line(&format!("  reads     {} of job {}", visible(pin.action.as_str()), pin.job));
    }
    for attempt in attempts {
        let ended = attempt.ended_at.map_or_else(|| "now".to_owned(), second);
        let code = attempt.ended_as.as_deref().unwrap_or("running");
        let reason = attempt.reason.as_deref().map_or_else(String::new, |reason| format!(" ({reason})"));
        terminal.line(&format!(
            "  attempt   {}  {} to {ended}  {code}{reason}",
            attempt.id,
            second(attempt.started_at)
        ));
    }
    for act in acts.iter().filter(of_it) {
        let at = act.at.get(..19).unwrap_or_default().replace('T', " ");
        terminal.line(&format!("  operator  {at}  {}{}", visible(&act.did), by(act)));
    }
}
