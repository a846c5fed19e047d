//! `cloister site`: serves the jobs site, and what its operator does with its data. Spec site.md 2.5, 10, 17.

pub(crate) mod args;
mod backend;
mod backup;
mod out;
mod permission;
mod place;
mod request;
mod role;
mod token;
mod user;

use std::error::Error;

use ::site::settings::Chosen;
use ::site::{Settings, Site};
use pipeline::report::visible;

use crate::exit::Exit;
use crate::log;
use crate::run::signals;
use crate::terminal::Terminal;
use args::Command;
use out::Out;

pub(crate) fn site(args: &args::Site, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let chosen = Chosen { listen: args.listen, origin: args.origin.clone(), data: args.data.clone() };
    let settings = Settings::read(args.settings.as_deref(), chosen)?;
    if matches!(args.command, Command::CheckConfig) {
        terminal.line(&format!("sound: {} listens on {}", settings.origin, settings.listen));
        return Ok(Exit::Done);
    }
    if let Command::Serve { log } = &args.command {
        log::begin(log.as_deref())?;
    }
    let out = Out { terminal, json: args.json };
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = threads.block_on(dispatch(&args.command, settings, &out));
    threads.shutdown_background();
    done.map_err(|error| if error.to_string().starts_with("error") { error } else { Box::new(Told(error)) })
}

/// What a room below says, in the form of all errors of this program.
#[derive(Debug)]
struct Told(Box<dyn Error>);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: {}", self.0)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

async fn dispatch(command: &Command, settings: Settings, out: &Out<'_>) -> Result<Exit, Box<dyn Error>> {
    match command {
        Command::Backup { dir, verify: true, name, .. } => {
            return backup::verify(&settings, dir, name.as_deref(), out).await.map(|()| Exit::Done);
        }
        Command::Backup { dir, keep, .. } => {
            return backup::make(&settings, dir, *keep, out).await.map(|()| Exit::Done);
        }
        Command::Restore { dir, name } => {
            return backup::restore(&settings, dir, name.as_deref(), out).await.map(|()| Exit::Done);
        }
        _ => {}
    }
    // A wrong folder must not become a new, empty site.
    if !matches!(command, Command::Serve { .. } | Command::Import { .. }) && !settings.database().is_file() {
        let why =
            format!("error: there is no site in {}: name the folder of its data with --data", settings.data.display());
        return Err(why.into());
    }
    let site = Site::open(settings).await?;
    match command {
        Command::Serve { .. } => return serve(site, out.terminal).await,
        Command::Import { file } => return import(&site, file, out.terminal).await,
        Command::Rebuild => {
            let made = ::site::facts::rebuild(&site).await?;
            let words = format!("the tables of jobs are made again from {} facts", made.facts);
            out.said(&words, &serde_json::json!({"facts": made.facts, "not_applied": made.apart}));
        }
        Command::AuditVerify => {
            let found = ::site::audit::verify(&site.store).await?;
            let words = format!("all {} records are as they were written, up to {}", found.records, found.head);
            out.said(&words, &serde_json::json!({"records": found.records, "head": found.head}));
        }
        Command::User(command) => user::user(&site, command, out).await?,
        Command::Role(command) => role::role(&site, command, out).await?,
        Command::Token(command) => token::token(&site, command, out).await?,
        Command::Org(command) => place::org(&site, command, out).await?,
        Command::Project(command) => place::project(&site, command, out).await?,
        Command::Workspace(command) => place::workspace(&site, command, out).await?,
        Command::Permission(command) => permission::permission(&site, command, out).await?,
        Command::Backend(command) => backend::backend(&site, command, out).await?,
        Command::Request(command) => request::request(&site, command, out).await?,
        Command::Cancel { request, actions, reason } => request::cancel(&site, request, actions, reason, out).await?,
        Command::CheckConfig | Command::Backup { .. } | Command::Restore { .. } => {}
    }
    Ok(Exit::Done)
}

async fn serve(site: ::site::Opened, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let ending = || signals::say("ending: what has begun is finished within 10 seconds (once more: at once)");
    let (mut stop, came) = signals::listen(ending)?;
    if let Some(link) = ::site::people::codes::setup_link(&site).await? {
        terminal.line("Nobody can sign in yet. Within 30 minutes, make the first administrator here:");
        terminal.line(&format!("  {link}"));
    }
    let origin = site.settings.origin.clone();
    let ready = |address| terminal.line(&format!("{origin} listens on {address}"));
    let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
    ::site::serve(site, ready, stopped).await?;
    Ok(came.exit_code().map_or(Exit::Done, Exit::Other))
}

async fn import(site: &Site, file: &std::path::Path, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("error: {}: {error}", file.display()))?;
    let report = ::site::import::import(site, &text).await?;
    for refused in &report.refused {
        terminal.error(&format!("{}:{}: {}", file.display(), refused.line, visible(&refused.cause.to_string())));
    }
    terminal.line(&format!(
        "{} requests and {} jobs taken in, {} lines known before, {} refused",
        report.requests,
        report.jobs,
        report.known,
        report.refused.len()
    ));
    Ok(if report.refused.is_empty() { Exit::Done } else { Exit::No })
}
