//! `cloister exec`: one command in a runtime, on this folder, in this terminal. Spec cli.md 8.

mod folder;

use std::error::Error;
use std::io::IsTerminal;
use std::path::Path;

use pipeline::report::visible;
use runtimes::{Found, Program};
use sandbox::interactive::{self, Interactive, Network};
use sandbox::{Limits, Native, NativeOptions, Runtime};

use crate::args::{Exec, Global};
use crate::check::settings;
use crate::env;
use crate::exit::Exit;
use crate::settings::{Settings, size};
use crate::terminal::Terminal;

const LEAST_MEMORY: u64 = 64 << 20;
const PROCESSES: u32 = 4096;

pub(crate) fn exec(args: &Exec, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let here = std::env::current_dir()?;
    let settings = settings(global, Some(&here), terminal)?;
    let prepared = limits(args, &settings, &here).and_then(|limits| Ok((limits, user(args)?, variables(args)?)));
    let (limits, user, variables) = match prepared {
        Ok(prepared) => prepared,
        Err(unusable) => {
            terminal.error(&format!("error: {unusable}"));
            return Ok(Exit::Usage);
        }
    };
    if let Some(refused) = folder::refused(&here) {
        return Err(refused.into());
    }
    let Some((image, rest)) = args.words.split_first() else { return Ok(Exit::Usage) };
    let reference = env::reference(image);
    let found = runtimes::locate(&reference, &env::options(&settings, global, Some(&here), None)?)
        .map_err(|missing| format!("error[{}]: {missing}", missing.code))?;
    if let Some(lack) = actions::lacks(&reference.name, rest) {
        return Err(format!("error[X206]: {reference}: {}", visible(&lack)).into());
    }
    isolated()?;
    env::warn(found.located(), terminal);
    let program = match found {
        Found::Ready(program) => program,
        Found::Build(plan) => env::build(&reference, &plan, terminal)?,
    };
    let argv = match &args.entrypoint {
        Some(entrypoint) => std::iter::once(entrypoint.clone()).chain(rest.iter().cloned()).collect(),
        None => program.argv(rest),
    };
    let network = if args.allow_network { Network::Host } else { Network::Off };
    if args.verbose {
        say(&program, &argv, &here, network, terminal);
    }
    let runs = runtimes::default_cache_dir().ok_or(env::NoCache)?.join("exec");
    sweep(&runs);
    let env = environment(&program, variables);
    let what = Interactive { root: program.root, argv, env, project: here, runs, limits, network, user };
    // The supervisor has this process from here on, and with it the terminal and the exit code.
    let error = interactive::exec(what, &NativeOptions::default());
    Err(format!("error: the sandbox could not be started: {error}").into())
}

/// Removes what killed commands left.
pub(crate) fn sweep(runs: &Path) {
    if runs.is_dir() {
        // The next command, or `clean`, tries again.
        let _ = interactive::left_overs(runs, false);
    }
}

/// What the machine lacks is told before anything starts.
fn isolated() -> Result<(), String> {
    let missing: Vec<String> = Native::default()
        .probe()
        .missing()
        .map(|(name, why)| format!("\n  {name}: {}", why.replace('\n', "\n    ")))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("error[X204]: this machine cannot shut the command in:{}", missing.concat()))
}

fn limits(args: &Exec, settings: &Settings, here: &Path) -> Result<Limits, String> {
    let memory = args.memory.as_deref().or_else(|| settings.one("run.memory")).unwrap_or_default();
    let bytes = size(memory).filter(|bytes| *bytes >= LEAST_MEMORY);
    let bytes =
        bytes.ok_or_else(|| format!("--memory {}: write a size of at least 64M, such as 4G", visible(memory)))?;
    let cpus = args.cpus.or_else(|| settings.one("run.cpus")?.parse().ok()).filter(|cpus| *cpus > 0);
    let cpus = cpus.ok_or("--cpus: write a whole number from 1")?;
    let disk = rustix::fs::statvfs(here).map_or(u64::MAX, |about| about.f_bavail.saturating_mul(about.f_frsize));
    Ok(Limits { memory: bytes, cpus, processes: PROCESSES, disk, files: u64::MAX, time: None, log: 0 })
}

/// `root`, `job`, `1000` or `1000:1000`.
fn user(args: &Exec) -> Result<(u32, u32), String> {
    let Some(text) = &args.user else { return Ok(interactive::USER) };
    let id = |text: &str| match text {
        "root" => Some(0),
        "job" => Some(interactive::USER.0),
        // The last number means nobody to the kernel.
        number => number.parse().ok().filter(|id| *id < u32::MAX),
    };
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    id(user).zip(id(group)).ok_or_else(|| {
        format!("--user {}: a runtime has only the users root and job; write one of these or a number", visible(text))
    })
}

/// The variables of `-e`; one without a value is taken from here, or not at all.
fn variables(args: &Exec) -> Result<Vec<(String, String)>, String> {
    let mut given = Vec::new();
    for text in &args.env {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text.as_str(), std::env::var(text).ok()),
        };
        if name.is_empty() || text.contains('\0') {
            return Err(format!("--env {}: write NAME=VALUE", visible(text)));
        }
        given.extend(value.map(|value| (name.to_owned(), value)));
    }
    Ok(given)
}

/// The runtime's own variables, those of every job, and those that were given, which win.
fn environment(program: &Program, given: Vec<(String, String)>) -> Vec<(String, String)> {
    let own = [("HOME", "/tmp"), ("OPENSAFELY_BACKEND", "expectations")];
    let mut env = program.env.clone();
    env.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    if std::io::stdout().is_terminal()
        && let Ok(term) = std::env::var("TERM")
    {
        env.push(("TERM".to_owned(), term));
    }
    // Of a person's own variables only this one is meant for built-in actions (actions.md 2.4).
    if let Ok(compat) = std::env::var("CLOISTER_ACTION_COMPAT") {
        env.push(("CLOISTER_ACTION_COMPAT".to_owned(), compat));
    }
    env.retain(|(name, _)| given.iter().all(|(other, _)| other != name));
    env.extend(given);
    env
}

fn say(program: &Program, argv: &[String], here: &Path, network: Network, terminal: &Terminal) {
    let command = pipeline::quote_command(argv);
    let network = match network {
        Network::Off => "off",
        Network::Host => "this machine's",
    };
    terminal.error(&format!(
        "runtime  {}\ncommand  {}\nfolder   {} as /workspace\nnetwork  {network}",
        visible(&program.located.title),
        visible(&command),
        visible(&here.display().to_string()),
    ));
}
