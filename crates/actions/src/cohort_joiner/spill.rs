//! A right side that does not fit into memory, on the disk in parts by the hash of `patient_id`.
//! For a left file its keys are parted the same way and answered part by part; the answers are read back in its order.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek as _, SeekFrom, Write};

use super::index::{Full, Gathered, Spread};
use super::key::Key;
use super::matches::{Keys, MakeFile, Used};
use super::trouble::Trouble;

/// Each part fits into memory for right sides of up to so many times the limit.
const PARTS: usize = 64;
const BUFFER: usize = 32 << 10;
/// Ends the rows of an answer.
const NO_MORE: u32 = u32::MAX;

/// The right side by parts.
pub(super) struct Parts {
    files: Vec<File>,
    writers: Vec<BufWriter<File>>,
    spread: Spread,
    blanks_match: bool,
}

fn files(make_file: &mut MakeFile<'_>) -> Result<Vec<File>, Trouble> {
    (0..PARTS).map(|_| make_file()).collect()
}

fn writers(files: &[File]) -> io::Result<Vec<BufWriter<File>>> {
    files.iter().map(|file| Ok(BufWriter::with_capacity(BUFFER, file.try_clone()?))).collect()
}

fn finish(writers: Vec<BufWriter<File>>) -> io::Result<()> {
    writers.into_iter().try_for_each(|mut writer| writer.flush())
}

fn part(spread: Spread, key: Key<'_>) -> usize {
    // The index of a part spreads its rows anew, so that these bits are not missing there.
    (spread.of(key) >> 58) as usize % PARTS
}

impl Parts {
    pub(super) fn new(spread: Spread, blanks_match: bool, make_file: &mut MakeFile<'_>) -> Result<Self, Trouble> {
        let files = files(make_file)?;
        Ok(Self { writers: writers(&files)?, files, spread, blanks_match })
    }

    pub(super) fn push(&mut self, key: Key<'_>, line: &[u8]) -> io::Result<()> {
        if key == Key::Blank && !self.blanks_match {
            return Ok(());
        }
        let out = &mut self.writers[part(self.spread, key)];
        write_key(out, key)?;
        write_bytes(out, line)
    }

    /// Reads each part once for what is to be told of its keys.
    pub(super) fn keys(&mut self) -> Result<Keys, Trouble> {
        finish(std::mem::take(&mut self.writers))?;
        let mut keys = Keys::default();
        for at in 0..PARTS {
            let of = Keys::of(&self.index(at)?.build());
            keys.all += of.all;
            keys.repeated += of.repeated;
            keys.extra += of.extra;
        }
        Ok(keys)
    }

    fn index(&self, at: usize) -> Result<Gathered, Trouble> {
        let mut gathered = Gathered::new(Spread::new(), self.blanks_match);
        let (mut input, mut key, mut line) = (reader(&self.files[at])?, Vec::new(), Vec::new());
        while let Some(kind) = read_key(&mut input, &mut key)? {
            read_bytes(&mut input, &mut line)?;
            let pushed = gathered.push(as_key(kind, &key), |text| text.extend_from_slice(&line));
            pushed.map_err(|Full| Trouble::Write(ErrorKind::FileTooLarge.into()))?;
        }
        Ok(gathered)
    }

    /// Answers a left file, whose keys `keys` gives one by one, in its order.
    pub(super) fn answer(
        &self,
        make_file: &mut MakeFile<'_>,
        keys: impl FnOnce(&mut dyn FnMut(Key<'_>) -> Result<(), Trouble>) -> Result<(), Trouble>,
    ) -> Result<Answers, Trouble> {
        let asked = files(make_file)?;
        let mut asking = writers(&asked)?;
        keys(&mut |key| Ok(write_key(&mut asking[part(self.spread, key)], key)?))?;
        finish(asking)?;
        let answered = files(make_file)?;
        let (mut found, mut rows) = (0, 0);
        for (at, (asked, answered)) in asked.iter().zip(&answered).enumerate() {
            let index = self.index(at)?.build();
            let mut used = Used::new(index.len());
            let (mut input, mut key) = (reader(asked)?, Vec::new());
            let mut out = BufWriter::with_capacity(BUFFER, answered);
            while let Some(kind) = read_key(&mut input, &mut key)? {
                let mut row = index.first(as_key(kind, &key));
                match row {
                    Some(first) => used.mark(first),
                    None => rows += 1,
                }
                while let Some(at) = row {
                    write_bytes(&mut out, index.carried(at))?;
                    rows += 1;
                    row = index.next(at);
                }
                out.write_all(&NO_MORE.to_le_bytes())?;
            }
            out.flush()?;
            drop(out);
            found += used.count();
        }
        let readers = answered.iter().map(reader).collect::<io::Result<Vec<_>>>()?;
        Ok(Answers { readers, spread: self.spread, line: Vec::new(), used: found, rows })
    }
}

/// The rows for each row of a left file, by parts.
pub(super) struct Answers {
    readers: Vec<BufReader<File>>,
    spread: Spread,
    line: Vec<u8>,
    /// Keys that were found.
    pub(super) used: u64,
    /// Rows that the result has.
    pub(super) rows: u64,
}

impl Answers {
    /// Calls with each row for the next row of the left file, whose key this must be.
    pub(super) fn each<E: From<Trouble>>(
        &mut self,
        key: Key<'_>,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<u64, E> {
        let input = &mut self.readers[part(self.spread, key)];
        let mut count = 0;
        while let Some(length) = read_length(input).map_err(Trouble::from)? {
            read_exactly(input, &mut self.line, length).map_err(Trouble::from)?;
            each(&self.line)?;
            count += 1;
        }
        Ok(count)
    }

    /// Goes back to the first row of the left file.
    pub(super) fn again(&mut self) -> io::Result<()> {
        self.readers.iter_mut().try_for_each(BufReader::rewind)
    }
}

fn reader(file: &File) -> io::Result<BufReader<File>> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(BufReader::with_capacity(BUFFER, file))
}

const WHOLE: u8 = 0;
const NEGATIVE: u8 = 1;
const TEXT: u8 = 2;
const BLANK: u8 = 3;

fn write_key(out: &mut impl Write, key: Key<'_>) -> io::Result<()> {
    let number = |out: &mut _, kind, bits: u64| {
        let [a, b, c, d, e, f, g, h] = bits.to_le_bytes();
        Write::write_all(out, &[kind, a, b, c, d, e, f, g, h])
    };
    match key {
        Key::Whole(bits) => number(out, WHOLE, bits),
        Key::Negative(bits) => number(out, NEGATIVE, bits),
        Key::Blank => out.write_all(&[BLANK]),
        Key::Text(text) => {
            out.write_all(&[TEXT])?;
            write_bytes(out, text)
        }
    }
}

/// Gives the kind of the next key, its bytes are in `key`; nothing at the end.
fn read_key(input: &mut impl Read, key: &mut Vec<u8>) -> io::Result<Option<u8>> {
    let mut kind = [0];
    if input.read(&mut kind)? == 0 {
        return Ok(None);
    }
    let [kind] = kind;
    match kind {
        BLANK => key.clear(),
        TEXT => read_bytes(input, key)?,
        _ => read_exactly(input, key, 8)?,
    }
    Ok(Some(kind))
}

fn as_key(kind: u8, bytes: &[u8]) -> Key<'_> {
    let bits = || bytes.try_into().map_or(0, u64::from_le_bytes);
    match kind {
        WHOLE => Key::Whole(bits()),
        NEGATIVE => Key::Negative(bits()),
        TEXT => Key::Text(bytes),
        _ => Key::Blank,
    }
}

fn write_bytes(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length != NO_MORE);
    out.write_all(&length.ok_or(ErrorKind::FileTooLarge)?.to_le_bytes())?;
    out.write_all(bytes)
}

fn read_length(input: &mut impl Read) -> io::Result<Option<usize>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    Ok((length != NO_MORE).then_some(length as usize))
}

fn read_bytes(input: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let length = read_length(input)?.ok_or(ErrorKind::InvalidData)?;
    read_exactly(input, bytes, length)
}

fn read_exactly(input: &mut impl Read, bytes: &mut Vec<u8>, length: usize) -> io::Result<()> {
    bytes.resize(length, 0);
    input.read_exact(bytes)
}
