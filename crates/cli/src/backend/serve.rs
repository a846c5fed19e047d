//! `cloister backend serve` and `enrol`: the agent beside the data. Spec protocol.md 2; jobs.md 9.

use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use backend::agent::{Agent, Start};
use backend::identity;
use backend::line::ground::System;
use backend::line::https::Https;
use backend::settings::Settings;

use crate::args::Global;
use crate::exit::Exit;
use crate::online;
use crate::run::signals;
use crate::terminal::Terminal;

pub(super) fn serve(
    file: &Path,
    take_over: bool,
    global: &Global,
    terminal: &Terminal,
) -> Result<Exit, Box<dyn Error>> {
    let settings = Settings::read(file)?;
    let (machine, runtime) = (online::machine(global, terminal)?, Arc::new(online::isolation()?));
    let way = Arc::new(Https::new(&settings.site)?);
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = threads.block_on(async {
        let ending =
            || signals::say("ending: running jobs live on, the next start takes them over (once more: at once)");
        let (stop, came) = signals::listen(ending)?;
        let start = Start { take_over, ..Start::default() };
        let agent = Agent::open(&settings, way, machine, runtime, start).await?;
        terminal.line(&format!("the backend {} asks {} for orders", settings.slug, settings.site.url));
        agent.run(stop).await?;
        Ok(came.exit_code().map_or(Exit::Done, Exit::Other))
    });
    threads.shutdown_background();
    done
}

pub(super) fn enrol(file: &Path, code: Option<&str>, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let settings = Settings::read(file)?;
    let code = match code {
        Some(code) => code.to_owned(),
        None => {
            terminal.note("The one-time code that the site shows for this backend:");
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            line
        }
    };
    let code = code.trim().parse().map_err(|bad| format!("error: {bad}\n  = help: the site's staff make a new one"))?;
    let way = Https::new(&settings.site)?;
    std::fs::create_dir_all(&settings.folders.state)?;
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let state = &settings.folders.state;
    let enrolled = identity::enrol(&way, &System, &settings.site.url, state, &settings.slug, code);
    let identity = threads.block_on(enrolled)?;
    terminal.line(&format!("{} is enrolled. Its words are:", settings.slug));
    terminal.line(&format!("  {}", identity.fingerprint()));
    terminal.note("Compare them with those at the site; its staff confirm the backend only if they are the same.");
    Ok(Exit::Done)
}
