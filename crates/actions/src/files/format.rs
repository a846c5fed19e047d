//! The format of a file by its name: the longest known ending counts (actions.md 3.1).
//! So `input.v2.csv` is csv, and `input.csv.gz` is not gzip of anything.

use std::path::Path;

pub(crate) use cohorts::Format;

use crate::fault::{Exit, Fault, FaultCode};

/// What a name says. `.arrow` is an Arrow IPC file, which is what feather files are.
///
/// # Errors
/// `unsupported_format`, with the list of endings.
pub(crate) fn format_of(path: &Path) -> Result<Format, Fault> {
    let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
    let ends = |ending: &str| {
        name.strip_suffix(ending.as_bytes())
            .and_then(|rest| rest.strip_suffix(b"."))
            .is_some_and(|stem| !stem.is_empty())
    };
    let known = Format::ALL.iter().map(|format| (format.extension(), *format)).chain([("arrow", Format::Feather)]);
    match known.filter(|(ending, _)| ends(ending)).max_by_key(|(ending, _)| ending.len()) {
        Some((_, format)) => Ok(format),
        None => {
            let message = format!("{} is of no format that is read here", path.display());
            let fault = Fault::new(FaultCode::UnsupportedFormat, Exit::Data, message);
            Err(fault.help("names of files end in .csv, .csv.gz, .feather, .arrow, .dta or .dta.gz"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_ending_counts() {
        let rows = [
            ("a.csv", Some(Format::Csv)),
            ("x.y/input.v2.csv", Some(Format::Csv)),
            ("input_2020-01-01.csv.gz", Some(Format::CsvGz)),
            ("a.feather", Some(Format::Feather)),
            ("a.arrow", Some(Format::Feather)),
            ("a b.dta", Some(Format::Dta)),
            ("a.dta.gz", Some(Format::DtaGz)),
            ("a.feather.gz", None),
            ("a.CSV", None),
            ("a.parquet", None),
            ("csv", None),
            (".csv", None),
            ("a.csv.bak", None),
            ("a.gz", None),
        ];
        for (name, format) in rows {
            assert_eq!(format_of(Path::new(name)).ok(), format, "{name}");
        }
    }
}
