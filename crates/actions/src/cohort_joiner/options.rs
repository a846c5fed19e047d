//! The command line of cohort-joiner, checked as a whole: every fault in it is told at once (actions.md 4.1).
//! Nothing is opened here; only words are looked at.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::args::{self, OptionSpec, Parsed, bad_argument, flag, value};
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;

use super::profile::{Duplicates, Names, Profile};

/// What a run was asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) lhs: String,
    pub(super) rhs: String,
    /// `None`: beside each input.
    pub(super) output_dir: Option<PathBuf>,
    pub(super) duplicates: Duplicates,
    pub(super) gzip_level: u32,
    pub(super) quiet: bool,
    pub(super) json: bool,
    pub(super) compat: Compat,
}

pub(super) enum Asked {
    Help,
    Version,
    Run(Box<Options>),
}

const DEFAULT_OUTPUT_DIR: &str = "output/joined";
const DEFAULT_GZIP_LEVEL: u32 = 4;
/// Characters of patterns.
const GLOB: &[char] = &['*', '?', '[', ']'];

/// What the original has, so that prefixes mean what they mean there.
const PUBLISHED: &[OptionSpec] = &[value("--lhs"), value("--rhs"), value("--output-dir"), flag("--help"), flag("-h")];
/// Cloister's own, known only when written out.
const OWN: &[OptionSpec] = &[
    value("--rhs-duplicates"),
    value("--gzip-level"),
    value("--log-format"),
    flag("--quiet"),
    flag("--version"),
    Compat::OPTION,
];

pub(super) fn help() -> String {
    format!(
        "\
Add the columns of one file to many others, by patient_id

Usage: cohort-joiner --lhs PATTERN --rhs FILE [OPTIONS]

Options:
      --lhs PATTERN           The files to add to, such as 'output/input_20*.csv.gz'; * ? [ab] [!ab] stand for parts
                              of one name. Each gives one result of the same name and format
      --rhs FILE              The file whose columns are added
      --output-dir DIR        Where the results go; made if it does not exist. It may not be the folder of an input
                              [default: {DEFAULT_OUTPUT_DIR}]
      --rhs-duplicates warn|error|multiply
                              What to do when --rhs has a patient_id more than once: let rows multiply and say so,
                              end with a fault, or let them multiply in silence [default: warn; v1: error]
      --gzip-level 1-9        How hard to compress .csv.gz and .dta.gz [default: {DEFAULT_GZIP_LEVEL}]
      --quiet                 Say nothing about how many rows matched
      --log-format text|json  How to say it [default: text]
      --compat safe|original|original-2022
                              Bring back habits of the original program [default: safe]
      --version               Print name, profile and program version
  -h, --help                  Print this help

Formats, by the end of a name: .csv .csv.gz .feather .arrow .dta .dta.gz. The two sides may differ.

Every row of the left file stays, in its order. It gets the columns of the right row with the same patient_id; of
several such rows each, in their order; of none blanks. Columns that both sides have become name_x (left) and name_y
(right). Whole numbers are the same patient_id however they are written (7, 007, 7.0); a blank one matches nothing.
Values are carried as they are: 0042 stays 0042, NA stays NA.

Example:
  cohort-joiner --lhs 'output/input_20*.csv.gz' --rhs output/input_ethnicity.csv.gz --output-dir output/joined
"
    )
}

fn specs(args: &[OsString]) -> Vec<OptionSpec> {
    let written = |spec: &&OptionSpec| {
        args.iter().any(|arg| arg.as_bytes().split(|b| *b == b'=').next() == Some(spec.name.as_bytes()))
    };
    PUBLISHED.iter().chain(OWN.iter().filter(written)).copied().collect()
}

/// Reads the arguments; `variable` is that of `Compat`. The warnings are to be said whatever the result.
pub(super) fn read(
    args: &[OsString],
    profile: &Profile,
    variable: Option<&OsStr>,
) -> (Result<Asked, Vec<Fault>>, Vec<String>) {
    let mut parsed = args::parse(args, &specs(args));
    if parsed.given("--help") || parsed.given("-h") {
        return (Ok(Asked::Help), Vec::new());
    }
    if parsed.given("--version") {
        return (Ok(Asked::Version), Vec::new());
    }
    let mut warnings = std::mem::take(&mut parsed.warnings);
    let mut faults = std::mem::take(&mut parsed.faults);
    for extra in &parsed.positionals {
        let fault = bad_argument(format!("'{}' belongs to no option", extra.display()));
        faults.push(fault.help("a pattern goes after --lhs; in a shell, put it in quotes"));
    }
    let lhs = text(&parsed, "--lhs", "the pattern of the files to add columns to", &mut faults);
    let rhs = text(&parsed, "--rhs", "the file whose columns are added", &mut faults);
    let output_dir = match parsed.value("--output-dir") {
        Some(dir) if dir.is_empty() => {
            faults.push(bad_argument("--output-dir needs the name of a folder"));
            None
        }
        Some(dir) => Some(PathBuf::from(dir)),
        None => (!profile.beside).then(|| PathBuf::from(DEFAULT_OUTPUT_DIR)),
    };
    if profile.rhs == Names::Plain {
        let dir = output_dir.as_deref().and_then(|dir| dir.to_str());
        let named = [("--rhs", rhs.as_deref()), ("--output-dir", dir)];
        faults.extend(named.into_iter().filter_map(|(option, name)| no_pattern(option, name?)));
    }
    if profile.beside && output_dir.is_some() {
        warnings
            .push("X203: this version of the published cohort-joiner has no --output-dir; it is heeded here".into());
    }
    let duplicates = [("warn", Duplicates::Warn), ("error", Duplicates::Error), ("multiply", Duplicates::Multiply)];
    let duplicates = choice(&parsed, "--rhs-duplicates", profile.duplicates, &duplicates, &mut faults);
    let json = choice(&parsed, "--log-format", false, &[("text", false), ("json", true)], &mut faults);
    let levels: Vec<String> = (1..=9).map(|level| level.to_string()).collect();
    let levels: Vec<(&str, u32)> = levels.iter().map(String::as_str).zip(1..).collect();
    let gzip_level = choice(&parsed, "--gzip-level", DEFAULT_GZIP_LEVEL, &levels, &mut faults);
    let compat = Compat::asked(&parsed, variable, &mut faults);
    let quiet = parsed.given("--quiet");
    match (lhs, rhs) {
        (Some(lhs), Some(rhs)) if faults.is_empty() => {
            let options = Options { lhs, rhs, output_dir, duplicates, gzip_level, quiet, json, compat };
            (Ok(Asked::Run(Box::new(options))), warnings)
        }
        _ => (Err(faults), warnings),
    }
}

/// A name that later versions refuse, because the original would have taken it for a pattern.
pub(super) fn no_pattern(what: &str, name: &str) -> Option<Fault> {
    name.contains(GLOB).then(|| {
        let message = format!("{what} {name} holds one of * ? [ ]");
        let fault = Fault::new(FaultCode::GlobNotAllowed, Exit::Arguments, message);
        fault.help("write the name of one file or folder, without characters of patterns")
    })
}

fn text(parsed: &Parsed, name: &str, what: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let fault = match parsed.value(name).map(OsStr::to_str) {
        Some(Some("")) => format!("{name} is empty: {what}"),
        Some(Some(text)) => return Some(text.to_owned()),
        Some(None) => format!("{name} is not UTF-8"),
        None => format!("{name} is missing: {what}"),
    };
    faults.push(bad_argument(fault));
    None
}

fn choice<T: Copy>(parsed: &Parsed, name: &str, fallback: T, table: &[(&str, T)], faults: &mut Vec<Fault>) -> T {
    let Some(given) = parsed.value(name) else { return fallback };
    match table.iter().find(|(word, _)| OsStr::new(word) == given) {
        Some((_, choice)) => *choice,
        None => {
            let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
            let fault = bad_argument(format!("{name} cannot be '{}'", given.display()));
            faults.push(fault.help(format!("choose from {}", words.join(", "))));
            fallback
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::resolve;
    use super::*;

    fn options(version: &str, args: &[&str]) -> Result<Options, Vec<String>> {
        let profile = resolve(Some(version)).unwrap_or_else(|fault| panic!("{version}: {fault}")).profile;
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        match read(&args, profile, None).0 {
            Ok(Asked::Run(options)) => Ok(*options),
            Ok(_) => Err(Vec::new()),
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn prefixes_mean_what_they_mean_in_the_original() {
        let found = options("v0.0.44", &["--l", "a*", "--r=b", "--out", "c"]).unwrap();
        assert_eq!((found.lhs.as_str(), found.rhs.as_str(), found.output_dir), ("a*", "b", Some("c".into())));
        let found = options("v0.0.44", &["--lhs", "a*", "--rhs", "b", "--rhs-duplicates=multiply"]).unwrap();
        assert_eq!((found.duplicates, found.output_dir), (Duplicates::Multiply, Some("output/joined".into())));
        assert_eq!(options("v0.0.2", &["--lhs=a", "--rhs=b"]).unwrap().output_dir, None);
    }

    #[test]
    fn faults_come_together() {
        let args = ["x", "--rhs=", "--compat=new", "--gzip-level=0", "--config", "{}", "--output-dir="];
        assert_eq!(options("v0.0.58", &args).unwrap_err().len(), 7);
        assert_eq!(options("v0.0.58", &["--lhs=a[b]", "--rhs=b*", "--output-dir=o]"]).unwrap_err().len(), 2);
        assert!(options("v0.0.47", &["--lhs=a[b]", "--rhs=b*", "--output-dir=o]"]).is_ok());
    }
}
