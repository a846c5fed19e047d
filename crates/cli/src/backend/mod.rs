//! `cloister backend`: the operator's commands, on a study's folder or on the state folder of a backend. Spec jobs.md 21.

pub(crate) mod args;
mod logs;
mod record;
mod serve;
mod shown;
mod upkeep;
mod waiver;

use std::error::Error;
use std::path::Path;

use jobs::local::{Answer, Desk};
use jobs::schedule::{Modes, Weights};
use jobs::state::{Kill, Operator};
use pipeline::ActionName;
use pipeline::report::visible;
use serde_json::json;

use crate::args::Global;
use crate::exit::Exit;
use crate::terminal::Terminal;
use crate::words::plural;
use crate::{env, project};
use args::{Backend, Command, Switch};

pub(crate) fn backend(args: &Backend, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    match &args.command {
        Command::Serve { settings, take_over, log } => {
            crate::log::begin(log.as_deref())?;
            return serve::serve(settings, *take_over, global, terminal);
        }
        Command::Enrol { settings, code } => return serve::enrol(settings, code.as_deref(), terminal),
        Command::NewEpoch { settings, reason, continue_at, site_epoch, yes } => {
            let from = (*continue_at, *site_epoch);
            return record::new_epoch(args, settings, *reason, from, *yes, terminal);
        }
        Command::RotateKey { settings } => return record::rotate_key(args, settings, terminal),
        Command::ResumeLine { settings } => return record::resume_line(args, settings, terminal),
        Command::Egress { since, bodies } => return record::egress(args, since.as_deref(), *bodies, terminal),
        Command::Rebind { workspace } => return record::rebind(args, workspace, terminal),
        Command::Waiver(what) => return waiver::waiver(args, what, terminal),
        _ => {}
    }
    if let Command::Weights { file } = &args.command {
        let lines = Weights::read(file)?.len();
        say(args, terminal, &format!("{}: sound, {lines} weights", file.display()), &json!({ "weights": lines }));
        return Ok(Exit::Done);
    }
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(state) = &args.state {
        return threads.block_on(of_backend(args, state, terminal));
    }
    let folder = project::find(args.project_dir.as_deref(), terminal)?.folder;
    threads.block_on(async {
        match &args.command {
            Command::Snapshot => upkeep::snapshot(args, &folder, terminal).await,
            Command::Verify => upkeep::verify(args, &folder, terminal).await,
            Command::Gc { yes } => upkeep::gc(args, &folder, *yes, terminal).await,
            Command::Restore { snapshot, yes } => {
                upkeep::restore(args, &folder, snapshot.as_deref(), *yes, terminal).await
            }
            _ => at_the_desk(args, &folder, terminal).await,
        }
    })
}

/// The log of the newest job of an action, on until the job ends. False if it never ran.
pub(crate) fn follow(folder: &Path, action: &ActionName, terminal: &Terminal) -> Result<bool, Box<dyn Error>> {
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    threads.block_on(async {
        let Some(desk) = desk(folder, "").await? else { return Ok(false) };
        let job = desk.newest_of(action).await?;
        let told = match job {
            Some(job) => logs::logs(&desk, job, true, false, terminal).await.map(|()| true),
            None => Ok(false),
        };
        desk.close().await?;
        told
    })
}

fn operator(why: &str) -> Operator {
    Operator { who: format!("uid {}", rustix::process::getuid().as_raw()), why: why.to_owned() }
}

async fn desk(folder: &Path, why: &str) -> Result<Option<Desk>, Box<dyn Error>> {
    Ok(Desk::at(folder, &env::runs_folder()?, operator(why)).await?)
}

/// The same commands on the records of a backend.
async fn of_backend(args: &Backend, state: &Path, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    match args.command {
        Command::Snapshot => return upkeep::snapshot_of(args, state, terminal).await,
        Command::Verify => return upkeep::verify_of(args, state, terminal).await,
        Command::Gc { .. } | Command::Restore { .. } => {
            return Err(
                "error: this version removes nothing of a backend's store and restores none of its records".into()
            );
        }
        _ => {}
    }
    let Some(desk) = Desk::of_backend(state, operator(&args.why)).await? else {
        let state = visible(&state.to_string_lossy()).into_owned();
        return Err(format!("error: no backend has run with the state folder {state}").into());
    };
    let exit = act(args, &desk, terminal).await;
    desk.close().await?;
    exit
}

async fn at_the_desk(args: &Backend, folder: &Path, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let Some(desk) = desk(folder, &args.why).await? else { return Err(NOTHING.into()) };
    let exit = act(args, &desk, terminal).await;
    desk.close().await?;
    exit
}

const NOTHING: &str = "error: nothing has run in this folder yet";

async fn act(args: &Backend, desk: &Desk, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    match &args.command {
        Command::Status => shown::status(args, &desk.overview().await?, &desk.acts().await?, terminal),
        Command::Jobs { limit } => shown::jobs(args, &desk.newest(*limit).await?, terminal),
        Command::Job { id } => {
            let id = one("job", id, &desk.jobs_beginning(id).await?)?;
            let (job, attempts) = desk.job(id).await?;
            shown::job(args, &job, &attempts, &desk.acts().await?, terminal);
        }
        Command::Logs { id, follow } => {
            let id = one("job", id, &desk.jobs_beginning(id).await?)?;
            logs::logs(desk, id, *follow, args.json, terminal).await?;
        }
        Command::Pause { to } => set(args, desk, Modes::PAUSED, on(*to, "on"), terminal).await?,
        Command::Maintenance { to } => set(args, desk, Modes::MAINTENANCE, on(*to, Modes::MANUAL), terminal).await?,
        Command::Drain { status: true, .. } => {
            let seen = desk.overview().await?;
            let running = seen.open.iter().filter(|job| job.state() == jobs::JobState::Running).count();
            let ready = seen.modes.draining && (running == 0 || !seen.runs);
            let text = match (ready, seen.modes.draining) {
                (true, _) => "READY".to_owned(),
                (false, false) => "NOT READY: `cloister backend drain` has not been given".to_owned(),
                (false, true) => format!("NOT READY: {} still running", plural(running, "job")),
            };
            say(args, terminal, &text, &json!({ "ready": ready, "running": running, "draining": seen.modes.draining }));
            return Ok(if ready { Exit::Done } else { Exit::No });
        }
        Command::Drain { end: true, .. } => set(args, desk, Modes::DRAINING, None, terminal).await?,
        Command::Drain { yes, .. } => {
            if !yes && !Terminal::confirmed("Stop everything that runs and put it back?") {
                return Err(unconfirmed("nothing was stopped"));
            }
            set(args, desk, Modes::DRAINING, Some("on"), terminal).await?;
        }
        Command::Kill { ids, fail } => {
            let kill = if *fail { Kill::Fail } else { Kill::Retry };
            let mut jobs = Vec::new();
            for id in ids {
                jobs.push(one("job", id, &desk.jobs_beginning(id).await?)?);
            }
            for job in jobs {
                if let (ended, _) = desk.job(job).await?
                    && !ended.state().is_active()
                {
                    return Err(format!("error: job {job} has ended already: {}", ended.status.code).into());
                }
                let (code, answer) = desk.kill(job, kill).await?;
                let text = format!("{job}: {code}, {}", words(answer, "to be ended"));
                say(args, terminal, &text, &json!({ "job": job, "code": code, "told": answer == Answer::Told }));
            }
        }
        Command::Cancel { request, actions } => {
            let request = one("request", request, &desk.requests_beginning(request).await?)?;
            let actions: Vec<_> = actions.iter().map(ActionName::new).collect();
            let (done, answer) = desk.cancel(request, &actions).await?;
            let (ended, marked, before) = (done.ended.len(), done.marked.len(), done.finished.len());
            let text = format!(
                "{ended} cancelled, {marked} running {}, {before} had ended before",
                words(answer, "to be ended")
            );
            let told = answer == Answer::Told;
            let value = json!({ "request": request, "ended": done.ended, "marked": done.marked, "finished": done.finished, "told": told });
            say(args, terminal, &text, &value);
        }
        Command::Serve { .. }
        | Command::Enrol { .. }
        | Command::NewEpoch { .. }
        | Command::RotateKey { .. }
        | Command::ResumeLine { .. }
        | Command::Rebind { .. }
        | Command::Egress { .. }
        | Command::Waiver(_)
        | Command::Weights { .. }
        | Command::Snapshot
        | Command::Verify
        | Command::Gc { .. }
        | Command::Restore { .. } => {}
    }
    Ok(Exit::Done)
}

fn on(to: Switch, value: &'static str) -> Option<&'static str> {
    (to == Switch::On).then_some(value)
}

fn words(answer: Answer, what: &str) -> String {
    match answer {
        Answer::Told => format!("{what}: the run has been told"),
        Answer::Later => format!("{what}: the run, which another account started, notices within a minute"),
        Answer::Noted => format!("{what}: no run goes on here"),
    }
}

async fn set(
    args: &Backend,
    desk: &Desk,
    name: &str,
    value: Option<&str>,
    terminal: &Terminal,
) -> Result<(), Box<dyn Error>> {
    let (flag, answer) = desk.set(name, value).await?;
    let state = if flag.value.is_some() { "on" } else { "off" };
    let when = match (answer, flag.value.is_some()) {
        (Answer::Told, _) => "; the run has been told",
        (Answer::Later, _) => "; the run, which another account started, notices within a minute",
        (Answer::Noted, true) => "; no run goes on here, it holds for the next one",
        (Answer::Noted, false) => "",
    };
    let text = format!("{name}: {state} since {}{when}", shown::second(flag.since));
    say(
        args,
        terminal,
        &text,
        &json!({ "flag": name, "value": flag.value, "since": flag.since, "told": answer == Answer::Told }),
    );
    Ok(())
}

/// The one id that begins so.
fn one<T: Copy + std::fmt::Display>(what: &str, given: &str, found: &[T]) -> Result<T, Box<dyn Error>> {
    let given = visible(given);
    match found {
        [one] => Ok(*one),
        [] => Err(format!("error: no {what} has an id that begins with `{given}`").into()),
        [first, second, ..] => {
            Err(format!("error: several {what}s have ids that begin with `{given}`: {first}, {second}, …").into())
        }
    }
}

/// What is said after a no, or where nobody can be asked.
fn unconfirmed(what: &str) -> Box<dyn Error> {
    if Terminal::can_ask() { what.into() } else { format!("error: {what}; confirm with --yes").into() }
}

/// One answer, as a line or as JSON.
fn say(args: &Backend, terminal: &Terminal, text: &str, value: &serde_json::Value) {
    terminal.line(&if args.json { value.to_string() } else { visible(text).into_owned() });
}
