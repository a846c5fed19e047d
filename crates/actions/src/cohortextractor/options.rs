//! The command lines of `generate_cohort` and `generate_measures`; every fault in one is told at once (9.1, 11).
//! Nothing is opened here; only words are looked at.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use jiff::civil::Date;

use crate::args::{self, OptionSpec, Parsed, bad_argument, flag, value, words};
use crate::fault::Fault;
use crate::files::Compat;

use super::names::Choice;
use super::place::Place;
use super::{dates, params};

/// Most patients of an expectations run (study-definitions.md 14).
const MOST_PATIENTS: u64 = 10_000_000;

/// Where the rows of a file of patients come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Drawn column by column from the study's expectations.
    Expectations { patients: u64 },
    /// Patients with events that give the study's expectations.
    Simulated(Simulated),
    /// A file of the researcher's.
    File(PathBuf),
    /// A folder with one file for each patient table.
    Tables(PathBuf),
    /// Nothing was said: the data of a backend.
    Database,
}

/// Simulated patients (study-definitions.md 10.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Simulated {
    pub(crate) patients: u64,
    /// Share of patients with untidy rows, in millionths.
    mess: u32,
    /// Where to tell how near the expectations were met.
    pub(crate) report: Option<PathBuf>,
}

impl Simulated {
    /// With `mess` from 0 to 1.
    pub(crate) fn new(patients: u64, mess: f64, report: Option<PathBuf>) -> Self {
        Self { patients, mess: (mess.clamp(0.0, 1.0) * 1e6).round() as u32, report }
    }

    /// Share of patients with untidy rows.
    pub(crate) fn mess(&self) -> f64 {
        f64::from(self.mess) / 1e6
    }
}

/// `generate_cohort`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cohort {
    pub(crate) study: Choice,
    pub(crate) place: Place,
    /// In calendar order; `None`: the study's own index date, and no date in the name of the file.
    pub(crate) dates: Option<Vec<Date>>,
    pub(crate) skip_existing: bool,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) rows: Rows,
    /// `--database-url` was given.
    pub(crate) names_database: bool,
    /// Of the dummy data; `None`: always the same.
    pub(crate) seed: Option<u64>,
}

/// `generate_measures`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measures {
    pub(crate) study: Choice,
    pub(crate) folder: PathBuf,
    pub(crate) skip_existing: bool,
    pub(crate) params: Vec<(String, String)>,
}

/// What was read, and what to say about it whatever comes of it.
pub(crate) struct Read<T> {
    /// `None`: the help was asked for.
    pub(crate) asked: Result<Option<T>, Vec<Fault>>,
    pub(crate) warnings: Vec<String>,
}

const COHORT: &[OptionSpec] = &[
    value("--study-definition"),
    value("--output-dir"),
    value("--output-format"),
    value("--output-file"),
    value("--index-date-range"),
    flag("--skip-existing"),
    words("--param"),
    value("--expectations-population"),
    value("--dummy-data-file"),
    value("--dummy-tables"),
    value("--dummy"),
    value("--mess"),
    value("--dummy-report"),
    value("--seed"),
    value("--database-url"),
    value("--temp-database-name"),
    flag("--with-end-date-fix"),
    flag("--verbose"),
    Compat::OPTION,
    flag("--help"),
    flag("-h"),
];

const MEASURES: &[OptionSpec] = &[
    value("--study-definition"),
    value("--output-dir"),
    flag("--skip-existing"),
    words("--param"),
    flag("--verbose"),
    Compat::OPTION,
    flag("--help"),
    flag("-h"),
];

pub(crate) fn cohort(args: &[OsString], today: Date) -> Read<Cohort> {
    // `--compat` is taken for compatibility; no habit of the original is left to bring back here.
    read(args, COHORT, None, |parsed, _, faults| {
        let place = Place::of(parsed, faults);
        let dates = match parsed.value("--index-date-range").filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => dates::range(&text.to_string_lossy(), today).map_err(|fault| faults.push(fault)).ok(),
        };
        let study = study(parsed);
        let params = params::of(parsed, faults);
        let rows = rows(parsed, faults);
        let seed = number(parsed, "--seed", u64::MAX, faults);
        let skip_existing = parsed.given("--skip-existing");
        let names_database = parsed.given("--database-url");
        Some(Cohort { study, place: place?, dates, skip_existing, params, rows: rows?, names_database, seed })
    })
}

pub(crate) fn measures(args: &[OsString]) -> Read<Measures> {
    read(args, MEASURES, None, |parsed, _, faults| {
        let folder = parsed.value("--output-dir").filter(|folder| !folder.is_empty()).unwrap_or(OsStr::new("output"));
        Some(Measures {
            study: study(parsed),
            folder: PathBuf::from(folder),
            skip_existing: parsed.given("--skip-existing"),
            params: params::of(parsed, faults),
        })
    })
}

pub(super) fn read<T>(
    args: &[OsString],
    specs: &[OptionSpec],
    variable: Option<&OsStr>,
    understood: impl FnOnce(&Parsed, Compat, &mut Vec<Fault>) -> Option<T>,
) -> Read<T> {
    let mut parsed = args::parse(args, specs);
    if parsed.given("--help") || parsed.given("-h") {
        return Read { asked: Ok(None), warnings: Vec::new() };
    }
    let warnings = std::mem::take(&mut parsed.warnings);
    let mut faults = std::mem::take(&mut parsed.faults);
    let positionals = std::mem::take(&mut parsed.positionals);
    let unexpected = positionals.iter().map(|word| {
        bad_argument(format!("unexpected argument '{}'", word.display()))
            .help("every value stands behind its option; quote a value that holds spaces")
    });
    faults.extend(unexpected);
    let compat = Compat::asked(&parsed, variable, &mut faults);
    let asked = understood(&parsed, compat, &mut faults);
    let asked = match asked {
        Some(asked) if faults.is_empty() => Ok(Some(asked)),
        _ => Err(faults),
    };
    Read { asked, warnings }
}

fn study(parsed: &Parsed) -> Choice {
    match parsed.value("--study-definition") {
        Some(name) if name != "all" => Choice::Named(name.to_string_lossy().into_owned()),
        _ => Choice::All,
    }
}

fn number(parsed: &Parsed, name: &str, most: u64, faults: &mut Vec<Fault>) -> Option<u64> {
    let given = parsed.value(name)?;
    match given.to_str().and_then(|text| text.trim().parse::<u64>().ok()).filter(|number| *number <= most) {
        Some(number) => Some(number),
        None => {
            let fault = bad_argument(format!("{name} cannot be '{}'", given.display()));
            faults.push(fault.help(format!("write a whole number from 0 to {most}")));
            None
        }
    }
}

/// `--mess`, a share.
fn mess(parsed: &Parsed, faults: &mut Vec<Fault>) -> f64 {
    let Some(given) = parsed.value("--mess") else { return study::simulate::MESS };
    match given.to_str().and_then(|text| text.trim().parse::<f64>().ok()).filter(|share| (0.0..=1.0).contains(share)) {
        Some(share) => share,
        None => {
            let fault = bad_argument(format!("--mess cannot be '{}'", given.display()));
            faults.push(fault.help("write the share of patients with untidy rows, from 0 to 1 such as 0.05"));
            study::simulate::MESS
        }
    }
}

fn rows(parsed: &Parsed, faults: &mut Vec<Fault>) -> Option<Rows> {
    let patients = number(parsed, "--expectations-population", MOST_PATIENTS, faults);
    let path = |name: &str, faults: &mut Vec<Fault>| match parsed.value(name) {
        Some(empty) if empty.is_empty() => {
            faults.push(bad_argument(format!("{name} needs a path")));
            None
        }
        given => given.map(PathBuf::from),
    };
    let file = path("--dummy-data-file", faults);
    let tables = path("--dummy-tables", faults);
    // 0 counts as absent, as ever.
    let drawn = patients.filter(|patients| *patients > 0);
    let given = [
        ("--expectations-population", drawn.is_some()),
        ("--dummy-data-file", file.is_some()),
        ("--dummy-tables", tables.is_some()),
        ("--database-url", parsed.given("--database-url")),
    ];
    let given: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if given.len() > 1 {
        let message = format!("{} exclude each other", given.join(" and "));
        faults
            .push(bad_argument(message).help("give one; a run on dummy data adds --expectations-population by itself"));
    }
    let simulated = match parsed.value("--dummy").map(|kind| kind.to_string_lossy()) {
        None => false,
        Some(kind) if kind == "expectations" => false,
        Some(kind) if kind == "simulated" => true,
        Some(kind) => {
            let fault = bad_argument(format!("--dummy cannot be '{kind}'"));
            faults.push(
                fault.help("choose from expectations, simulated; a file of patients is named by --dummy-data-file"),
            );
            false
        }
    };
    let mess = mess(parsed, faults);
    let report = path("--dummy-report", faults);
    for name in ["--mess", "--dummy-report"].into_iter().filter(|name| !simulated && parsed.given(name)) {
        faults.push(bad_argument(format!("{name} is for simulated patients")).help("add --dummy simulated"));
    }
    if simulated && drawn.is_none() {
        faults.push(bad_argument("--dummy simulated needs --expectations-population"));
    }
    if patients == Some(0) && given.is_empty() {
        let fault = bad_argument("--expectations-population is 0, so there is no data to run on");
        faults.push(fault.help("give a number of patients, such as --expectations-population 1000"));
    }
    Some(match (drawn, file, tables) {
        (_, Some(file), _) => Rows::File(file),
        (_, _, Some(tables)) => Rows::Tables(tables),
        (Some(patients), ..) if simulated => Rows::Simulated(Simulated::new(patients, mess, report)),
        (Some(patients), ..) => Rows::Expectations { patients },
        (None, ..) => Rows::Database,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Cohort, Vec<String>> {
        let args: Vec<OsString> = line.split_whitespace().map(|word| word.replace('+', " ").into()).collect();
        let read = cohort(&args, jiff::civil::date(2021, 5, 4)).asked;
        read.map(Option::unwrap).map_err(|faults| faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn a_line_of_a_real_study_is_understood() {
        let line = "--study-definition study_definition --index-date-range 2020-03-01+to+2020-03-15+by+week \
                    --output-format=csv.gz --expectations-population=1000 --output-dir=output";
        let cohort = asked(line).unwrap();
        assert_eq!(cohort.study, Choice::Named("study_definition".into()));
        assert_eq!(cohort.dates.map(|dates| dates.len()), Some(3));
        assert_eq!(cohort.rows, Rows::Expectations { patients: 1000 });
        assert_eq!(asked("--dummy-data-file x.csv --study-definition all").unwrap().study, Choice::All);
        assert_eq!(asked("").unwrap().rows, Rows::Database);
        assert_eq!(
            asked("--expectations-population 0 --dummy-data-file a.csv").unwrap().rows,
            Rows::File("a.csv".into())
        );
        let simulated = |line| asked(line).unwrap().rows;
        let usual = Simulated::new(5, 0.05, None);
        assert_eq!(simulated("--dummy simulated --expectations-pop 5"), Rows::Simulated(usual));
        let told = Simulated::new(5, 1.0, Some("r.json".into()));
        let line = "--dummy simulated --expectations-population 5 --mess 1 --dummy-report r.json";
        assert_eq!(simulated(line), Rows::Simulated(told));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let line = "--index-date-range x --output-format xls --expectations-population ten --param a stray+word \
                    --dummy other --compat new --nothing --seed -1";
        assert_eq!(asked(line).unwrap_err().len(), 8, "{:?}", asked(line));
        for line in [
            "--expectations-population 0",
            "--expectations-population 10000001",
            "--expectations-population -5",
            "--expectations-population 5 --dummy-data-file a.csv",
            "--dummy-tables t --dummy-data-file a.csv",
            "--expectations-population 5 --database-url mssql://x",
            "--dummy simulated",
            "--dummy simulated --expectations-population 5 --mess 1.1",
            "--dummy simulated --expectations-population 5 --mess NaN",
            "--expectations-population 5 --mess 0.5",
            "--expectations-population 5 --dummy-report r.txt",
            "--dummy-data-file=",
            "generate_cohort",
        ] {
            assert_eq!(asked(line).unwrap_err().len(), 1, "{line}");
        }
    }

    #[test]
    fn the_help_names_every_option() {
        for (specs, help) in [(COHORT, super::super::help::cohort()), (MEASURES, super::super::help::measures())] {
            let words: Vec<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
            for option in specs {
                assert!(words.contains(&option.name), "{}", option.name);
            }
        }
    }
}
