//! The `cloister` program: arguments in, calls down, words out. Each command is one file.

mod action;
mod args;
mod backend;
mod check;
mod clean;
mod codelists;
mod completions;
mod demo;
mod env;
mod exec;
mod exit;
mod info;
mod init;
mod interrupt;
mod log;
mod logs;
mod online;
mod plan;
mod planning;
mod project;
mod recorder;
mod reusable;
mod run;
mod schema;
mod settings;
mod site;
mod study;
mod terminal;
mod unzip;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

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
    if completions::answered(named) {
        return Exit::Done;
    }
    let cli = match parsed() {
        Ok(Some(cli)) => cli,
        Ok(None) => return Exit::Done,
        Err(fault) => {
            let exit = if fault.use_stderr() { Exit::Usage } else { Exit::Done };
            return if fault.print().is_ok() { exit } else { Exit::Done };
        }
    };
    let terminal = Terminal::new(&cli.global);
    let Some(command) = cli.command else {
        return match named().print_help() {
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
        Command::Backend(args) => backend::backend(&args, global, &terminal),
        Command::Demo(args) => demo::demo(&args, global, &terminal),
        Command::Site(args) => site::site(&args, &terminal),
        Command::Schema(args) => schema::schema(&args, &terminal),
        Command::Completions(args) => completions::completions(&args, &terminal),
        Command::Init(args) => init::init(&args, &terminal),
        Command::Study(args) => study::study(&args, global, &terminal),
        Command::Action(args) => action::action(&args, global, &terminal),
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

/// The words of the command line; none for what older workflows call and nothing has to be done for.
fn parsed() -> Result<Option<Cli>, clap::Error> {
    let matches = named().try_get_matches()?;
    if matches.subcommand_name() == Some(EXTRACT_STATS) {
        return Ok(None);
    }
    Cli::from_arg_matches(&matches).map(Some)
}

/// A command that did something once, for those who call the program by its older name (spec cli.md 1).
const EXTRACT_STATS: &str = "extract-stats";

/// The command line under the name by which the program was called.
fn named() -> clap::Command {
    let command = Cli::command();
    let name = terminal::program();
    if name == "cloister" {
        return command;
    }
    let rest = clap::Arg::new("rest").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    let nothing = clap::Command::new(EXTRACT_STATS).hide(true).disable_help_flag(true).arg(rest);
    renamed(command.name(name).bin_name(name), name).subcommand(nothing)
}

/// The same help with another name in its examples.
fn renamed(command: clap::Command, name: &str) -> clap::Command {
    let after = command.get_after_help().map(|text| text.to_string().replace("cloister ", &format!("{name} ")));
    let command = match after {
        Some(after) => command.after_help(after),
        None => command,
    };
    command.mut_subcommands(|inner| renamed(inner, name))
}

/// What came from a study, a settings file or a database must not command the terminal.
fn plain(text: &str) -> String {
    text.lines().map(pipeline::report::visible).collect::<Vec<_>>().join("\n")
}
