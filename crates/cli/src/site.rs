//! `cloister site`: serves the jobs site, and what its operator does with its data. Spec site.md 2.5, 10, 17.

use std::error::Error;

use ::site::settings::Chosen;
use ::site::{Settings, Site};
use pipeline::report::visible;

use crate::args::{self, SiteCommand};
use crate::exit::Exit;
use crate::log;
use crate::run::signals;
use crate::terminal::Terminal;

pub(crate) fn site(args: &args::Site, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let chosen = Chosen { listen: args.listen, origin: args.origin.clone(), data: args.data.clone() };
    let settings = Settings::read(args.settings.as_deref(), chosen)?;
    if matches!(args.command, SiteCommand::CheckConfig) {
        terminal.line(&format!("sound: {} listens on {}", settings.origin, settings.listen));
        return Ok(Exit::Done);
    }
    if let SiteCommand::Serve { log } = &args.command {
        log::begin(log.as_deref())?;
    }
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = threads.block_on(async {
        let site = Site::open(settings).await?;
        match &args.command {
            SiteCommand::Serve { .. } => return serve(site, terminal).await,
            SiteCommand::Import { file } => return import(&site, file, terminal).await,
            SiteCommand::Rebuild => {
                let made = ::site::facts::rebuild(&site).await?;
                terminal.line(&format!("the tables of jobs are made again from {} facts", made.facts));
            }
            SiteCommand::AuditVerify => {
                let found = ::site::audit::verify(&site.store).await?;
                terminal.line(&format!("all {} records are as they were written, up to {}", found.records, found.head));
            }
            SiteCommand::CheckConfig => {}
        }
        Ok(Exit::Done)
    });
    threads.shutdown_background();
    done
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
