//! `cloister demo`: a site, two backends, studies and people in this process. Spec site.md 17, protocol.md 12.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use demo::{Asked, Options, Told};

use crate::args::{Demo, Global, Studies};
use crate::exit::Exit;
use crate::log;
use crate::online;
use crate::run::signals;
use crate::terminal::Terminal;

pub(crate) fn demo(args: &Demo, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    log::begin(args.log.as_deref())?;
    let options = Options {
        listen: args.listen.unwrap_or_else(usual),
        below: runtimes::default_cache_dir().ok_or(crate::env::NoCache)?.join("demo"),
        machine: online::machine(global, terminal)?,
        runtime: Arc::new(online::isolation()?),
        asked: match args.studies {
            Studies::One => Asked::One,
            Studies::All => Asked::All,
        },
    };
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = threads.block_on(async {
        let ending = || signals::say("ending: jobs are stopped, everything is removed (once more: at once)");
        let (stop, came) = signals::listen(ending)?;
        let told = |told: Told| match told {
            Told::Open { address } => {
                terminal.line(&format!("Cloister's demo is at {address}"));
                terminal.note("Sign in there by picking a person. Ctrl-C ends it and removes everything.");
            }
            Told::Asked { addresses } => {
                terminal.note("Two backends (TPP, EMIS) are connected and have these requests:");
                for address in addresses {
                    terminal.note(&format!("  {address}"));
                }
            }
        };
        demo::run(options, told, stop).await?;
        Ok(came.exit_code().map_or(Exit::Done, Exit::Other))
    });
    // A fetch that does not heed its end must not hold up a person.
    threads.shutdown_background();
    ended
}

/// The port that people expect, or any if it is taken.
fn usual() -> SocketAddr {
    let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if TcpListener::bind(here(8000)).is_ok() { here(8000) } else { here(0) }
}
