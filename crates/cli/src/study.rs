//! `cloister study`: one study definition at a time. Spec study-definitions.md 12.

use std::error::Error;

use actions::{StudyCommand, Which};

use crate::args::{Global, Study, StudyWhich, StudyWords};
use crate::exit::Exit;
use crate::recorder;
use crate::terminal::Terminal;

pub(crate) fn study(args: &Study, global: &Global, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let cwd = std::env::current_dir()?;
    let fence = || recorder::fence(false, global, terminal);
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    let mut context = actions::Context::by_hand(&cwd, &mut out, &mut err);
    context.fence = &fence;
    Ok(Exit::Other(actions::study(&command(&args.command), &mut context)))
}

fn command(words: &StudyWords) -> StudyCommand {
    match words.clone() {
        StudyWords::Record { which: of, out } => StudyCommand::Record { which: which(of), out },
        StudyWords::Check { which: of, json } => StudyCommand::Check { which: which(of), json },
        StudyWords::Explain { which: of, json } => StudyCommand::Explain { which: which(of), json },
        StudyWords::Run { recording, data, out, index_date } => {
            StudyCommand::Run { recording, data, out, index_dates: index_date }
        }
        StudyWords::Tables { which: of, out, population, seed, mess } => {
            StudyCommand::Tables { which: which(of), out, patients: population, seed, mess }
        }
    }
}

fn which(words: StudyWhich) -> Which {
    Which { name: words.name, params: words.param, index_date_range: words.index_date_range }
}
