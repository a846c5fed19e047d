//! Which files of a folder hold the patients of which index date (study-definitions.md 11).
//! Other actions may have added columns under another name, so the names in the folder decide, not the study.

use std::collections::BTreeMap;

use cohorts::Format;

use crate::fault::{Exit, Fault, FaultCode};

/// The file of one date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) name: String,
    pub(crate) format: Format,
    /// As in the name.
    pub(crate) date: String,
}

/// The files by date, with warnings about others of the same date.
pub(crate) fn by_date<'a>(
    names: impl IntoIterator<Item = &'a str>,
    suffix: &str,
) -> Result<(Vec<Chosen>, Vec<String>), Vec<Fault>> {
    let mut dates: BTreeMap<String, Vec<Chosen>> = BTreeMap::new();
    for chosen in names.into_iter().filter_map(|name| matched(name, suffix)) {
        dates.entry(chosen.date.clone()).or_default().push(chosen);
    }
    let (mut found, mut warnings, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for (date, mut files) in dates {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let exact = |file: &Chosen| file.name == format!("input{suffix}_{date}.{}", file.format.extension());
        let all = files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
        match files.as_slice() {
            [only] => found.push(only.clone()),
            several => match several.iter().filter(|file| exact(file)).collect::<Vec<_>>().as_slice() {
                [one] => {
                    warnings.push(format!("several files are of {date}: {all}; {} is used", one.name));
                    found.push((*one).clone());
                }
                _ => {
                    let message = format!("several files are of {date}, and it is not clear which one is meant: {all}");
                    let fault = Fault::new(FaultCode::Study("SD702"), Exit::Data, message);
                    faults
                        .push(fault.help(format!("keep one of them in this folder, or name one input{suffix}_{date}")));
                }
            },
        }
    }
    if faults.is_empty() { Ok((found, warnings)) } else { Err(faults) }
}

/// `input{suffix}…_YYYY-MM-DD.ext`.
fn matched(name: &str, suffix: &str) -> Option<Chosen> {
    let (stem, format) = Format::of_name(name)?;
    let rest = stem.strip_prefix("input")?.strip_prefix(suffix)?;
    let at = rest.len().checked_sub(11)?;
    let date = rest.get(at..)?.strip_prefix('_')?;
    let shape =
        date.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    shape.then(|| Chosen { name: name.to_owned(), format, date: date.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], suffix: &str) -> (Vec<String>, usize, usize) {
        match by_date(names.iter().copied(), suffix) {
            Ok((files, warnings)) => (files.into_iter().map(|file| file.name).collect(), warnings.len(), 0),
            Err(faults) => (Vec::new(), 0, faults.len()),
        }
    }

    #[test]
    fn names_say_study_date_and_format() {
        let names = [
            "input_2020-02-01.csv.gz",
            "input_2020-01-01.feather",
            "input.csv",
            "input_x.csv",
            "input_2020-01-01.xls",
            "input_2020-1-01.csv",
            "output_2020-01-01.csv",
            "measure_a_2020-01-01.csv",
            "input2020-01-01.csv",
        ];
        assert_eq!(
            found(&names, ""),
            (vec!["input_2020-01-01.feather".into(), "input_2020-02-01.csv.gz".into()], 0, 0)
        );
        assert_eq!(found(&["input_x_2020-01-01.dta", "input_2020-01-01.dta"], "_x").0, ["input_x_2020-01-01.dta"]);
        assert_eq!(found(&["input_x_2020-01-01.dta.gz"], "").0, ["input_x_2020-01-01.dta.gz"]);
        assert_eq!(found(&[], ""), (vec![], 0, 0));
    }

    #[test]
    fn of_two_files_of_one_date_the_plain_name_counts() {
        assert_eq!(
            found(&["input_2020-01-01.csv", "input_b_2020-01-01.csv"], ""),
            (vec!["input_2020-01-01.csv".into()], 1, 0)
        );
        assert_eq!(found(&["input_2020-01-01.csv", "input_2020-01-01.feather"], "").2, 1);
        assert_eq!(found(&["input_a_2020-01-01.csv", "input_b_2020-01-01.csv"], "").2, 1);
        let both =
            ["input_a_2020-01-01.csv", "input_b_2020-01-01.csv", "input_a_2020-02-01.csv", "input_b_2020-02-01.csv"];
        assert_eq!(found(&both, "").2, 2);
    }
}
