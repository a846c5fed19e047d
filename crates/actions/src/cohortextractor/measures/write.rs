//! A measure of one date as a csv file, and the files of all dates as one.
//! LF, minimal quoting; the combined file has the same rows and a column `date` (study-definitions.md 11).

use std::io::{self, Read, Write};

use study::model::{Measure, MeasureGroups};

use crate::csv::{CsvError, CsvReader, LineEnd, RecordWriter};
use crate::fault::{Exit, Fault, FaultCode};

use super::groups::{Outcome, POPULATION};
use super::number::{Era, Printed, print, quotient};
use super::suppress::{self, Done};
use super::table::Cells;

/// What to tell about a measure of one date: column by column what was emptied.
pub(crate) type Emptied = Vec<(String, Done)>;

/// The file of one measure and date.
pub(crate) fn render(outcome: &Outcome<'_>, measure: &Measure, cells: Cells, era: Era) -> (Vec<u8>, Emptied) {
    let mut numerator = outcome.numbers(outcome.numerator);
    let mut denominator = outcome.numbers(outcome.denominator);
    let same = measure.numerator == measure.denominator;
    let mut emptied = Vec::new();
    let mut forms =
        [outcome.numerator, outcome.denominator].map(|sums| sums.map_or(Printed::Whole, |s| s.printed(cells, era)));
    if measure.small_number_suppression {
        let columns = [(&measure.numerator, &mut numerator), (&measure.denominator, &mut denominator)];
        for (at, (name, numbers)) in columns.into_iter().enumerate() {
            let done = suppress::column(numbers);
            if done != Done::Nothing {
                forms[at] = Printed::Float;
                if !(same && at == 1) {
                    emptied.push((name.clone(), done));
                }
            }
        }
    }
    let mut out = RecordWriter::new(Vec::new(), LineEnd::Lf);
    // Writing to memory does not fail.
    let _ = records(&mut out, outcome, measure, (&numerator, &denominator), forms);
    (out.into_inner(), emptied)
}

type Numbers<'a> = &'a [Option<super::number::Number>];

fn records(
    out: &mut RecordWriter<Vec<u8>>,
    outcome: &Outcome<'_>,
    measure: &Measure,
    (numerator, denominator): (Numbers<'_>, Numbers<'_>),
    forms: [Printed; 2],
) -> io::Result<()> {
    let mut header: Vec<&str> = match &measure.groups {
        MeasureGroups::Columns(columns) => columns.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let labels = header.len();
    header.push(&measure.numerator);
    let twice = measure.numerator == measure.denominator;
    if !twice {
        header.push(&measure.denominator);
    }
    // `population` is printed once, whether it is counted or only grouped by.
    let population = measure.groups == MeasureGroups::Population && !header.contains(&POPULATION);
    if population {
        header.push(POPULATION);
    }
    header.push("value");
    out.record(header.iter().map(|name| name.as_bytes()))?;
    for (row, (above, below)) in numerator.iter().zip(denominator).enumerate() {
        for label in outcome.labels.get(row).into_iter().flatten().take(labels) {
            out.field(label.as_bytes())?;
        }
        out.field(print(*above, forms[0]).as_bytes())?;
        if !twice {
            out.field(print(*below, forms[1]).as_bytes())?;
        }
        if population {
            out.field(outcome.patients().to_string().as_bytes())?;
        }
        out.field(quotient(*above, *below).as_bytes())?;
        out.end_record()?;
    }
    Ok(())
}

/// The files of all dates as one.
pub(crate) struct Combined<W: Write> {
    out: RecordWriter<W>,
    header: Option<(Vec<Vec<u8>>, String)>,
    what: String,
}

impl<W: Write> Combined<W> {
    pub(crate) fn new(out: W, what: String) -> Self {
        Self { out: RecordWriter::new(out, LineEnd::Lf), header: None, what }
    }

    /// Appends the rows of one date. `name` is the file they come from.
    pub(crate) fn append(&mut self, rows: impl Read, name: &str, date: &str) -> Result<(), Fault> {
        let mut reader = CsvReader::new(rows);
        let mut header = Vec::new();
        while let Some(field) = reader.next().map_err(|error| malformed(name, &error))? {
            header.push(field.bytes.to_vec());
            if field.last {
                break;
            }
        }
        match &self.header {
            None => {
                self.written(|out| {
                    header.iter().try_for_each(|field| out.field(field))?;
                    out.field(b"date")?;
                    out.end_record()
                })?;
                self.header = Some((header, name.to_owned()));
            }
            Some((first, of)) if *first != header => {
                let message = format!("{of} and {name} have different columns, so they cannot become one file");
                let fault = Fault::new(FaultCode::Study("SD703"), Exit::Data, message);
                return Err(fault.help("remove the older files, or run without --skip-existing"));
            }
            Some(_) => {}
        }
        while let Some(field) = reader.next().map_err(|error| malformed(name, &error))? {
            let last = field.last;
            self.written(|out| {
                out.field(field.bytes)?;
                if last {
                    out.field(date.as_bytes())?;
                    out.end_record()?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn written(&mut self, write: impl FnOnce(&mut RecordWriter<W>) -> io::Result<()>) -> Result<(), Fault> {
        write(&mut self.out).map_err(|error| Fault::writing(&self.what, &error))
    }

    pub(crate) fn finish(self) -> W {
        self.out.into_inner()
    }
}

fn malformed(name: &str, error: &CsvError) -> Fault {
    let fault = Fault::new(FaultCode::MalformedCsv, Exit::Data, format!("{name} cannot be read: {error}"));
    fault.help("remove it, so that it is made again")
}
