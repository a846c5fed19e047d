//! The command line of deciles-charts, checked as a whole: every fault in it is told at once (actions.md 6.1).
//! Nothing is opened here; only words are looked at.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use crate::args::{self, OptionSpec, Parsed, bad_argument, flag, value};
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;

use super::config::{self, Config};
use super::profile::{InputOption, Profile};

/// Where the measures are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Pattern(String),
    Folder(String),
}

/// What a run was asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) input: Input,
    pub(super) output_dir: PathBuf,
    pub(super) config: Config,
    pub(super) compat: Compat,
}

pub(super) enum Asked {
    Help,
    Version,
    Run(Box<Options>),
}

const INPUT_FILES: OptionSpec = value("--input-files");
const INPUT_DIR: OptionSpec = value("--input-dir");
const COMMON: &[OptionSpec] =
    &[value("--output-dir"), value("--config"), Compat::OPTION, flag("--version"), flag("--help"), flag("-h")];

pub(super) fn help() -> String {
    "\
Make a table and a chart of deciles over time from each measure file

Usage: deciles-charts --input-files PATTERN --output-dir DIR [--config JSON]

Options:
      --input-files PATTERN   The measure files, such as 'output/measure_*.csv'; * ? [ab] [!ab] stand for parts of
                              one name. Files named measure_<id>.csv or .csv.gz are used; so are ehrQL's measures
                              files, whatever their name. Others are skipped
      --output-dir DIR        Where deciles_table_<id>.csv and deciles_chart_<id>.png go; made if it does not exist
      --config JSON           What to make; in project.yaml it is written as config:
      --input-dir DIR         Old form of --input-files: every file of a folder
      --compat safe|original|original-2022
                              Bring back habits of the original program [default: safe]
      --version               Print name, profile and program version
  -h, --help                  Print this help

A measure file needs the columns date (YYYY-MM-DD) and value (a number; blank is missing). Each date gets the 10th to
90th percentile of its values.

Config, with the defaults of v0.0.47 (v1: formats png and svg, minimum_groups 10):
  show_outer_percentiles: false   also the 1st to 9th and 91st to 99th percentile
  tables: {output: true}          make the tables
  charts: {output: true, formats: [png], title: '', y_label: ''}
  measures: {<id>: {title: '', y_label: ''}}
                                  words on the chart of one measure
  minimum_groups: 0               dates with fewer values get no percentiles

Example:
  deciles-charts --input-files 'output/measure_*.csv' --output-dir output --config '{\"show_outer_percentiles\": true}'
"
    .to_owned()
}

/// Old spellings with `_` become the one with `-`, so that `--output` stays unambiguous.
fn respelt(args: &[OsString]) -> Vec<OsString> {
    let mut options = true;
    let respell = |arg: &OsString| {
        options = options && arg != "--";
        for (old, new) in [("--input_dir", INPUT_DIR.name), ("--output_dir", "--output-dir")] {
            if let Some(rest) = arg.as_bytes().strip_prefix(old.as_bytes()).filter(|_| options)
                && (rest.is_empty() || rest.starts_with(b"="))
            {
                return OsString::from_vec([new.as_bytes(), rest].concat());
            }
        }
        arg.clone()
    };
    args.iter().map(respell).collect()
}

/// The options of a version; those of the others only if they are written out, so that prefixes keep their meaning.
fn specs(args: &[OsString], profile: &Profile) -> Vec<OptionSpec> {
    let (own, other) = match profile.input {
        InputOption::Folder => (INPUT_DIR, INPUT_FILES),
        InputOption::Pattern => (INPUT_FILES, INPUT_DIR),
    };
    let name = |arg: &OsString| arg.as_bytes().split(|b| *b == b'=').next().map(<[u8]>::to_vec);
    let mut specs = vec![own];
    if args.iter().any(|arg| name(arg).as_deref() == Some(other.name.as_bytes())) {
        specs.push(other);
    }
    specs.extend_from_slice(COMMON);
    specs
}

/// Reads the arguments; `variable` is that of `Compat`. The warnings are to be said whatever the result.
pub(super) fn read(
    args: &[OsString],
    profile: &Profile,
    variable: Option<&OsStr>,
) -> (Result<Asked, Vec<Fault>>, Vec<String>) {
    let args = respelt(args);
    let mut parsed = args::parse(&args, &specs(&args, profile));
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
        faults.push(fault.help("a pattern goes after --input-files; in a shell, put it in quotes"));
    }
    let input = input(&parsed, profile, &mut faults);
    let output_dir = match parsed.value("--output-dir") {
        Some(dir) if !dir.is_empty() => Some(PathBuf::from(dir)),
        Some(_) => push(&mut faults, "--output-dir needs the name of a folder"),
        None => push(&mut faults, "--output-dir is missing: the folder for tables and charts"),
    };
    let compat = Compat::asked(&parsed, variable, &mut faults);
    let config = match parsed.value("--config").map(OsStr::to_str) {
        None => Some(Config::defaults(profile)),
        Some(Some(json)) => {
            let (config, told) = config::read(json, profile);
            warnings.extend(told);
            config.map_err(|wrong| faults.extend(wrong)).ok()
        }
        Some(None) => {
            faults.push(Fault::new(FaultCode::BadConfig, Exit::Arguments, "--config is not UTF-8"));
            None
        }
    };
    match (input, output_dir, config) {
        (Some(input), Some(output_dir), Some(config)) if faults.is_empty() => {
            (Ok(Asked::Run(Box::new(Options { input, output_dir, config, compat }))), warnings)
        }
        _ => (Err(faults), warnings),
    }
}

fn push<T>(faults: &mut Vec<Fault>, message: &str) -> Option<T> {
    faults.push(bad_argument(message));
    None
}

fn input(parsed: &Parsed, profile: &Profile, faults: &mut Vec<Fault>) -> Option<Input> {
    let text = |name: &str, faults: &mut Vec<Fault>| match parsed.value(name)?.to_str() {
        Some("") => push(faults, &format!("{name} is empty")),
        Some(text) => Some(text.to_owned()),
        None => push(faults, &format!("{name} is not UTF-8")),
    };
    match (parsed.given(INPUT_FILES.name), parsed.given(INPUT_DIR.name)) {
        (true, true) => push(faults, "--input-files and --input-dir cannot be given together"),
        (true, false) => text(INPUT_FILES.name, faults).map(Input::Pattern),
        (false, true) => text(INPUT_DIR.name, faults).map(Input::Folder),
        (false, false) => match profile.input {
            InputOption::Pattern => push(faults, "--input-files is missing: the pattern of the measure files"),
            InputOption::Folder => push(faults, "--input-dir is missing: the folder of the measure files"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::{newest, resolve};
    use super::*;

    fn options(version: &str, args: &[&str]) -> Result<Options, Vec<String>> {
        let profile = resolve(Some(version)).map_or(newest(), |resolved| resolved.profile);
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        match read(&args, profile, None).0 {
            Ok(Asked::Run(options)) => Ok(*options),
            Ok(_) => Err(Vec::new()),
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn old_spellings_and_prefixes_mean_the_same() {
        let folder = Input::Folder("in".to_owned());
        let pattern = Input::Pattern("in".to_owned());
        let rows: &[(&str, &[&str], &Input)] = &[
            ("v0.0.47", &["--input-files", "in", "--output-dir", "out"], &pattern),
            ("v0.0.47", &["--input=in", "--output=out"], &pattern),
            ("v0.0.47", &["--input_dir", "in", "--output_dir", "out"], &folder),
            ("v0.0.47", &["--input-dir=in", "--out", "out"], &folder),
            ("v0.0.3", &["--input_dir=in", "--output_dir=out"], &folder),
            ("v0.0.7", &["--input", "in", "--output", "out"], &folder),
            ("v0.0.7", &["--input-files", "in", "--output", "out", "--config", "{}"], &pattern),
        ];
        for (version, args, input) in rows {
            let found = options(version, args).unwrap_or_else(|faults| panic!("{args:?}: {faults:?}"));
            assert_eq!((&found.input, found.output_dir.to_str()), (*input, Some("out")), "{version} {args:?}");
        }
    }

    #[test]
    fn faults_come_together() {
        let faults = options("v0.0.47", &["x.csv", "--compat=new", "--config", "{\"a\":1}"]).unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert_eq!(
            options("v0.0.47", &["--input-files", "a", "--input-dir", "b", "--output-dir", "c"]).unwrap_err().len(),
            1
        );
        assert_eq!(options("v0.0.47", &["--input-files=", "--output-dir="]).unwrap_err().len(), 2);
    }
}
