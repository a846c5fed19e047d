//! `cloister completions`, and the answers that a shell gets from it: what exists here and now. Spec cli.md 10.
//! An answer is quick, opens no connection, prints no fault: a broken project.yaml has no actions to offer.

use std::error::Error;
use std::ffi::OsStr;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::{CompleteEnv, Shells};

use crate::args::{Completions, Shell};
use crate::env::LISTED;
use crate::exit::Exit;
use crate::project;
use crate::terminal::{Terminal, program};

/// The variable by which a shell's script asks.
const ASKED: &str = "CLOISTER_COMPLETE";

/// Prints the script of a shell.
pub(crate) fn completions(args: &Completions, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let shells = Shells::builtins();
    let shell = shells.completer(args.shell.name()).ok_or("this version knows no such shell")?;
    let mut script = Vec::new();
    shell.write_registration(ASKED, program(), program(), program(), &mut script)?;
    let script = String::from_utf8_lossy(&script).into_owned();
    let name = program();
    if args.shell == Shell::Bash {
        let theirs = format!("-F _clap_complete_{name} ");
        terminal.out(&include_str!("completions/words.bash").replace("NAME", name));
        terminal.out(&script.replace(&theirs, &format!("-F _{name}_words ")));
    } else {
        terminal.out(&script);
    }
    Ok(Exit::Done)
}

/// Answers a shell that asks; `false` if none does.
pub(crate) fn answered(command: fn() -> clap::Command) -> bool {
    if std::env::var_os(ASKED).is_none() {
        return false;
    }
    let here = std::env::current_dir().ok();
    // A shell has no use for a fault: the person sees no suggestion.
    let _ = CompleteEnv::with_factory(command)
        .var(ASKED)
        .bin(program())
        .completer(program())
        .try_complete(std::env::args_os(), here.as_deref());
    true
}

/// Names of actions of the project here, also of one with faults, as far as it can be read.
pub(crate) fn actions() -> Vec<CompletionCandidate> {
    let Ok(found) = project::find(None, &Terminal::silent()) else { return Vec::new() };
    let Some(project) = found.loaded.project.or(found.loaded.partial) else { return Vec::new() };
    project.actions.iter().map(|action| CompletionCandidate::new(action.name.as_str())).collect()
}

/// The same, and what stands for all of them.
pub(crate) fn actions_and_all() -> Vec<CompletionCandidate> {
    let all = CompletionCandidate::new("run_all").help(Some("every action".into()));
    let actions = actions();
    if actions.is_empty() { actions } else { std::iter::once(all).chain(actions).collect() }
}

/// `name:tag` of the runtimes that this program can provide.
pub(crate) fn runtimes() -> Vec<CompletionCandidate> {
    LISTED.iter().map(CompletionCandidate::new).collect()
}

/// Codes of faults.
pub(crate) fn codes() -> Vec<CompletionCandidate> {
    let described = pipeline::explain::codes().map(|code| {
        let title = pipeline::explain::page(code).map(|page| page.title.into());
        CompletionCandidate::new(code).help(title)
    });
    described.chain(codelists::CODES.map(CompletionCandidate::new)).collect()
}

/// The words of `exec`: a runtime, then files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuntimeThenAnything;

impl ValueCompleter for RuntimeThenAnything {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let current = current.to_string_lossy();
        let engines = actions::catalogue().iter().filter(|action| action.engine).map(|action| action.name.to_owned());
        let names = LISTED.iter().map(|name| (*name).to_owned()).chain(engines);
        names.filter(|name| name.starts_with(&*current)).map(CompletionCandidate::new).collect()
    }

    fn complete_at(&self, at: usize, current: &OsStr) -> Vec<CompletionCandidate> {
        if at == 0 { self.complete(current) } else { PathCompleter::any().complete(current) }
    }
}
