//! The log of a run: each line of its output with the time it came, bounded, never holding the run up.
//! The first half of the allowed bytes is kept as it comes; of what follows the last half, told apart by a mark.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// Longest line; what is longer becomes several (spec sandbox.md 6).
const LINE: usize = 64 * 1024;
/// Written in one go.
const BLOCK: usize = 64 * 1024;

/// Where lines of the log go now.
enum Part {
    Head,
    /// Two files by turns: at least one of them and at most both hold the last half.
    Tail {
        current: File,
        length: u64,
        previous: u64,
    },
}

/// A log being written.
pub(crate) struct Log {
    path: PathBuf,
    head: File,
    part: Part,
    /// Bytes of the head so far.
    written: u64,
    half: u64,
    /// Bytes after the head.
    after: u64,
    /// The line that has not ended.
    line: Vec<u8>,
    /// The last line ended by its length.
    split: bool,
    /// Whole lines not yet written.
    block: Vec<u8>,
}

impl Log {
    /// Makes the file at `path`, which must not exist.
    pub(crate) fn create(path: &Path, limit: u64) -> io::Result<Self> {
        let head = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            head,
            part: Part::Head,
            written: 0,
            half: limit / 2,
            after: 0,
            line: Vec::new(),
            split: false,
            block: Vec::with_capacity(BLOCK),
        })
    }

    /// Takes what came; all of it gets the time now.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let time = stamp();
        while let Some(first) = bytes.first() {
            // The end of a line that was just split for its length.
            if std::mem::take(&mut self.split) && *first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let room = (LINE - self.line.len()).min(bytes.len());
            let end = memchr::memchr(b'\n', bytes.get(..room).unwrap_or_default());
            let (taken, rest) = bytes.split_at(end.unwrap_or(room));
            self.line.extend_from_slice(taken);
            self.split = end.is_none() && self.line.len() == LINE;
            bytes = if end.is_some() { rest.get(1..).unwrap_or_default() } else { rest };
            if end.is_some() || self.split {
                self.end_line(&time)?;
            }
        }
        self.flush()
    }

    fn end_line(&mut self, time: &str) -> io::Result<()> {
        self.block.extend_from_slice(time.as_bytes());
        self.block.push(b' ');
        self.block.append(&mut self.line);
        self.block.push(b'\n');
        if self.block.len() >= BLOCK { self.flush() } else { Ok(()) }
    }

    /// Writes whole lines to the part they belong to.
    fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        let mut rest = block.as_slice();
        if matches!(self.part, Part::Head) {
            let room = usize::try_from(self.half.saturating_sub(self.written)).unwrap_or(usize::MAX);
            let fits = if rest.len() <= room {
                rest.len()
            } else {
                rest.get(..room).and_then(|part| part.iter().rposition(|byte| *byte == b'\n')).map_or(0, |end| end + 1)
            };
            let (first, after) = rest.split_at(fits);
            self.head.write_all(first)?;
            self.written += first.len() as u64;
            rest = after;
            if !rest.is_empty() {
                self.part = Part::Tail { current: self.tail_file(0)?, length: 0, previous: 0 };
            }
        }
        self.write_tail(rest)?;
        self.block = block;
        self.block.clear();
        Ok(())
    }

    fn tail_file(&self, number: u8) -> io::Result<File> {
        let path = self.tail_path(number);
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
    }

    fn tail_path(&self, number: u8) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(if number == 0 { ".tail" } else { ".tail-before" });
        name.into()
    }

    fn write_tail(&mut self, bytes: &[u8]) -> io::Result<()> {
        let full = matches!(&self.part, Part::Tail { length, .. } if *length >= self.half);
        if bytes.is_empty() {
            return Ok(());
        }
        if full {
            fs::rename(self.tail_path(0), self.tail_path(1))?;
            let fresh = self.tail_file(0)?;
            if let Part::Tail { current, length, previous } = &mut self.part {
                *previous = *length;
                *length = 0;
                *current = fresh;
            }
        }
        if let Part::Tail { current, length, .. } = &mut self.part {
            current.write_all(bytes)?;
            *length += bytes.len() as u64;
            self.after += bytes.len() as u64;
        }
        Ok(())
    }

    /// Ends the last line and puts the parts together.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let time = stamp();
        if !self.line.is_empty() {
            self.end_line(&time)?;
        }
        self.flush()?;
        let Part::Tail { length, previous, .. } = &self.part else { return Ok(()) };
        let (length, previous) = (*length, *previous);
        // The last `half` bytes of both files together; the first line of them is cut and left out.
        let skip = (length + previous).saturating_sub(self.half);
        let (skip_before, skip_current) = (skip.min(previous), skip.saturating_sub(previous));
        let mut tail = Box::new(io::empty()) as Box<dyn Read>;
        if previous > skip_before {
            let mut before = File::open(self.tail_path(1))?;
            before.seek(SeekFrom::Start(skip_before))?;
            tail = Box::new(before);
        }
        let mut current = File::open(self.tail_path(0))?;
        current.seek(SeekFrom::Start(skip_current))?;
        let mut tail = io::BufReader::new(tail.chain(current));
        let mut dropped = self.after - (length + previous - skip);
        if dropped > 0 {
            dropped += io::BufRead::skip_until(&mut tail, b'\n')? as u64;
            writeln!(
                self.head,
                "{time} [{dropped} bytes of output left out: the log is limited to {} bytes]",
                self.half * 2
            )?;
        }
        io::copy(&mut tail, &mut self.head)?;
        for number in [0, 1] {
            match fs::remove_file(self.tail_path(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// RFC 3339, UTC, nanoseconds.
fn stamp() -> String {
    format!("{:.9}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(limit: u64, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::create(&folder.path().join("log"), limit).unwrap();
        for chunk in chunks {
            log.take(chunk).unwrap();
        }
        log.finish().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left");
        let text = fs::read(folder.path().join("log")).unwrap();
        let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        assert_eq!(lines.pop(), Some(Vec::new()), "the last line is ended");
        lines
    }

    /// Without their times.
    fn texts(lines: &[Vec<u8>]) -> Vec<Vec<u8>> {
        lines.iter().map(|line| line.splitn(2, |byte| *byte == b' ').nth(1).unwrap().to_vec()).collect()
    }

    #[test]
    fn lines_have_times_with_nanoseconds() {
        let lines = written(1 << 20, &[b"one\ntw", b"o\n\nlast"]);
        assert_eq!(texts(&lines), [b"one".to_vec(), b"two".to_vec(), b"".to_vec(), b"last".to_vec()]);
        for line in lines {
            let time = String::from_utf8(line.split(|byte| *byte == b' ').next().unwrap().to_vec()).unwrap();
            // 2026-01-02T03:04:05.123456789Z
            assert_eq!((time.len(), time.find('.')), (30, Some(19)), "{time}");
            assert!(time.ends_with('Z'));
        }
    }

    #[test]
    fn long_lines_are_split_without_empty_ones() {
        let long = vec![b'x'; 2 * LINE];
        let lines = texts(&written(1 << 30, &[&long, b"\n", b"y\n"]));
        assert_eq!(lines, [vec![b'x'; LINE], vec![b'x'; LINE], b"y".to_vec()]);
    }

    #[test]
    fn the_middle_is_left_out_and_said_so() {
        let text: String = (0..10_000).map(|number| format!("line {number}\n")).collect();
        let lines = texts(&written(4_000, &[text.as_bytes()]));
        assert_eq!(lines.first().unwrap(), b"line 0");
        assert_eq!(lines.last().unwrap(), b"line 9999");
        let marks = lines.iter().filter(|line| line.starts_with(b"[")).count();
        assert_eq!(marks, 1);
        // A line is about 40 bytes with its time: 50 in each half.
        assert!((90..110).contains(&lines.len()), "{}", lines.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn how_output_is_cut_into_reads_does_not_matter(
            lines in proptest::collection::vec("[a-z]{0,40}", 0..200),
            cut in 1_usize..50,
            limit in 100_u64..20_000,
        ) {
            let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes();
            let chunks: Vec<&[u8]> = text.chunks(cut).collect();
            let got = texts(&written(limit, &chunks));
            let whole = lines.iter().map(|line| line.clone().into_bytes()).collect::<Vec<_>>();
            let size: u64 = lines.iter().map(|line| line.len() as u64 + 32).sum();
            if size <= limit / 2 {
                prop_assert_eq!(&got, &whole);
            }
            if let Some(mark) = got.iter().position(|line| line.starts_with(b"[")) {
                prop_assert_eq!(&got[..mark], &whole[..mark]);
                let after = &got[mark + 1..];
                prop_assert_eq!(after, &whole[whole.len() - after.len()..]);
                let bytes: u64 = got.iter().filter(|line| !line.starts_with(b"[")).map(|line| line.len() as u64 + 32).sum();
                prop_assert!(bytes <= limit);
            } else {
                prop_assert_eq!(&got, &whole);
            }
        }
    }
}
