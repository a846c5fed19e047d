//! `cloister logs`: the log of an action's newest run. Spec cli.md 9.

use std::collections::VecDeque;
use std::error::Error;
use std::io::BufRead;

use jobs::log::{log_name, shown};
use pipeline::ActionName;
use pipeline::report::visible;
use sandbox::folder::SafeFolder;

use crate::args::Logs;
use crate::backend;
use crate::exit::Exit;
use crate::planning;
use crate::project;
use crate::terminal::Terminal;

pub(crate) fn logs(args: &Logs, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let found = project::find(args.project_dir.as_deref(), terminal)?;
    let action = ActionName::new(&args.action);
    let is_known = |project: &pipeline::Project| project.action(&action).is_some();
    if args.follow
        && found.loaded.project.as_ref().is_none_or(is_known)
        && backend::follow(&found.folder, &action, terminal)?
    {
        return Ok(Exit::Done);
    }
    let path = format!("metadata/{}", log_name(&action));
    let file = match SafeFolder::at(&found.folder)?.open(&path) {
        Ok(file) => file,
        Err(error) if error.is_missing() => {
            let name = visible(&args.action);
            let project = found.loaded.project.as_ref().or(found.loaded.partial.as_ref());
            let text = match project {
                Some(project) if project.action(&action).is_none() => {
                    format!("error[X103]: `{name}` is not an action of this project\n{}", planning::valid(project))
                }
                _ => format!("error: {name} has no log: it has not run in this folder yet"),
            };
            return Err(text.into());
        }
        Err(error) => return Err(error.into()),
    };
    let show = |line: Vec<u8>| terminal.line(&shown(&String::from_utf8_lossy(&line)));
    let lines = std::io::BufReader::new(file).split(b'\n');
    let Some(wanted) = args.lines else {
        for line in lines {
            show(line?);
        }
        return Ok(Exit::Done);
    };
    let mut last = VecDeque::new();
    for line in lines {
        last.push_back(line?);
        if last.len() > wanted {
            last.pop_front();
        }
    }
    last.into_iter().for_each(show);
    Ok(Exit::Done)
}
