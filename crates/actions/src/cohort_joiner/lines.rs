//! A csv file joined to lines of text, as a stream: memory is that of the right side and fixed buffers.
//! Rows keep their order; a row with several partners becomes as many (actions.md 4.2).

use std::io::{self, Write};
use std::path::Path;

use crate::csv::push_field;
use crate::workspace::Workspace;

use super::block::Block;
use super::csv_side::{CsvSide, Row};
use super::inputs::{LEFT, Left, RIGHT, Side};
use super::key::Key;
use super::matches::{Finder, Gathering, Keys, Lines, MakeFile, Used};
use super::original::{self, Types};
use super::tell::Counts;
use super::trouble::Trouble;

/// Lines go on when they have grown to this many bytes.
const HANDED_ON: usize = 64 << 10;

/// The right side as lines of text.
pub(super) struct Right {
    pub(super) lines: Lines,
    pub(super) keys: Keys,
    /// What follows a left row without a partner.
    blank: Vec<u8>,
}

impl Right {
    /// Reads a csv file.
    pub(super) fn of_csv(
        workspace: &Workspace,
        side: &Side,
        mut gathering: Gathering<'_>,
        stderr: &mut dyn Write,
    ) -> Result<Self, Trouble> {
        let mut csv = CsvSide::open(workspace, &side.path, RIGHT, false, &mut io::sink())?;
        csv.each(|row| gathering.push(Key::of_text(row.key), |line| row.carry(line)))?;
        csv.tell(stderr);
        Self::of(gathering, side.header.names.len() - 1)
    }

    /// Reads a csv file as the original does; `gaps`: whole numbers are written as floats.
    pub(super) fn of_csv_as_original(
        workspace: &Workspace,
        side: &Side,
        gaps: bool,
        mut gathering: Gathering<'_>,
        stderr: &mut dyn Write,
    ) -> Result<Self, Trouble> {
        let open = || CsvSide::open(workspace, &side.path, RIGHT, true, &mut io::sink());
        let types = Types::of(&mut open()?)?;
        let (mut csv, mut at) = (open()?, 0);
        csv.each_fields(|fields| {
            let key = original::key(fields.get(side.header.key));
            gathering.push(key, |line| types.carry(line, fields, side.header.carried(), at, gaps))?;
            at += 1;
            Ok(())
        })?;
        csv.tell(stderr);
        Self::of(gathering, side.header.names.len() - 1)
    }

    /// `columns`: how many are carried.
    pub(super) fn of(gathering: Gathering<'_>, columns: usize) -> Result<Self, Trouble> {
        let mut lines = gathering.done()?;
        let keys = match &mut lines {
            Lines::Memory(index) => Keys::of(index),
            Lines::Disk(parts) => parts.keys()?,
        };
        Ok(Self { lines, keys, blank: vec![b','; columns] })
    }

    fn finder<'a>(
        &'a self,
        workspace: &Workspace,
        path: &Path,
        original: bool,
        make_file: &mut MakeFile<'_>,
    ) -> Result<Finder<'a>, Trouble> {
        Ok(match &self.lines {
            Lines::Memory(index) => Finder::Memory(index, Used::new(index.len())),
            Lines::Disk(parts) => {
                let mut left = CsvSide::open(workspace, path, LEFT, original, &mut io::sink())?;
                let key = |row: &Row<'_>, ask: &mut dyn FnMut(Key<'_>) -> Result<(), Trouble>| match original {
                    true => ask(original::key(row.key)),
                    false => ask(Key::of_text(row.key)),
                };
                Finder::Disk(parts.answer(make_file, |ask| left.each(|row| key(row, ask)))?)
            }
        })
    }

    /// Whether a left file has rows without a partner, as the original reads it.
    pub(super) fn has_gaps(
        &self,
        workspace: &Workspace,
        path: &Path,
        make_file: &mut MakeFile<'_>,
    ) -> Result<bool, Trouble> {
        let mut finder = self.finder(workspace, path, true, make_file)?;
        let mut gaps = false;
        CsvSide::open(workspace, path, LEFT, true, &mut io::sink())?.each(|row| {
            gaps |= finder.each(original::key(row.key), |_| Ok(()))? == 0;
            Ok(())
        })?;
        Ok(gaps)
    }

    /// Writes the result of one left file as the original does.
    pub(super) fn join_as_original(
        &self,
        workspace: &Workspace,
        left: &Left,
        make_file: &mut MakeFile<'_>,
        stderr: &mut dyn Write,
        out: &mut dyn Write,
    ) -> Result<Counts, Trouble> {
        let path = &left.side.path;
        let open = || CsvSide::open(workspace, path, LEFT, true, &mut io::sink());
        let types = Types::of(&mut open()?)?;
        let mut finder = self.finder(workspace, path, true, make_file)?;
        let (header, places) = (&left.side.header, left.side.header.names.len());
        let mut names = left.names.clone();
        if types.rows == 0 {
            names[header.key..places].rotate_left(1);
        }
        let mut csv = open()?;
        let mut counts = Counts::default();
        let (mut text, mut line) = (Vec::with_capacity(2 * HANDED_ON), Vec::new());
        push_header(&mut text, &names);
        csv.each_fields(|fields| {
            line.clear();
            types.carry(&mut line, fields, 0..places, counts.rows, false);
            counts.rows += 1;
            let mut write = |carried: &[u8]| -> Result<(), Trouble> {
                let line = &line[1..];
                text.extend_from_slice(line);
                text.extend_from_slice(carried);
                end_line(&mut text, line.is_empty() && carried.is_empty());
                hand_on(&mut text, out)
            };
            if finder.each(original::key(fields.get(header.key)), &mut write)? > 0 {
                counts.matched += 1;
                return Ok(());
            }
            write(&self.blank)
        })?;
        out.write_all(&text)?;
        csv.tell(stderr);
        counts.used = finder.used();
        Ok(counts)
    }

    /// Writes the result of one left file as text.
    pub(super) fn join(
        &self,
        workspace: &Workspace,
        left: &Left,
        make_file: &mut MakeFile<'_>,
        stderr: &mut dyn Write,
        out: &mut dyn Write,
    ) -> Result<Counts, Trouble> {
        let mut finder = self.finder(workspace, &left.side.path, false, make_file)?;
        let mut csv = CsvSide::open(workspace, &left.side.path, LEFT, false, &mut io::sink())?;
        let mut counts = Counts::default();
        let mut text = Vec::with_capacity(2 * HANDED_ON);
        push_header(&mut text, &left.names);
        let mut block = Block::default();
        let mut write = |block: &mut Block| {
            block.join(&mut finder, |line, carried| {
                let carried = carried.unwrap_or(&self.blank);
                text.extend_from_slice(line);
                text.extend_from_slice(carried);
                end_line(&mut text, line.is_empty() && carried.is_empty());
                hand_on(&mut text, out)
            })
        };
        csv.each(|row| {
            counts.rows += 1;
            block.push(row.line, Key::of_text(row.key));
            if block.is_full() {
                counts.matched += write(&mut block)?;
            }
            Ok(())
        })?;
        counts.matched += write(&mut block)?;
        out.write_all(&text)?;
        csv.tell(stderr);
        counts.used = finder.used();
        Ok(counts)
    }
}

/// Writes lines when there are enough.
fn hand_on(text: &mut Vec<u8>, out: &mut dyn Write) -> Result<(), Trouble> {
    if text.len() >= HANDED_ON {
        out.write_all(text)?;
        text.clear();
    }
    Ok(())
}

/// A line that is one blank field would be none: it is written as two quotes.
fn end_line(text: &mut Vec<u8>, blank: bool) {
    text.extend_from_slice(if blank { b"\"\"\n" } else { b"\n" });
}

fn push_header(text: &mut Vec<u8>, names: &[Vec<u8>]) {
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        push_field(text, name);
    }
    text.push(b'\n');
}
