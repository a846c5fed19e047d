//! cohortextractor: study definitions into files of patients, those into measures, and codelists into counts.
//! Spec study-definitions.md 9, 11, 12; actions.md 2, 3.7, 8.

mod codelist_report;
mod cohort;
mod commands;
mod dates;
mod dump;
mod help;
mod measures;
mod names;
mod options;
mod params;
mod place;
mod record;
mod studies;
mod study;
mod uses;

use std::ffi::{OsStr, OsString};

use crate::args::{self, bad_argument, flag, value};
use crate::context::Ambient;
use crate::fault::{Exit, Fault, FaultCode};
use crate::{Context, Outcome};

use commands::Command;

pub use measures::Era;
pub use studies::{StudyFile, check_studies};
pub use study::{StudyCommand, Which, study};

pub(crate) const NAME: &str = "cohortextractor";
/// Name and revision of what every version runs as.
pub(crate) const PROFILE: (&str, u32) = ("v1", 1);

/// What stands before a command.
const OWN: &[args::OptionSpec] = &[flag("--version"), flag("--help"), flag("-h"), flag("--verbose"), value("--compat")];

pub(crate) fn run(version: Option<&str>, args: &[OsString], context: &mut Context<'_>, ambient: &Ambient) -> Outcome {
    if let Some(version) = version.filter(|version| !exists(version)) {
        let message = format!("{NAME} has no version '{version}'");
        let fault = Fault::new(FaultCode::UnknownVersion, Exit::Arguments, message);
        return Err(vec![fault.help("write `latest`, `v1` or a version that begins with `v1.`")]);
    }
    let (own, rest) = args.split_at(before_command(args));
    let parsed = args::parse(own, OWN);
    let text = if parsed.given("--help") || parsed.given("-h") || args.is_empty() {
        help::overview()
    } else if parsed.given("--version") {
        let (name, revision) = PROFILE;
        format!("v1 ({NAME}, profile {name} revision {revision}, cloister {})\n", env!("CARGO_PKG_VERSION"))
    } else if !parsed.faults.is_empty() {
        return Err(parsed.faults);
    } else if let Some((command, rest)) = rest.split_first() {
        let command = Command::of(command).map_err(|fault| vec![fault])?;
        // `--compat` may stand anywhere (actions.md 2.4); one behind the command wins, being the last.
        let before = parsed.value("--compat").map(|compat| [OsStr::new("--compat="), compat].into_iter().collect());
        let words: Vec<OsString> = before.into_iter().chain(rest.iter().cloned()).collect();
        return commands::run(command, &words, context, ambient);
    } else {
        help::overview()
    };
    context.say(&text)
}

/// How many words stand before the command. What follows a command belongs to it.
fn before_command(args: &[OsString]) -> usize {
    let mut at = 0;
    while let Some(arg) = args.get(at).filter(|arg| arg.as_encoded_bytes().starts_with(b"-")) {
        at += if arg == "--compat" { 2 } else { 1 };
    }
    at.min(args.len())
}

/// Any version of the first generation, and the names that move.
fn exists(version: &str) -> bool {
    let numbers = version.strip_suffix("-pre").unwrap_or(version).strip_prefix("v1");
    let dotted = |rest: &str| {
        rest.is_empty()
            || rest.strip_prefix('.').is_some_and(|rest| {
                rest.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            })
    };
    matches!(version, "latest" | "dev") || numbers.is_some_and(dotted)
}

/// A command that the original had and this program refuses in words.
fn refused(message: impl Into<String>, help: &str) -> Vec<Fault> {
    vec![bad_argument(message).help(help)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_the_first_generation_exists() {
        for version in ["v1", "v1.2", "v1.89.0", "v1.2-pre", "latest", "dev"] {
            assert!(exists(version), "{version}");
        }
        for version in ["v2", "v10", "v0.1", "1", "v1.", "v1.a", "v1..2", "", "v"] {
            assert!(!exists(version), "{version}");
        }
    }
}
