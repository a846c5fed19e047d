//! The command line of dataset-report, checked as a whole: every fault in it is told at once (actions.md 5.1).
//! Nothing is opened here; only words are looked at.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::args::{self, OptionSpec, bad_argument, flag, value};
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;

use super::profile::Profile;

/// What a run was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) pattern: String,
    pub(super) output_dir: PathBuf,
    /// What is told of columns besides truth values.
    pub(super) detail: bool,
    pub(super) compat: Compat,
}

#[derive(Debug)]
pub(super) enum Asked {
    Help,
    Version,
    Run(Options),
}

const SPECS: &[OptionSpec] = &[
    value("--input-files"),
    value("--output-dir"),
    flag("--detail"),
    Compat::OPTION,
    flag("--version"),
    flag("--help"),
    flag("-h"),
];

pub(super) fn help() -> &'static str {
    "\
Make an HTML page about the columns of each file: their types and sizes, and how often each value of a yes-or-no column
occurs

Usage: dataset-report --input-files PATTERN --output-dir DIR

Options:
      --input-files PATTERN   The files, such as 'output/input_*.csv.gz'; * ? [ab] [!ab] stand for parts of one name.
                              Files end in .csv, .csv.gz, .feather, .arrow, .dta or .dta.gz
      --output-dir DIR        Where the pages go; made if it does not exist. output/input.csv becomes DIR/input.html:
                              the name up to its first dot
      --detail                Tell more of each column: the most frequent values of texts, deciles of numbers, counts
                              by month of dates [default in v1]
      --compat safe|original|original-2022
                              Bring back habits of the original program, on dummy data only [default: safe]
      --version               Print name, profile and program version
  -h, --help                  Print this help

What protects patients:
  Counts are rounded to the nearest 5, and counts of 7 or fewer are hidden. If a hidden count could be worked out from the
  rest of the page, larger counts are hidden too. Sizes are those of a rounded number of rows.

Columns that are summarised: truth values; in csv files also numbers that are all 0 or 1. patient_id never is.

Example:
  dataset-report --input-files output/input.csv.gz --output-dir output
"
}

/// Reads the arguments. The warnings are to be said whatever the result. `dummy` is whether no patient can be disclosed.
pub(super) fn read(
    args: &[OsString],
    profile: &Profile,
    variable: Option<&OsStr>,
    dummy: bool,
) -> (Result<Asked, Vec<Fault>>, Vec<String>) {
    let mut parsed = args::parse(args, SPECS);
    if parsed.given("--help") || parsed.given("-h") {
        return (Ok(Asked::Help), Vec::new());
    }
    if parsed.given("--version") {
        return (Ok(Asked::Version), Vec::new());
    }
    let warnings = std::mem::take(&mut parsed.warnings);
    let mut faults = std::mem::take(&mut parsed.faults);
    for extra in &parsed.positionals {
        let fault = bad_argument(format!("'{}' belongs to no option", extra.display()));
        faults.push(fault.help("a pattern goes after --input-files; in a shell, put it in quotes"));
    }
    let mut wrong = |message: &str| faults.push(bad_argument(message));
    let pattern = match parsed.value("--input-files").map(OsStr::to_str) {
        Some(Some("")) => {
            wrong("--input-files is empty");
            None
        }
        Some(Some(pattern)) => Some(pattern.to_owned()),
        Some(None) => {
            wrong("--input-files is not UTF-8");
            None
        }
        None => {
            wrong("--input-files is missing: the pattern of the files to report on");
            None
        }
    };
    let output_dir = match parsed.value("--output-dir") {
        Some(dir) if !dir.is_empty() => Some(PathBuf::from(dir)),
        Some(_) => {
            wrong("--output-dir needs the name of a folder");
            None
        }
        None => {
            wrong("--output-dir is missing: the folder for the pages");
            None
        }
    };
    let compat = Compat::asked(&parsed, variable, &mut faults);
    if compat.is_original() && !dummy {
        let message = "--compat original is refused here: its exact sizes would tell how many patients there are";
        let fault = Fault::new(FaultCode::CompatRefused, Exit::Arguments, message);
        faults.push(fault.help("leave --compat out; on dummy data it may be used"));
    }
    let detail = profile.detail || parsed.given("--detail");
    match (pattern, output_dir) {
        (Some(pattern), Some(output_dir)) if faults.is_empty() => {
            (Ok(Asked::Run(Options { pattern, output_dir, detail, compat })), warnings)
        }
        _ => (Err(faults), warnings),
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::resolve;
    use super::*;

    fn options(version: &str, args: &[&str], dummy: bool) -> Result<Options, Vec<FaultCode>> {
        let profile = resolve(Some(version)).unwrap_or_else(|fault| panic!("{fault}")).profile;
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        match read(&args, profile, None, dummy).0 {
            Ok(Asked::Run(options)) => Ok(options),
            Ok(_) => Err(Vec::new()),
            Err(faults) => Err(faults.iter().map(|fault| fault.code).collect()),
        }
    }

    #[test]
    fn words_mean_what_argparse_takes_them_for() {
        let expected = Options {
            pattern: "a/*.csv".to_owned(),
            output_dir: PathBuf::from("out"),
            detail: false,
            compat: Compat::Safe,
        };
        for args in [
            &["--input-files", "a/*.csv", "--output-dir", "out"] as &[&str],
            &["--output=out", "--input=a/*.csv"],
            &["--input-files=x", "--output-dir", "out", "--input-files", "a/*.csv"],
        ] {
            assert_eq!(options("v0.0.29", args, false), Ok(expected.clone()), "{args:?}");
        }
        assert!(options("v1", &["--input=a", "--output=b"], false).is_ok_and(|options| options.detail));
        assert!(options("v0.0.1", &["--input=a", "--output=b", "--detail"], false).is_ok_and(|options| options.detail));
    }

    #[test]
    fn faults_come_together() {
        use FaultCode::{BadArgument, BadConfig, CompatRefused};
        let faults = options("v0.0.29", &["x.csv", "--compat=new", "--config", "{\"a\":1}"], true).unwrap_err();
        assert_eq!(faults, [BadConfig, BadArgument, BadArgument, BadArgument, BadArgument]);
        assert_eq!(options("v0.0.29", &["--input=", "--output="], true).unwrap_err().len(), 2);
        for word in ["original", "original-2022"] {
            let args = ["--input=a", "--output=b", "--compat", word];
            assert!(options("v0.0.29", &args, true).is_ok());
            assert_eq!(options("v0.0.29", &args, false), Err(vec![CompatRefused]));
        }
        assert!(options("v0.0.29", &["--input=a", "--output=b", "--compat=safe"], false).is_ok());
    }
}
