//! A measure file as a stream of fields, plain or gzip, and where its columns stand (actions.md 3.2, 6.2).
//! The header decides what kind of file it is: a measure of cohortextractor, or ehrQL's measures.

use std::io::{self, Read, Write};
use std::path::Path;

use crate::csv::CsvReader;
use crate::fault::{Fault, FaultCode};
use crate::files::{self, Opened, data_fault};
use crate::workspace::Workspace;

/// What ehrQL's measures files begin with.
const EHRQL: [&[u8]; 6] = [b"measure", b"interval_start", b"interval_end", b"ratio", b"numerator", b"denominator"];

/// Where the columns stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) columns: usize,
    /// The measure's name, where the file holds several measures.
    pub(super) measure: Option<usize>,
    pub(super) date: usize,
    pub(super) value: usize,
    /// Numerator and denominator, as far as their places tell.
    pub(super) pair: Option<(usize, usize)>,
    /// What rows are grouped by.
    pub(super) groups: Vec<usize>,
    /// `date` or `value`, if it stands there more than once.
    pub(super) repeated: Option<&'static str>,
}

/// An open measure file.
pub(super) struct Source {
    pub(super) opened: Opened,
}

pub(super) type Reader = CsvReader<Box<dyn Read + Send>>;

impl Source {
    pub(super) fn open(workspace: &Workspace, path: &Path, stderr: &mut dyn Write) -> Result<Self, Fault> {
        let name = path.display().to_string();
        for ending in [".zip", ".bz2", ".xz", ".zst", ".tar"] {
            if name.ends_with(ending) {
                let fault = data_fault(FaultCode::UnsupportedFormat, format!("{name} is not a csv file"));
                return Err(fault.help("measure files end in .csv or .csv.gz"));
            }
        }
        Ok(Self { opened: Opened::open(workspace, path, "the measure file", stderr)? })
    }

    pub(super) fn reader(self) -> Reader {
        CsvReader::new(self.opened.bytes())
    }
}

/// Whether a file is ehrQL's, by its ending and its header. What cannot be read is not.
pub(super) fn is_ehrql(workspace: &Workspace, path: &Path) -> Result<bool, Fault> {
    let name = path.to_str().unwrap_or_default();
    if !name.ends_with(".csv") && !name.ends_with(".csv.gz") {
        return Ok(false);
    }
    match Source::open(workspace, path, &mut io::sink()) {
        Ok(source) => {
            let name = source.opened.name.clone();
            let header = files::header(&mut source.reader(), &name).ok().flatten();
            Ok(header.is_some_and(|header| begins_as_ehrql(&header)))
        }
        Err(fault) if fault.code == FaultCode::OutsideWorkspace => Err(fault),
        Err(_) => Ok(false),
    }
}

fn begins_as_ehrql(header: &[Vec<u8>]) -> bool {
    header.len() >= EHRQL.len() && header.iter().zip(EHRQL).all(|(name, expected)| name == expected)
}

/// Finds the columns, or says which are missing.
pub(super) fn layout(header: &[Vec<u8>], name: &str) -> Result<Layout, Fault> {
    if begins_as_ehrql(header) {
        let groups = (EHRQL.len()..header.len()).collect();
        return Ok(Layout {
            columns: header.len(),
            measure: Some(0),
            date: 1,
            value: 3,
            pair: Some((4, 5)),
            groups,
            repeated: None,
        });
    }
    let at = |wanted: &str| header.iter().position(|column| column == wanted.as_bytes());
    let missing: Vec<&str> = ["date", "value"].into_iter().filter(|wanted| at(wanted).is_none()).collect();
    let (Some(date), Some(value)) = (at("date"), at("value")) else {
        let message = format!("{name} has no column {}", missing.join(" and no column "));
        let near = header.iter().map(|column| String::from_utf8_lossy(column)).find(|column| {
            missing.iter().any(|wanted| strsim::damerau_levenshtein(&column.to_lowercase(), wanted) <= 1)
        });
        let fault = data_fault(FaultCode::MissingColumn, message);
        return Err(match near {
            Some(near) => fault.help(format!("it has a column `{near}`; the name must be the same to the letter")),
            None => fault.help("a measure file has the columns date and value, in any place"),
        });
    };
    let again = |name: &'static str, first: usize| {
        header.iter().skip(first + 1).any(|column| column == name.as_bytes()).then_some(name)
    };
    let repeated = again("date", date).or_else(|| again("value", value));
    // cohortextractor names numerator and denominator after variables; they stand before `value`.
    let named = |at: usize| header[at] == b"numerator" || header[at] == b"denominator";
    let by_name = (0..header.len()).filter(|at| named(*at)).count() == 2;
    let counts = |at: usize| if by_name { named(at) } else { (value.saturating_sub(2)..value).contains(&at) };
    let place = |name: &[u8]| header.iter().position(|column| column == name);
    let pair = match by_name {
        true => place(b"numerator").zip(place(b"denominator")),
        false => value.checked_sub(2).map(|first| (first, first + 1)).filter(|(a, b)| *a != date && *b != date),
    };
    let groups = (0..header.len()).filter(|at| *at != date && *at != value && !counts(*at)).collect();
    Ok(Layout { columns: header.len(), measure: None, date, value, pair, groups, repeated })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &str) -> Result<Layout, String> {
        let columns: Vec<Vec<u8>> = header.split(',').map(|name| name.as_bytes().to_vec()).collect();
        layout(&columns, "f.csv").map_err(|fault| fault.render())
    }

    #[test]
    fn columns_are_found_by_name_and_groups_by_what_is_left() {
        let rows: &[(&str, usize, usize, &[usize])] = &[
            ("practice,had_bp,population,value,date", 4, 3, &[0]),
            ("date,value", 0, 1, &[]),
            ("practice,value,date", 2, 1, &[]),
            ("practice,stp,num,den,value,date", 5, 4, &[0, 1]),
            ("numerator,denominator,practice,stp,date,value", 4, 5, &[2, 3]),
            (",practice,num,den,value,date", 5, 4, &[0, 1]),
        ];
        for (header, date, value, groups) in rows {
            let found = of(header).unwrap();
            assert_eq!((found.date, found.value, found.groups.as_slice()), (*date, *value, *groups), "{header}");
        }
        let pair = |header| of(header).unwrap().pair;
        assert_eq!(pair("practice,had_bp,population,value,date"), Some((1, 2)));
        assert_eq!(pair("denominator,practice,numerator,date,value"), Some((2, 0)));
        assert_eq!([pair("practice,value,date"), pair("practice,date,n,value")], [None, None]);
        let ehrql = of("measure,interval_start,interval_end,ratio,numerator,denominator,practice,sex").unwrap();
        assert_eq!((ehrql.measure, ehrql.date, ehrql.value, ehrql.groups), (Some(0), 1, 3, vec![6, 7]));
        assert_eq!(of("date,value,value").unwrap().repeated, Some("value"));
    }

    #[test]
    fn missing_columns_are_named_with_what_comes_near() {
        assert_eq!(
            of("practice,Value,day").unwrap_err(),
            "error[missing_column]: f.csv has no column date and no column value\n  \
             help: it has a column `Value`; the name must be the same to the letter\n"
        );
        assert!(of("a,b").unwrap_err().contains("the columns date and value"));
    }
}
