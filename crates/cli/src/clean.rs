//! `cloister clean`: what killed runs left behind. Spec cli.md 9. Never outputs, logs or codelists.

use std::error::Error;

use jobs::local::{self, Extent};
use sandbox::Native;

use crate::args::Clean;
use crate::env;
use crate::exit::Exit;
use crate::project::{self, shown};
use crate::terminal::Terminal;
use crate::words::bytes;

pub(crate) fn clean(args: &Clean, terminal: &Terminal) -> Result<Exit, Box<dyn Error>> {
    let found = project::find(args.project_dir.as_deref(), terminal)?;
    if (args.state || args.all) && !args.dry_run && !args.yes && !confirmed(args) {
        terminal.error("error: nothing was removed; confirm with --yes");
        return Ok(Exit::No);
    }
    let extent = if args.state { Extent::State } else { Extent::Remains };
    let mut cleaned = local::clean(&found.folder, &env::runs_folder()?, &Native::default(), extent, args.dry_run)?;
    if args.all
        && let Some(cache) = runtimes::default_cache_dir()
    {
        // Only what we make there: the folder may hold more.
        let ours = runtimes::CACHED.into_iter().chain([crate::reusable::CACHED]).map(|name| cache.join(name));
        for folder in ours.filter(|folder| folder.is_dir()) {
            let size = local::size(&folder);
            match if args.dry_run { Ok(()) } else { sandbox::folder::remove_tree(&folder).map(drop) } {
                Ok(()) => cleaned.removed.push((folder, size)),
                Err(error) => cleaned.problems.push(error.to_string()),
            }
        }
    }
    commands(args.dry_run, &mut cleaned)?;
    let word = if args.dry_run { "would remove" } else { "removed" };
    for (path, size) in &cleaned.removed {
        terminal.line(&format!("{word} {} ({})", shown(path), bytes(*size)));
    }
    for problem in &cleaned.problems {
        terminal.error(&format!("error: {problem}"));
    }
    let total: u64 = cleaned.removed.iter().map(|(_, size)| size).sum();
    match (cleaned.removed.len(), args.dry_run) {
        (0, _) => terminal.line("nothing to remove"),
        (_, true) => terminal.line(&format!("{} would be freed", bytes(total))),
        (_, false) => terminal.line(&format!("{} freed", bytes(total))),
    }
    Ok(if cleaned.problems.is_empty() { Exit::Done } else { Exit::No })
}

/// What killed commands of `exec` left.
fn commands(dry_run: bool, cleaned: &mut local::Cleaned) -> Result<(), Box<dyn Error>> {
    let Some(runs) = runtimes::default_cache_dir().map(|cache| cache.join("exec")).filter(|runs| runs.is_dir()) else {
        return Ok(());
    };
    for folder in sandbox::interactive::left_overs(&runs, true)? {
        let size = local::size(&folder);
        cleaned.removed.push((folder, size));
    }
    if !dry_run {
        sandbox::interactive::left_overs(&runs, false)?;
    }
    Ok(())
}

/// Asks, where there is somebody to ask.
fn confirmed(args: &Clean) -> bool {
    let what = match (args.state, args.all) {
        (true, true) => "all records of this project and the runtimes of this machine",
        (true, false) => "all records of this project: the next run makes everything anew",
        _ => "the runtimes of this machine: they are fetched again when needed",
    };
    Terminal::confirmed(&format!("Remove {what}?"))
}
