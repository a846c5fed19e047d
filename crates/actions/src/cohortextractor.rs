//! The cohortextractor command as far as this version has it: its version and its help.
//! Studies use `cohortextractor:latest --version` as an action that does nothing (study-definitions.md 11).

use std::ffi::OsString;

use crate::args::{self, bad_argument, flag, value};
use crate::fault::{Exit, Fault, FaultCode};
use crate::{Context, Outcome};

pub(crate) const NAME: &str = "cohortextractor";

const HELP: &str = "\
Extract patients by a study definition

Usage: cohortextractor [--version] [--help]

Options:
      --version  Print a line with the version and end
  -h, --help     Print this help and end

This version of cloister has no engine for study definitions yet: generate_cohort, generate_measures and the
other commands are refused.

Example, an action of a project.yaml that only checks that actions run:
  run: cohortextractor:latest --version
";

pub(crate) fn run(version: Option<&str>, args: &[OsString], context: &mut Context<'_>) -> Outcome {
    if let Some(version) = version.filter(|version| !exists(version)) {
        let message = format!("{NAME} has no version '{version}'");
        let fault = Fault::new(FaultCode::UnknownVersion, Exit::Arguments, message);
        return Err(vec![fault.help("write `latest`, `v1` or a version that begins with `v1.`")]);
    }
    // What follows a command belongs to that command, so it is not looked at.
    let own = args.iter().take_while(|arg| arg.as_encoded_bytes().starts_with(b"-")).cloned().collect::<Vec<_>>();
    let parsed = args::parse(&own, &[flag("--version"), flag("--help"), flag("-h"), value("--compat")]);
    let text = if parsed.given("--help") || parsed.given("-h") || args.is_empty() {
        HELP.to_owned()
    } else if parsed.given("--version") {
        format!("v1 ({NAME}, profile v1 revision 1, cloister {})\n", env!("CARGO_PKG_VERSION"))
    } else if let Some(command) = args.get(own.len()) {
        let message = format!(
            "this version of cloister has no engine for study definitions, so '{}' cannot run",
            command.display()
        );
        let fault = Fault::new(FaultCode::NoEngine, Exit::Data, message);
        return Err(vec![fault.help(format!("only {NAME} --version and --help work"))]);
    } else if parsed.faults.is_empty() {
        return Err(vec![bad_argument("no command given").help("--help lists what works")]);
    } else {
        return Err(parsed.faults);
    };
    context.stdout.write_all(text.as_bytes()).map_err(|error| vec![Fault::writing("to stdout", &error)])
}

/// The command among these arguments, none of which this version can run. What follows a command belongs to it.
pub(crate) fn command(args: &[String]) -> Option<&str> {
    args.iter().map(String::as_str).find(|arg| !arg.starts_with('-'))
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

#[cfg(test)]
mod tests {
    use super::exists;

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
