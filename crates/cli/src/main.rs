//! The `cloister` program: arguments in, calls down, words out. Each command is one file.

mod action;
mod args;
mod check;
mod clean;
mod codelists;
mod env;
mod exec;
mod exit;
mod info;
mod interrupt;
mod logs;
mod plan;
mod planning;
mod project;
mod run;
mod settings;
mod terminal;
mod unzip;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    if sandbox::entry::is_supervisor_call(std::env::args_os()) {
        return sandbox::entry::run();
    }
    terminal::report_bugs();
    match std::panic::catch_unwind(dispatch) {
        Ok(exit) => exit.into(),
        Err(_) => Exit::Bug.into(),
    }
}

fn dispatch() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(fault) => {
            let exit = if fault.use_stderr() { Exit::Usage } else { Exit::Done };
            return if fault.print().is_ok() { exit } else { Exit::Done };
        }
    };
    let terminal = Terminal::new(&cli.global);
    let Some(command) = cli.command else {
        return match <Cli as clap::CommandFactory>::command().print_help() {
            Ok(()) => Exit::Done,
            Err(_) => Exit::No,
        };
    };
    let global = &cli.global;
    let result = match command {
        Command::Check(args) => check::check(&args, global, &terminal),
        Command::Run(args) => run::run(&args, global, &terminal),
        Command::Plan(args) => plan::plan(&args, global, &terminal),
        Command::Codelists(args) => {
            interrupt::ends_the_program();
            codelists::codelists(&args, global, &terminal)
        }
        Command::Exec(args) => exec::exec(&args, global, &terminal),
        Command::Logs(args) => logs::logs(&args, &terminal),
        Command::Clean(args) => clean::clean(&args, &terminal),
        Command::Env(args) => env::env(&args, global, &terminal),
        Command::Info(args) => info::info(&args, global, &terminal),
        Command::Unzip(args) => {
            let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
            Ok(Exit::Other(unzip::run(&args.path, args.force, &mut out, &mut err)))
        }
        Command::Schema(args) => check::schema(&args, &terminal),
        Command::Action(args) => action::action(&args, &terminal),
    };
    match result {
        Ok(exit) => exit,
        Err(trouble) => {
            terminal.error(&plain(&trouble.to_string()));
            if global.debug {
                let mut cause = trouble.source();
                while let Some(deeper) = cause {
                    terminal.error(&plain(&format!("  caused by: {deeper}")));
                    cause = deeper.source();
                }
            }
            Exit::No
        }
    }
}

/// What came from a study, a settings file or a database must not command the terminal.
fn plain(text: &str) -> String {
    text.lines().map(pipeline::report::visible).collect::<Vec<_>>().join("\n")
}
