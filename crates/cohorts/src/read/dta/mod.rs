//! A Stata file of releases 113 to 115 and 117 to 119, row by row, with its labels and long texts.
//! Those two stand behind the rows, so they are fetched before the first one.

mod bytes;
mod cells;
mod head;
mod labels;
mod old;
mod tagged;
mod texts;

use std::io::{Read as _, SeekFrom};
use std::sync::Arc;

use self::cells::Cells;
use self::head::{Head, Stored};
use self::texts::Texts;
use super::input::{Unpacked, is_gzip};
use super::{Column, Input, Labels, Limits, Notes, Place, ReadError, Rows, Table};
use crate::Format;

const ROWS: u64 = 8_192;
/// Bytes of rows after which a batch ends, however few they are.
const BYTES: u64 = 8 << 20;

pub(super) struct Dta {
    input: Box<dyn Input>,
    head: Head,
    columns: Vec<Column>,
    /// Where each column begins in a row, and at last the width of a row.
    starts: Vec<usize>,
    kept: Vec<usize>,
    texts: Option<Texts>,
    limits: Limits,
    rows: u64,
    notes: Notes,
}

pub(super) fn malformed(place: Place, why: impl Into<String>) -> ReadError {
    ReadError::Malformed { format: "dta", place, why: why.into() }
}

impl Dta {
    pub(super) fn open(format: Format, mut input: Box<dyn Input>, limits: Limits) -> Result<Self, ReadError> {
        let packed = is_gzip(input.as_mut())?;
        let notes = Notes { plain_under_gz: format == Format::DtaGz && !packed, ..Notes::default() };
        if packed && format == Format::DtaGz {
            input = Box::new(Unpacked::new(input, limits));
        }
        let head = head::read(input.as_mut(), limits)?;
        let mut starts = vec![0];
        let mut width = 0_usize;
        for column in &head.columns {
            width += column.stored.width();
            starts.push(width);
        }
        if width == 0 && head.rows > 0 {
            return Err(malformed(Place::Header, "it has rows but no columns"));
        }
        let labels = if head.columns.iter().any(|column| !column.labels.is_empty()) {
            labels::read(input.as_mut(), &head, width as u64, limits)?
        } else {
            std::collections::HashMap::new()
        };
        let columns = head.columns.iter().map(|column| {
            let named: Option<&Arc<Labels>> = labels.get(&column.labels).filter(|_| column.stored.is_whole());
            Column {
                name: column.name.clone().into_bytes(),
                data_type: column.data_type(),
                labels: named.map(Arc::clone),
                stata_format: Some(column.format.clone()),
            }
        });
        let columns: Vec<Column> = columns.collect();
        Ok(Self {
            kept: (0..columns.len()).collect(),
            input,
            columns,
            starts,
            head,
            texts: None,
            limits,
            rows: 0,
            notes,
        })
    }

    fn width(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    fn prepare(&mut self) -> Result<(), ReadError> {
        let wants = self.kept.iter().filter_map(|at| self.head.columns.get(*at)).any(|c| c.stored == Stored::LongText);
        let texts = if wants { texts::read(self.input.as_mut(), &self.head, self.limits)? } else { Texts::default() };
        self.texts = Some(texts);
        let start = self.input.seek(SeekFrom::Start(self.head.rows_at));
        start.map(drop).map_err(|error| ReadError::at(error, Place::Row(1)))
    }

    /// Reads at most so many rows; gives how many, fewer when their texts are long.
    fn fill(&mut self, cells: &mut [Cells], most: usize) -> Result<usize, ReadError> {
        let mut bytes = vec![0; self.width()];
        let texts = self.texts.get_or_insert_default();
        let mut text = 0;
        for row in 0..most {
            let place = Place::Row(self.rows + row as u64 + 1);
            self.input.read_exact(&mut bytes).map_err(|error| ReadError::at(error, place))?;
            for (at, cells) in self.kept.iter().zip(&mut *cells) {
                let range = self.starts.get(*at).zip(self.starts.get(at + 1)).map(|(from, to)| *from..*to);
                let cell = range.and_then(|range| bytes.get(range)).unwrap_or_default();
                text += cells.push(cell, &self.head, texts, place)? as u64;
                // Eight bytes of a row can name a text of any length, again and again.
                if text > self.limits.texts {
                    return Err(ReadError::TooLarge { what: "the text of a row", most: self.limits.texts, place });
                }
            }
            if text >= BYTES {
                return Ok(row + 1);
            }
        }
        Ok(most)
    }
}

impl Table for Dta {
    fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn keep(&mut self, columns: Vec<usize>) {
        self.kept = columns;
    }

    fn next(&mut self) -> Result<Option<Rows>, ReadError> {
        if self.texts.is_none() {
            self.prepare()?;
        }
        let left = self.head.rows - self.rows;
        if left == 0 {
            return Ok(None);
        }
        let most = left.min(ROWS).min((BYTES / (self.width() as u64).max(1)).max(1)) as usize;
        let kept = self.kept.iter().filter_map(|at| self.head.columns.get(*at));
        let mut cells: Vec<Cells> = kept.map(|column| Cells::new(column, most)).collect();
        let len = self.fill(&mut cells, most)?;
        let before = self.rows;
        self.rows += len as u64;
        let columns = cells.into_iter().map(Cells::array).collect();
        Ok(Some(Rows { before, len, columns, packed: None }))
    }

    fn notes(&self) -> Notes {
        self.notes
    }
}

#[cfg(test)]
mod tests;
