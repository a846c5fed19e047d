//! A measure file row by row into values by date, and what is to be told about it (actions.md 6.2).
//! Memory: 8 bytes a value, and a little for each date.

use std::collections::HashMap;
use std::io::Write;

use foldhash::fast::FixedState;
use jiff::civil::Date;

use crate::evidence::Unit;
use crate::fault::{Fault, FaultCode};
use crate::files::{self, Compat, csv_fault, data_fault};
use crate::text::{about, clean, warn};

use super::behind::{self, Behind};
use super::cell::{self, Cell, Day};
use super::pool::Pool;
use super::source::{self, Layout, Source};

/// Most dates of a measure, rows of a file, and measures of a file (actions.md 10; the last is this program's).
const MAX_DATES: usize = 20_000;
const MAX_ROWS: u64 = 500_000_000;
const MAX_MEASURES: usize = 10_000;
/// Most dates of all measures of a file together: what is kept for a date is more than its values.
const MAX_GROUPS: usize = 1_000_000;
/// Longest name of a measure.
const MAX_NAME: usize = 200;

/// One measure of a file.
pub(super) struct Measure {
    pub(super) id: String,
    /// Each date with its group in the pool, ascending when reading is done.
    pub(super) dates: Vec<(Date, usize)>,
    by_date: HashMap<Date, usize, FixedState>,
    /// Which of the layout's group columns hold anything.
    grouped_by: Vec<bool>,
    /// What its rows are grouped by.
    pub(super) unit: Unit,
    /// By date, the values that are missing, hidden or divided by zero; only where evidence is wanted.
    pub(super) dropped: HashMap<Date, u64, FixedState>,
}

/// What rows are, by the columns that they are grouped by.
fn unit_of<'a>(mut columns: impl Iterator<Item = &'a [u8]>) -> Unit {
    match (columns.next(), columns.next()) {
        (Some(name), None) if name.to_ascii_lowercase().starts_with(b"practice") => Unit::Practices,
        _ => Unit::Groups,
    }
}

#[derive(Default)]
struct Notes {
    rows: u64,
    infinite: u64,
    redacted: u64,
    undated: u64,
    short: u64,
    not_utf8: bool,
}

/// Reads all rows. `id` is the measure the file's name speaks of; `behind`: there where evidence is wanted.
pub(super) fn read(
    source: Source,
    id: Option<&str>,
    compat: Compat,
    pool: &mut Pool<'_>,
    behind: Option<&mut Behind>,
    stderr: &mut dyn Write,
) -> Result<Vec<Measure>, Fault> {
    let name = source.opened.name.clone();
    let mut csv = source.reader();
    let Some(header) = files::header(&mut csv, &name)? else {
        let fault = data_fault(FaultCode::MalformedCsv, format!("{name} is empty; not even a header is there"));
        return Err(fault.help("a measure file has the columns date and value"));
    };
    let layout = source::layout(&header, &name)?;
    if let Some(repeated) = layout.repeated {
        warn(stderr, &format!("{name} has more than one column `{repeated}`; the first is used"));
    }
    let mut rows = Rows {
        name: &name,
        layout: &layout,
        measures: Vec::new(),
        by_name: HashMap::default(),
        current: 0,
        pool,
        behind,
    };
    if let (None, Some(id)) = (layout.measure, id) {
        rows.add(id.to_owned());
    }
    let mut notes = Notes::default();
    let mut row = Row { pair: layout.pair.filter(|_| rows.behind.is_some()), ..Row::default() };
    let words = compat.is_original();
    while let Some(field) = csv.next().map_err(|error| csv_fault(&name, &error))? {
        if row.at == 0 {
            row.start(field.line);
        }
        if row.at >= layout.columns {
            let message = format!("{name}: line {} has more fields than the header's {}", field.line, layout.columns);
            return Err(
                data_fault(FaultCode::MalformedCsv, message).help("a comma inside a field needs quotes round it")
            );
        }
        row.take(&layout, field.bytes, words, &mut notes);
        if field.last {
            notes.short += u64::from(row.at < layout.columns);
            rows.finish(&row, &mut notes, words)?;
            row.at = 0;
        }
    }
    let mut measures = rows.measures;
    for measure in &mut measures {
        measure.dates.sort_unstable();
        let used = |at: usize| layout.measure.is_none() || measure.grouped_by.get(at).is_some_and(|used| *used);
        let columns = layout.groups.iter().enumerate().filter(|(at, _)| used(*at));
        measure.unit = unit_of(columns.filter_map(|(_, column)| header.get(*column)).map(Vec::as_slice));
    }
    tell(&name, &layout, &notes, &measures, stderr);
    Ok(measures)
}

/// What is kept of a row until its end.
struct Row {
    at: usize,
    line: u64,
    measure: Vec<u8>,
    date: Day,
    /// The bytes of the last date read: most rows repeat it.
    date_text: Vec<u8>,
    last_date: Day,
    value: Cell,
    groups: Vec<bool>,
    /// Where numerator and denominator stand, if they are wanted, and what they are.
    pair: Option<(usize, usize)>,
    numerator: Cell,
    denominator: Cell,
}

impl Default for Row {
    fn default() -> Self {
        let (measure, date_text, groups) = (Vec::new(), Vec::new(), Vec::new());
        let (date, last_date, value) = (Day::Blank, Day::Blank, Cell::Missing);
        let (pair, numerator, denominator) = (None, Cell::Missing, Cell::Missing);
        Self { at: 0, line: 0, measure, date, date_text, last_date, value, groups, pair, numerator, denominator }
    }
}

impl Row {
    fn start(&mut self, line: u64) {
        (self.line, self.date, self.value) = (line, Day::Blank, Cell::Missing);
        (self.numerator, self.denominator) = (Cell::Missing, Cell::Missing);
        self.measure.clear();
        self.groups.clear();
    }

    /// How many people its value is about, if it says so.
    fn people(&self, value: f64) -> Option<u32> {
        match (self.numerator, self.denominator) {
            (Cell::Number(numerator), Cell::Number(denominator)) => behind::people(value, (numerator, denominator)),
            _ => None,
        }
    }

    fn take(&mut self, layout: &Layout, bytes: &[u8], words: bool, notes: &mut Notes) {
        let at = self.at;
        self.at += 1;
        if at == layout.date {
            if bytes != self.date_text {
                self.date_text.clear();
                self.date_text.extend_from_slice(bytes);
                self.last_date = cell::day(bytes);
            }
            self.date = self.last_date;
        } else if at == layout.value {
            self.value = cell::value(bytes, words);
        } else if Some(at) == layout.measure {
            self.measure.extend_from_slice(bytes);
        } else if layout.measure.is_some() && layout.groups.contains(&at) {
            self.groups.push(!bytes.is_empty());
        } else if let Some((numerator, denominator)) = self.pair {
            if at == numerator {
                self.numerator = cell::value(bytes, words);
            } else if at == denominator {
                self.denominator = cell::value(bytes, words);
            }
        }
        notes.not_utf8 = notes.not_utf8 || std::str::from_utf8(bytes).is_err();
    }
}

struct Rows<'a, 'p> {
    name: &'a str,
    layout: &'a Layout,
    measures: Vec<Measure>,
    by_name: HashMap<Vec<u8>, usize, FixedState>,
    current: usize,
    pool: &'a mut Pool<'p>,
    behind: Option<&'a mut Behind>,
}

impl Rows<'_, '_> {
    fn add(&mut self, id: String) {
        self.current = self.measures.len();
        self.by_name.insert(id.clone().into_bytes(), self.current);
        let grouped_by = vec![false; self.layout.groups.len()];
        let (dates, by_date, dropped) = (Vec::new(), HashMap::default(), HashMap::default());
        self.measures.push(Measure { id, dates, by_date, grouped_by, unit: Unit::Groups, dropped });
    }

    fn fault<T>(&self, code: FaultCode, message: String, help: &str) -> Result<T, Fault> {
        Err(data_fault(code, format!("{}: {message}", self.name)).help(help))
    }

    fn finish(&mut self, row: &Row, notes: &mut Notes, keep_below: bool) -> Result<(), Fault> {
        notes.rows += 1;
        if notes.rows > MAX_ROWS {
            return self.fault(FaultCode::TooLarge, format!("more than {MAX_ROWS} rows"), "split the measure by date");
        }
        let date = match row.date {
            Day::Date(date) => date,
            Day::Blank => {
                notes.undated += 1;
                return Ok(());
            }
            Day::Bad => {
                let message = format!("line {}, column date: not a date", row.line);
                return self.fault(FaultCode::BadDate, message, "write YYYY-MM-DD or YYYY-MM-DD HH:MM:SS");
            }
        };
        if self.layout.measure.is_some() {
            self.turn_to(row)?;
        }
        let value = match row.value {
            Cell::Number(number) => Some(number),
            Cell::Missing => None,
            Cell::Redacted => {
                notes.redacted += 1;
                None
            }
            Cell::Infinite(number) if number < 0.0 && keep_below => Some(number),
            Cell::Infinite(_) => {
                notes.infinite += 1;
                self.drop_value(date);
                return Ok(());
            }
            Cell::NotNumeric => {
                let message = format!("line {}, column value: not a number", row.line);
                let help = "write a number; a missing value is blank or nan, a hidden one [REDACTED]";
                return self.fault(FaultCode::NotNumeric, message, help);
            }
        };
        let group = self.group(date)?;
        if let (Some(behind), Some(value)) = (&mut self.behind, value) {
            behind.push(group, value, row.people(value));
        }
        match value {
            Some(value) => self
                .pool
                .push(group, value)
                .map_err(|error| Fault::writing("values to the disk that do not fit into memory", &error)),
            None => {
                self.drop_value(date);
                Ok(())
            }
        }
    }

    fn drop_value(&mut self, date: Date) {
        if self.behind.is_none() {
            return;
        }
        if let Some(measure) = self.measures.get_mut(self.current) {
            *measure.dropped.entry(date).or_default() += 1;
        }
    }

    /// Makes the row's measure the current one.
    fn turn_to(&mut self, row: &Row) -> Result<(), Fault> {
        let same = self.measures.get(self.current).is_some_and(|measure| measure.id.as_bytes() == row.measure);
        if !same {
            match self.by_name.get(&row.measure) {
                Some(known) => self.current = *known,
                None => {
                    let good = |id: &&str| {
                        !id.is_empty() && id.len() <= MAX_NAME && id.chars().all(|c| c.is_alphanumeric() || c == '_')
                    };
                    let Some(id) = std::str::from_utf8(&row.measure).ok().filter(good).map(str::to_owned) else {
                        let message = format!("line {}, column measure: not the name of a measure", row.line);
                        let help = format!("names are letters, digits and _, at most {MAX_NAME} bytes");
                        return self.fault(FaultCode::MalformedFile, message, &help);
                    };
                    if self.measures.len() == MAX_MEASURES {
                        let message = format!("more than {MAX_MEASURES} measures");
                        return self.fault(FaultCode::TooLarge, message, "split the file");
                    }
                    self.add(id);
                }
            }
        }
        if let Some(measure) = self.measures.get_mut(self.current) {
            for (used, now) in measure.grouped_by.iter_mut().zip(&row.groups) {
                *used = *used || *now;
            }
        }
        Ok(())
    }

    fn group(&mut self, date: Date) -> Result<usize, Fault> {
        let full = self.pool.groups() >= MAX_GROUPS;
        let Some(measure) = self.measures.get_mut(self.current) else { return Ok(usize::MAX) };
        if let Some(group) = measure.by_date.get(&date) {
            return Ok(*group);
        }
        if full || measure.dates.len() == MAX_DATES {
            let message = format!("more than {MAX_DATES} dates in a measure, or {MAX_GROUPS} in a file");
            return self.fault(FaultCode::TooLarge, message, "split the file by date");
        }
        let group = self.pool.group();
        measure.by_date.insert(date, group);
        measure.dates.push((date, group));
        Ok(group)
    }
}

/// Says what was left out and why, in numbers that give nothing away (actions.md 3.6).
fn tell(name: &str, layout: &Layout, notes: &Notes, measures: &[Measure], stderr: &mut dyn Write) {
    if notes.infinite > 0 {
        let line = format!("{name}: rows left out because their denominator is zero: {}", about(notes.infinite));
        let _ = writeln!(stderr, "{}", clean(&line));
    }
    if notes.undated > 0 {
        warn(stderr, &format!("{name}: rows left out because they have no date: {}", about(notes.undated)));
    }
    if notes.redacted > 0 {
        let count = about(notes.redacted);
        warn(stderr, &format!("{name}: hidden values, such as [REDACTED], count as missing: {count}"));
    }
    if notes.short > 0 {
        let count = about(notes.short);
        warn(stderr, &format!("{name}: rows with too few fields were filled with blanks: {count}"));
    }
    if notes.not_utf8 {
        warn(stderr, &format!("{name} holds bytes that are not UTF-8"));
    }
    for measure in measures {
        let columns = match layout.measure {
            Some(_) => measure.grouped_by.iter().filter(|used| **used).count(),
            None => layout.groups.len(),
        };
        if columns > 1 {
            let message = format!(
                "measure {} of {name} is grouped by {columns} columns; all rows of a date are taken together",
                measure.id
            );
            warn(stderr, &message);
        }
    }
}
