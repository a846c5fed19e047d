//! `cloister action`: a built-in action on files of this folder, without a sandbox. Spec cli.md 1, actions.md 2.5.

use std::error::Error;
use std::ffi::OsString;

use crate::args::Action;
use crate::exit::Exit;
use crate::terminal::Terminal;

pub(crate) fn action(args: &Action, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let Some((name, rest)) = args.words.split_first().filter(|(name, _)| !name.starts_with('-')) else {
        terminal.line("usage: cloister action NAME[:TAG] [ARG...]\n\nbuilt-in actions of this version:");
        for action in actions::catalogue().iter().filter(|action| action.engine) {
            terminal.line(&format!("  {:<16} {}", action.name, action.summary));
        }
        let asked = args.words.first().is_some_and(|word| word == "--help" || word == "-h");
        return Ok(if asked { Exit::Done } else { Exit::Usage });
    };
    let rest: Vec<OsString> = rest.iter().map(OsString::from).collect();
    let cwd = std::env::current_dir()?;
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    let mut context = actions::Context::by_hand(&cwd, &mut out, &mut err);
    context.project_version = args.project_version;
    context.fence = &crate::recorder::fence;
    Ok(Exit::Other(actions::run(name, &rest, &mut context)))
}
