//! `cloister logs`: the log of an action's newest run. Spec cli.md 9.

use std::error::Error;
use std::io::BufRead;

use jobs::log::log_name;
use pipeline::ActionName;
use pipeline::report::visible;
use sandbox::folder::SafeFolder;

use crate::args::Logs;
use crate::exit::Exit;
use crate::planning;
use crate::project;
use crate::terminal::Terminal;

pub(crate) fn logs(args: &Logs, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let found = project::find(args.project_dir.as_deref(), terminal)?;
    let action = ActionName::new(&args.action);
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
    let mut lines = std::io::BufReader::new(file).split(b'\n').collect::<Result<Vec<_>, _>>()?;
    let cut = args.lines.map_or(0, |wanted| lines.len().saturating_sub(wanted));
    for line in lines.drain(cut..) {
        terminal.line(&visible(&String::from_utf8_lossy(&line)));
    }
    Ok(Exit::Done)
}
