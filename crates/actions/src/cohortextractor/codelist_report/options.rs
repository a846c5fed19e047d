//! The command line of `generate_codelist_report`; every fault in one is told at once (actions.md 8).

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::args::{OptionSpec, Parsed, bad_argument, flag, value};
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;

use super::dummy::Size;
use super::period::Period;
use crate::cohortextractor::dates::iso;
use crate::cohortextractor::options::{Read, read};

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nothing was said: invented rows, or the data of a backend.
    Unsaid(Size),
    /// A folder with one file for each patient table.
    Tables(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) codelist: PathBuf,
    pub(crate) period: Period,
    pub(crate) folder: PathBuf,
    pub(crate) source: Source,
    /// `--compat=original`: patients who opted out are counted too.
    pub(crate) keeps_opted_out: bool,
}

const OPTIONS: &[OptionSpec] = &[
    value("--codelist-path"),
    value("--start-date"),
    value("--end-date"),
    value("--output-dir"),
    value("--codes"),
    value("--days"),
    value("--dummy-tables"),
    flag("--verbose"),
    Compat::OPTION,
    flag("--help"),
    flag("-h"),
];

/// Most codes or days that can be asked for; there are never more codes in a list, nor more days in a period.
const MOST: u32 = 10_000_000;

/// `variable`: see [`Compat::variable`].
pub(crate) fn of(args: &[OsString], variable: Option<&OsStr>) -> Read<Asked> {
    read(args, OPTIONS, variable, |parsed, compat, faults| {
        let codelist = codelist(parsed, faults);
        let start = date(parsed, "--start-date", faults);
        let end = date(parsed, "--end-date", faults);
        let period = start.zip(end).and_then(|(start, end)| {
            let period = Period::new(start, end);
            if period.is_none() {
                let fault = bad_argument(format!("--start-date {start} is after --end-date {end}"));
                faults.push(fault.help("write the earlier date behind --start-date"));
            }
            period
        });
        let folder = parsed.value("--output-dir").filter(|folder| !folder.is_empty()).unwrap_or(OsStr::new("output"));
        let source = source(parsed, faults);
        let keeps_opted_out = compat.is_original();
        Some(Asked { codelist: codelist?, period: period?, folder: folder.into(), source: source?, keeps_opted_out })
    })
}

fn codelist(parsed: &Parsed, faults: &mut Vec<Fault>) -> Option<PathBuf> {
    let given = parsed.value("--codelist-path").filter(|path| !path.is_empty());
    if given.is_none() {
        let fault = bad_argument("--codelist-path is missing");
        faults.push(fault.help("name a csv file with a column `code`, such as --codelist-path=codelist.csv"));
    }
    given.map(PathBuf::from)
}

fn date(parsed: &Parsed, name: &str, faults: &mut Vec<Fault>) -> Option<jiff::civil::Date> {
    let help = format!("write a day as YYYY-MM-DD, such as {name}=2021-04-01");
    let Some(given) = parsed.value(name).filter(|given| !given.is_empty()) else {
        faults.push(bad_argument(format!("{name} is missing")).help(help));
        return None;
    };
    let date = given.to_str().and_then(iso);
    if date.is_none() {
        let message = format!("{name}: '{}' is not a date", given.display());
        faults.push(Fault::new(FaultCode::BadDate, Exit::Arguments, message).help(help));
    }
    date
}

fn source(parsed: &Parsed, faults: &mut Vec<Fault>) -> Option<Source> {
    let usual = Size::default();
    let codes = number(parsed, "--codes", usual.codes as u32, faults);
    let days = number(parsed, "--days", usual.days, faults);
    match parsed.value("--dummy-tables") {
        None => Some(Source::Unsaid(Size { codes: codes? as usize, days: days? })),
        Some(folder) if folder.is_empty() => {
            faults.push(bad_argument("--dummy-tables needs a path"));
            None
        }
        Some(folder) => {
            for name in ["--codes", "--days"].into_iter().filter(|name| parsed.given(name)) {
                let fault = bad_argument(format!("{name} and --dummy-tables exclude each other"));
                faults.push(fault.help(format!("{name} is for invented numbers; tables are counted as they are")));
            }
            Some(Source::Tables(folder.into()))
        }
    }
}

fn number(parsed: &Parsed, name: &str, usual: u32, faults: &mut Vec<Fault>) -> Option<u32> {
    let Some(given) = parsed.value(name) else { return Some(usual) };
    let number = given.to_str().and_then(|text| text.trim().parse().ok()).filter(|number| (1..=MOST).contains(number));
    if number.is_none() {
        let fault = bad_argument(format!("{name} cannot be '{}'", given.display()));
        faults.push(fault.help(format!("write a whole number from 1 to {MOST}")));
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn asked(line: &str) -> Result<Asked, Vec<String>> {
        let args: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
        of(&args, None)
            .asked
            .map(Option::unwrap)
            .map_err(|faults| faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn a_line_of_a_real_request_is_understood() {
        let line = "--codelist-path=codelist.csv --start-date=2019-09-01 --end-date=2022-06-15 --output-dir output/a";
        let found = asked(line).unwrap();
        assert_eq!(found.codelist, PathBuf::from("codelist.csv"));
        assert_eq!(Some(found.period), Period::new(date(2019, 9, 1), date(2022, 6, 15)));
        assert_eq!((found.folder, found.keeps_opted_out), ("output/a".into(), false));
        assert_eq!(found.source, Source::Unsaid(Size { codes: 16, days: 70 }));
        let other =
            asked("--codelist x --start 2020-01-01 --end 2020-01-01 --codes 3 --days 5 --compat original").unwrap();
        assert_eq!((other.folder, other.keeps_opted_out), ("output".into(), true));
        assert_eq!(other.source, Source::Unsaid(Size { codes: 3, days: 5 }));
        let tables = asked("--codelist x --start 2020-01-01 --end 2020-01-01 --dummy-tables t").unwrap();
        assert_eq!(tables.source, Source::Tables("t".into()));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        assert_eq!(asked("").unwrap_err().len(), 3);
        let line =
            "--codelist-path= --start-date 2020-02-30 --end-date 1/2/2020 --codes 0 --days ten --compat new x --no";
        assert_eq!(asked(line).unwrap_err().len(), 8, "{:?}", asked(line));
        let dates = "--codelist-path x --start-date 2020-01-02";
        for (rest, part) in [
            ("--end-date 2020-01-01", "is after"),
            ("--end-date today", "'today' is not a date"),
            ("--end-date 20200103", "'20200103' is not a date"),
            ("--end-date=", "--end-date is missing"),
            ("--end-date 2020-01-03 --codes -1", "--codes cannot be '-1'"),
            ("--end-date 2020-01-03 --dummy-tables=", "--dummy-tables needs a path"),
            ("--end-date 2020-01-03 --dummy-tables t --days 3", "exclude each other"),
        ] {
            let faults = asked(&format!("{dates} {rest}")).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains(part), "{rest}: {faults:?}");
        }
    }
}
