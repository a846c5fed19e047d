//! The four files of a report (actions.md 8.2). All are complete before the first of them gets its name.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::csv::{LineEnd, RecordWriter};
use crate::evidence::Writer;
use crate::fault::Fault;
use crate::staged::Whole;
use crate::workspace::Workspace;

use super::count::Report;
use super::evidence;
use super::period::Period;

const BUFFER: usize = 64 << 10;

/// How practices are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Practices {
    /// `00` to `99`.
    Dummy,
    /// Their numbers.
    Numbers,
}

impl Practices {
    fn name(self, practice: i64) -> String {
        match self {
            Self::Dummy => format!("{practice:02}"),
            Self::Numbers => practice.to_string(),
        }
    }
}

/// One of the four files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    PerCode,
    PerWeek,
    ListSizes,
    Patients,
}

const ALL: [(&str, File); 4] = [
    ("counts_per_code.csv", File::PerCode),
    ("counts_per_week_per_practice.csv", File::PerWeek),
    ("list_sizes.csv", File::ListSizes),
    ("patient_count.csv", File::Patients),
];

/// The paths of the files in a folder.
pub(crate) fn paths(folder: &Path) -> [PathBuf; 4] {
    ALL.map(|(name, _)| folder.join(name))
}

/// Where the files go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) workspace: &'a Workspace,
}

pub(crate) fn write(
    report: &Report,
    period: Period,
    practices: Practices,
    place: Place<'_>,
    writer: Option<&Writer>,
    stderr: &mut dyn Write,
) -> Result<(), Fault> {
    let mut whole: Vec<Whole> = Vec::with_capacity(ALL.len());
    let mut hashes = Vec::new();
    for ((_, file), path) in ALL.iter().zip(paths(place.folder)) {
        let mut staged = place.workspace.stage(&path, "the report's file")?;
        let mut out = BufWriter::with_capacity(BUFFER, staged.file());
        let written = records(*file, report, period, practices, &mut out).and_then(|()| out.flush());
        drop(out);
        written.map_err(|error| Fault::writing(staged.what(), &error))?;
        hashes.extend(writer.map(|_| (*file, path, staged.sha256())));
        whole.push(staged.close()?);
    }
    whole.into_iter().try_for_each(Whole::publish)?;
    if let Some(writer) = writer {
        for (file, path, hash) in hashes {
            writer.write(&path, hash, &evidence::of(file, report), stderr);
        }
    }
    Ok(())
}

fn records(file: File, report: &Report, period: Period, practices: Practices, out: &mut impl Write) -> io::Result<()> {
    let mut out = RecordWriter::new(out, LineEnd::Lf);
    let mut record = |fields: &[&str]| out.record(fields.iter().map(|field| field.as_bytes()));
    match file {
        File::PerCode => {
            record(&["code", "num"])?;
            report.per_code.iter().try_for_each(|(code, count)| record(&[code, &count.to_string()]))
        }
        File::PerWeek => {
            record(&["practice", "date", "num"])?;
            let Some(weeks) = report.weeks() else { return Ok(()) };
            let weeks: Vec<(u32, String)> = weeks.map(|week| (week, period.first_day(week).to_string())).collect();
            for (practice, counts) in &report.per_week {
                let practice = practices.name(*practice);
                for (week, day) in &weeks {
                    let count = counts.get(week).copied().unwrap_or(0).to_string();
                    record(&[&practice, day, &count])?;
                }
            }
            Ok(())
        }
        File::ListSizes => {
            record(&["practice", "list_size"])?;
            let mut sizes = report.list_sizes.iter();
            sizes.try_for_each(|(practice, size)| record(&[&practices.name(*practice), &size.to_string()]))
        }
        File::Patients => {
            record(&["num"])?;
            record(&[&report.patients.to_string()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn text(file: File, report: &Report) -> String {
        let period = Period::new(jiff::civil::date(2020, 1, 3), jiff::civil::date(2020, 2, 20)).unwrap();
        let mut out = Vec::new();
        records(file, report, period, Practices::Numbers, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The example of actions.md 8.2.
    #[test]
    fn weeks_between_events_are_zero() {
        let weeks = BTreeMap::from([(0, 1), (1, 1), (4, 1)]);
        let mut report =
            Report { per_week: BTreeMap::from([(12, weeks), (7, BTreeMap::from([(1, 30)]))]), ..Report::default() };
        assert_eq!(
            text(File::PerWeek, &report),
            "practice,date,num\n7,2020-01-03,0\n7,2020-01-10,30\n7,2020-01-17,0\n7,2020-01-24,0\n7,2020-01-31,0\n\
             12,2020-01-03,1\n12,2020-01-10,1\n12,2020-01-17,0\n12,2020-01-24,0\n12,2020-01-31,1\n"
        );
        report.per_code = BTreeMap::from([("10".to_owned(), 1), ("9".to_owned(), 2), ("a,b".to_owned(), 3)]);
        assert_eq!(text(File::PerCode, &report), "code,num\n10,1\n9,2\n\"a,b\",3\n");
    }

    #[test]
    fn nothing_counted() {
        let texts = ALL.map(|(_, file)| text(file, &Report::default()));
        assert_eq!(texts, ["code,num\n", "practice,date,num\n", "practice,list_size\n", "num\n0\n"]);
    }
}
