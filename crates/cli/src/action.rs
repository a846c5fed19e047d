//! `cloister action`: a built-in action on files of this folder, without a sandbox. Spec cli.md 1, actions.md 2.5.

use std::error::Error;
use std::ffi::OsString;

use crate::args::{Action, Global};
use crate::check::settings;
use crate::exit::Exit;
use crate::recorder;
use crate::terminal::Terminal;

pub(crate) fn action(args: &Action, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
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
    let in_a_job = args.project_version.is_some();
    let fence = || recorder::fence(in_a_job, global, terminal);
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    // In a job the setting was read before, and comes as a word.
    let era = match &args.era {
        None if args.project_version.is_none() => {
            settings(global, Some(&cwd), terminal)?.one("cohortextractor.era").map(str::to_owned)
        }
        given => given.clone(),
    };
    let mut context = actions::Context::by_hand(&cwd, &mut out, &mut err);
    context.era = era.as_deref().and_then(actions::Era::of).unwrap_or_default();
    if let Ok(backend) = std::env::var("OPENSAFELY_BACKEND") {
        context.backend = backend;
    }
    context.project_version = args.project_version;
    context.waived_sql = args.waived_sql.as_ref().map(|files| files.split(',').map(str::to_owned).collect());
    context.evidence.clone_from(&args.evidence);
    context.fence = &fence;
    Ok(Exit::Other(actions::run(name, &rest, &mut context)))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::{Cli, Command};

    #[test]
    fn a_study_cannot_say_where_evidence_goes() {
        let of = |words: &[&str]| match Cli::try_parse_from(["cloister", "action"].iter().chain(words)).unwrap().command
        {
            Some(Command::Action(action)) => (action.evidence, action.words),
            other => panic!("{other:?}"),
        };
        let (evidence, words) = of(&["--evidence", "a", "dataset-report", "--evidence", "b", "--evidence=c"]);
        assert_eq!(evidence, Some("a".into()));
        assert_eq!(words, ["dataset-report", "--evidence", "b", "--evidence=c"]);
        let (evidence, words) = of(&["dataset-report:v1", "--evidence", "b"]);
        assert_eq!((evidence, words.len()), (None, 3));
    }
}
