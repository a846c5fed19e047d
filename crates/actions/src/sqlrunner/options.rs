//! The command line of sqlrunner, checked as a whole: every fault in it is told at once (actions.md 7.1).
//! Nothing is opened here; only words are looked at.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::args::{self, OptionSpec, bad_argument, flag, value};
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;

use super::profile::Profile;

/// What a run was asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) sql_file: PathBuf,
    pub(crate) dsn: Option<OsString>,
    /// `None` is stdout.
    pub(crate) output: Option<PathBuf>,
    pub(crate) dummy_data_file: Option<PathBuf>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) strict_dummy: bool,
    gzip_level: u32,
    pub(crate) compat: Compat,
}

pub(crate) enum Asked {
    Help,
    Version,
    Run(Options),
}

const DEFAULT_GZIP_LEVEL: u32 = 4;

const COMMON: &[OptionSpec] = &[
    value("--dsn"),
    value("--output"),
    value("--dummy-data-file"),
    value("--log-file"),
    flag("--strict-dummy"),
    value("--gzip-level"),
    Compat::OPTION,
    flag("--version"),
    flag("--help"),
    flag("-h"),
];
const STATISTICS: OptionSpec = flag("--include-statistics");

pub(crate) fn help() -> String {
    format!(
        "\
Run a SQL query of the study and write its rows to a csv file

Usage: sqlrunner [OPTIONS] SQLFILE

Arguments:
  SQLFILE                 The query: T-SQL in UTF-8, at most 1 MiB. It must say how it treats type 1 opt-outs:
                          exclude with Patient_ID NOT IN (SELECT Patient_ID FROM PatientsWithTypeOneDissent),
                          or say why not in a comment: -- reason … AllowedPatientsWithTypeOneDissent

Options:
      --output FILE           Where the rows go; an ending .csv.gz is compressed [default: stdout]
      --dummy-data-file FILE  A csv file whose rows stand in for the database's [default: the header made from
                              the SQL and one row of blanks]
      --strict-dummy          End with a fault when the columns of the dummy data are not those of the query
      --log-file FILE         Where the log lines go as well [default: none]
      --gzip-level 1-9        How hard to compress [default: {DEFAULT_GZIP_LEVEL}]
      --dsn ADDRESS           A database, by hand only [env: DATABASE_URL]; this version has no connector
      --compat safe|original|original-2022
                              Bring back habits of the original program [default: safe]
      --version               Print name, profile and program version
  -h, --help                  Print this help

Example:
  sqlrunner --output output/visits.csv --dummy-data-file analysis/visits.csv analysis/visits.sql
"
    )
}

/// Reads the arguments; `variable` is that of `Compat`. The warnings are to be said whatever the result.
pub(crate) fn read(
    args: &[OsString],
    profile: &Profile,
    in_job: bool,
    variable: Option<&OsStr>,
) -> (Result<Asked, Vec<Fault>>, Vec<String>) {
    let mut specs = COMMON.to_vec();
    if profile.statistics {
        specs.push(STATISTICS);
    }
    let mut parsed = args::parse(args, &specs);
    if parsed.given("--help") || parsed.given("-h") {
        return (Ok(Asked::Help), Vec::new());
    }
    if parsed.given("--version") {
        return (Ok(Asked::Version), Vec::new());
    }
    let mut warnings = std::mem::take(&mut parsed.warnings);
    let mut faults = std::mem::take(&mut parsed.faults);
    if parsed.given(STATISTICS.name) {
        warnings.push("--include-statistics does nothing; remove it".to_owned());
    }
    let mut path = |name: &str| match parsed.value(name) {
        Some(empty) if empty.is_empty() => {
            faults.push(bad_argument(format!("{name} needs the name of a file")));
            None
        }
        given => given.map(PathBuf::from),
    };
    let (output, dummy_data_file, log_file) = (path("--output"), path("--dummy-data-file"), path("--log-file"));
    if log_file.is_some() && log_file == output {
        faults.push(bad_argument("--log-file and --output name the same file"));
    }
    if log_file.is_some() && log_file == dummy_data_file {
        faults.push(bad_argument("--log-file and --dummy-data-file name the same file"));
    }
    let sql_file = sql_file(&parsed.positionals, &mut faults);
    let choice = |name, fallback, table: &[(&str, _)]| match parsed.value(name) {
        None => Ok(fallback),
        Some(given) => {
            table.iter().find(|(word, _)| OsStr::new(word) == given).map(|(_, choice)| *choice).ok_or_else(|| {
                let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
                bad_argument(format!("{name} cannot be '{}'", given.display()))
                    .help(format!("choose from {}", words.join(", ")))
            })
        }
    };
    let levels: Vec<String> = (1..=9).map(|level| level.to_string()).collect();
    let levels: Vec<(&str, u32)> = levels.iter().map(String::as_str).zip(1..).collect();
    let gzip_level = choice("--gzip-level", DEFAULT_GZIP_LEVEL, &levels);
    let dsn = parsed.value("--dsn").map(OsStr::to_owned);
    if in_job && dsn.is_some() {
        let message =
            "--dsn is not allowed in an action: project.yaml is public, and so would be the database's password";
        faults.push(
            Fault::new(FaultCode::DsnInArguments, Exit::Arguments, message)
                .help("remove it; the backend knows its database"),
        );
    }
    if !profile.makes_header && !parsed.given("--dummy-data-file") {
        let message = "this version makes no header from the SQL, so without a database it needs --dummy-data-file";
        faults.push(bad_argument(message).help("give dummy data, or write sqlrunner:latest"));
    }
    let compat = Compat::asked(&parsed, variable, &mut faults);
    let gzip_level = gzip_level.map_err(|fault| faults.push(fault)).unwrap_or_default();
    let (Some(sql_file), true) = (sql_file, faults.is_empty()) else { return (Err(faults), warnings) };
    let options = Options {
        sql_file,
        dsn: dsn.filter(|dsn| !dsn.is_empty()),
        output,
        dummy_data_file,
        log_file,
        strict_dummy: parsed.given("--strict-dummy"),
        gzip_level,
        compat,
    };
    (Ok(Asked::Run(options)), warnings)
}

fn sql_file(positionals: &[OsString], faults: &mut Vec<Fault>) -> Option<PathBuf> {
    match positionals {
        [] => faults.push(bad_argument("no SQL file given").help("--help shows how to call sqlrunner")),
        [only] if only.is_empty() => faults.push(bad_argument("the name of the SQL file is empty")),
        [only] => return Some(PathBuf::from(only)),
        [_, rest @ ..] => {
            for extra in rest {
                let message = format!("'{}' is one argument too many: only one SQL file can be run", extra.display());
                faults.push(bad_argument(message));
            }
        }
    }
    None
}

impl Options {
    /// How hard to compress the output, if its name asks for that.
    pub(crate) fn gzip_level(&self) -> Option<u32> {
        let compressed = |path: &PathBuf| path.as_os_str().as_encoded_bytes().ends_with(b".csv.gz");
        self.output.as_ref().filter(|path| compressed(path)).map(|_| self.gzip_level)
    }
}
