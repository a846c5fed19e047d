//! A demo from its first folder to its last: everything in one process, in one folder that goes when it ends.
//! Spec protocol.md 12, site.md 17.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backend::agent::Agent;
use backend::orders::Machine;
use sandbox::Runtime;
use site::Site;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::way::InProcess;
use crate::{DemoError, agents, asking, studies, town};

/// What a demo needs of the program that runs it.
pub struct Options {
    /// Where it listens; this machine alone.
    pub listen: SocketAddr,
    /// Where its folder is made; removed with all that is in it when the demo ends.
    pub below: PathBuf,
    /// Where runtimes are found and kept, and the program's own engines.
    pub machine: Machine,
    /// Isolation of the jobs.
    pub runtime: Arc<dyn Runtime>,
    /// What is asked for at the start.
    pub asked: Asked,
}

/// Of which studies requests are made at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// One study, three times: it ends well, takes its time, fails.
    One,
    /// That, and each other study once.
    All,
}

/// What a person at the terminal is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Pages can be opened here.
    Open {
        /// The address of the first page.
        address: String,
    },
    /// The backends are connected and these requests were made.
    Asked {
        /// The address of each, in the order in which they were made.
        addresses: Vec<String>,
    },
}

/// How long backends may take to end their jobs.
const END: Duration = Duration::from_secs(15);

/// Runs a demo until `stop` is true.
///
/// # Errors
/// It cannot begin, or a part of it failed; then all of it ends.
pub async fn run(options: Options, told: impl Fn(Told), mut stop: watch::Receiver<bool>) -> Result<(), DemoError> {
    if !options.listen.ip().is_loopback() {
        return Err(DemoError::NotHere { listen: options.listen });
    }
    let folder = folder(&options.below)?;
    let data = folder.path().to_owned();
    let listen = free(options.listen)?;
    let repositories = data.join("repositories");
    let made = repositories.clone();
    let studies = tokio::task::spawn_blocking(move || {
        studies::names().into_iter().try_for_each(|study| studies::repository(study, &made).map(drop))
    });
    let site = Site::open(town::settings(listen, &data.join("site"))).await?;
    town::remember(&site).await?;
    let town = town::build(&site, &repositories).await?;
    let (ending, ended) = watch::channel(false);
    let mut parts: JoinSet<Result<(), DemoError>> = JoinSet::new();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let (served, mut end) = (site.clone(), ended.clone());
    parts.spawn(async move {
        let ready = move |address| {
            // Nobody waits any more if the demo ended meanwhile.
            let _ = ready.send(address);
        };
        let stopped = async move { drop(end.wait_for(|end| *end).await) };
        Ok(site::serve(served, ready, stopped).await?)
    });
    studies.await.map_err(|fault| DemoError::Fault(fault.to_string()))??;
    if is_ready.await.is_ok() {
        told(Told::Open { address: format!("{}/", site.settings.origin) });
    }
    let way = InProcess(site::router(site.clone()));
    for (id, (slug, _, flavour)) in town.backends.iter().zip(town::BACKENDS) {
        agents::waive(&data, slug, &repositories)?;
        let here = (options.machine.clone(), options.runtime.clone());
        let agent = agents::agent(&site, &way, (*id, slug, flavour), &data, here).await?;
        let ended = ended.clone();
        parts.spawn(async move { Ok(Agent::run(agent, ended).await?) });
    }
    let result = tokio::select! {
        asked = asking::ask(&site, &way, &town, options.asked) => asked.map(|addresses| told(Told::Asked { addresses })),
        Some(part) = parts.join_next() => part.unwrap_or_else(|fault| Err(DemoError::Fault(fault.to_string()))),
        _ = stop.wait_for(|stop| *stop) => Ok(()),
    };
    let result = match result {
        Ok(()) => tokio::select! {
            _ = stop.wait_for(|stop| *stop) => Ok(()),
            Some(part) = parts.join_next() => part.unwrap_or_else(|fault| Err(DemoError::Fault(fault.to_string()))),
        },
        failed => failed,
    };
    ending.send_replace(true);
    // Jobs end first; what does not end in time dies with this process.
    let all = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(END, all).await.is_err() {
        parts.shutdown().await;
    }
    result
}

/// A folder of its own. Those of demos that were killed go first.
fn folder(below: &Path) -> Result<tempfile::TempDir, DemoError> {
    let failed = |source| DemoError::Folder { path: below.to_owned(), source };
    std::fs::create_dir_all(below).map_err(failed)?;
    for old in std::fs::read_dir(below).map_err(failed)?.flatten() {
        let name = old.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix("demo-")?.split('-').next()?.parse::<i32>().ok());
        let lives = owner.is_none_or(|pid| Path::new("/proc").join(pid.to_string()).exists());
        if !lives {
            // What cannot be removed stays for a person to look at.
            let _ = std::fs::remove_dir_all(old.path());
        }
    }
    let prefix = format!("demo-{}-", std::process::id());
    tempfile::Builder::new().prefix(&prefix).tempdir_in(below).map_err(failed)
}

/// The address itself, or with the port that the system gives where 0 is asked for.
fn free(listen: SocketAddr) -> Result<SocketAddr, DemoError> {
    let failed = |source| DemoError::Listen { listen, source };
    std::net::TcpListener::bind(listen).and_then(|socket| socket.local_addr()).map_err(failed)
}
