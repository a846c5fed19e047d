//! `generate_codelist_report`: how often the codes of a list are used, per code, week and practice (actions.md 8).
//! Without data the rows are invented; a folder of tables can stand in for a backend's.

mod codelist;
mod count;
mod dummy;
mod evidence;
#[cfg(test)]
mod model;
mod options;
mod period;
mod snomed;
mod tables;
mod write;

use std::ffi::OsString;

use crate::args::bad_argument;
use crate::context::Ambient;
use crate::evidence::Writer;
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;
use crate::text::{about, warn};
use crate::workspace::Workspace;
use crate::{Context, Outcome};

use codelist::Found;
use options::{Asked, Source};
use write::Practices;

pub(crate) fn run(args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    let read = options::of(args, Compat::variable(context, ambient));
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
    tell_odd_codes(asked, &found, context);
    let (report, practices) = match &asked.source {
        Source::Unsaid(size) => (dummy::report(&found.list, asked.period, *size), Practices::Dummy),
        Source::Tables(folder) => {
            (tables::report(folder, &found.list, asked, &workspace, context)?, Practices::Numbers)
        }
    };
    let place = write::Place { folder: &asked.folder, workspace: &workspace };
    let writer = Writer::of(context, crate::cohortextractor::NAME, crate::cohortextractor::PROFILE);
    // Nobody stands behind invented numbers.
    let writer = writer.filter(|_| report.people.is_some());
    write::write(&report, asked.period, practices, place, writer.as_ref(), context.stderr)
        .map_err(|fault| vec![fault])?;
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

fn tell_odd_codes(asked: &Asked, found: &Found, context: &mut Context<'_>) {
    let name = asked.codelist.display();
    for (line, code) in &found.odd {
        let words = "is no SNOMED identifier (6 to 18 digits, the last one a check digit); no event can have it";
        warn(context.stderr, &format!("{name}:{line}: '{code}' {words}"));
    }
    if found.more_odd > 0 {
        let more = about(found.more_odd);
        warn(context.stderr, &format!("{name}: {more} more codes are no SNOMED identifiers"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a report says and leaves where `backend` is the name of the data and a database stands in the environment.
    fn made(words: &str, backend: &str, database: bool) -> (u8, String, bool) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("tables")).unwrap();
        std::fs::write(folder.path().join("codes.csv"), "code\n22298006\n").unwrap();
        let line = format!("{words} --codelist-path=codes.csv --start-date=2020-01-03 --end-date=2020-01-04");
        let args: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
        let database_url = database.then(|| "mssql://u:secret@host/db".into());
        let ambient = Ambient { database_url, ..Ambient::default() };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut context = Context::by_hand(folder.path(), &mut stdout, &mut stderr);
        context.backend = backend.to_owned();
        context.evidence = Some(folder.path().join("evidence"));
        let exit = crate::run_in("cohortextractor:latest", &args, &mut context, &ambient);
        assert_eq!(folder.path().join("evidence").exists(), exit == 0 && words.contains("tables"), "{words}");
        (exit, String::from_utf8(stderr).unwrap(), folder.path().join("output").exists())
    }

    #[test]
    fn a_database_is_refused_never_answered_with_invented_numbers() {
        for (words, backend, database) in [
            ("generate_codelist_report", "tpp", false),
            ("generate_codelist_report --dummy-tables=tables", "tpp", true),
            ("generate_codelist_report --compat=original", "tpp", false),
            ("generate_codelist_report", "expectations", true),
        ] {
            let (exit, stderr, left) = made(words, backend, database);
            assert!(exit == 5 && stderr.starts_with("error[database_unavailable]"), "{words}: {stderr}");
            assert!(!left && !stderr.contains("secret"), "{stderr}");
        }
        assert_eq!(made("generate_codelist_report", "expectations", false).0, 0);
        assert_eq!(made("generate_codelist_report --dummy-tables=tables", "expectations", true).0, 0);
    }

    #[test]
    fn compat_may_stand_before_the_command() {
        let (exit, stderr, _) = made("--compat new generate_codelist_report", "expectations", false);
        assert!(exit == 2 && stderr.contains("--compat cannot be 'new'"), "{stderr}");
        assert_eq!(made("--compat new generate_codelist_report --compat safe", "expectations", false).0, 0);
    }
}
