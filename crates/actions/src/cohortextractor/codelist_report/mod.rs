//! `generate_codelist_report`: how often the codes of a list are used, per code, week and practice (actions.md 8).
//! Without data the rows are invented; a folder of tables can stand in for a backend's.

mod codelist;
mod count;
mod dummy;
#[cfg(test)]
mod model;
mod options;
mod period;
mod privacy;
mod snomed;
mod tables;
mod write;

use std::ffi::OsString;

use crate::args::bad_argument;
use crate::context::Ambient;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::{about, warn};
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use options::{Asked, Source};
use write::Practices;

/// Codes that are warned of one by one.
const SHOWN: usize = 20;

pub(crate) fn run(args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    let read = options::of(args);
    read.warnings.iter().for_each(|warning| warn(context.stderr, warning));
    match read.asked? {
        None => context.say(&super::help::codelist_report()),
        Some(asked) => make(&asked, context, ambient),
    }
}

fn make(asked: &Asked, context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    has_rows(asked, context, ambient).map_err(|fault| vec![fault])?;
    let workspace = Workspace::new(context.cwd).map_err(|fault| vec![fault])?;
    let found = codelist::open(&workspace, &asked.codelist).map_err(|fault| vec![fault])?;
    spare_the_codelist(asked, &workspace).map_err(|fault| vec![fault])?;
    tell_odd_codes(asked, &found.odd, context);
    let (report, practices) = match &asked.source {
        Source::Unsaid(size) => (dummy::report(&found.list, asked.period, *size), Practices::Dummy),
        Source::Tables(folder) => {
            (tables::report(folder, &found.list, asked, &workspace, context)?, Practices::Numbers)
        }
    };
    write::write(&report, asked.period, practices, &asked.folder, &workspace).map_err(|fault| vec![fault])?;
    let invented = if practices == Practices::Dummy { "; the numbers are invented" } else { "" };
    context.log(&format!("wrote the four files of the report to {}{invented}", asked.folder.display()));
    Ok(())
}

/// Rows are invented, or read from a folder without filters, only where there is no data of patients.
fn has_rows(asked: &Asked, context: &Context<'_>, ambient: &Ambient) -> Result<(), Fault> {
    let refused = |message: &str| Fault::new(FaultCode::DatabaseUnavailable, Exit::Database, message);
    if !context.is_dummy() {
        return Err(refused("this version of cloister cannot make codelist reports from the data of a backend")
            .help("run it on dummy data: `cloister run` on a laptop, or a backend whose data are dummy"));
    }
    if ambient.database_url.is_some() && matches!(asked.source, Source::Unsaid(_)) {
        return Err(refused("DATABASE_URL names a database, and this version of cloister cannot connect to one")
            .help("unset it to get invented numbers, or give --dummy-tables DIR"));
    }
    Ok(())
}

/// No result may replace the file it is made from.
fn spare_the_codelist(asked: &Asked, workspace: &Workspace) -> Result<(), Fault> {
    let codelist = workspace.identify(&asked.codelist);
    match write::paths(&asked.folder).iter().find(|path| workspace.identify(path) == codelist) {
        None => Ok(()),
        Some(path) => {
            let message = format!("the codelist {} has the name of a file that the report makes", path.display());
            Err(bad_argument(message).help("name another folder with --output-dir"))
        }
    }
}

fn tell_odd_codes(asked: &Asked, odd: &[(u64, String)], context: &mut Context<'_>) {
    let name = asked.codelist.display();
    for (line, code) in odd.iter().take(SHOWN) {
        let words = "is no SNOMED identifier (6 to 18 digits, the last one a check digit); no event can have it";
        warn(context.stderr, &format!("{name}:{line}: '{code}' {words}"));
    }
    if odd.len() > SHOWN {
        let more = about((odd.len() - SHOWN) as u64);
        warn(context.stderr, &format!("{name}: {more} more codes are no SNOMED identifiers"));
    }
}
