//! The last lines of a running or finished job, for reports.
//! Spec cli.md 4.5: the last 32 lines without their times, marked if cut.

use std::io::{self, Read, Seek, SeekFrom};

use super::visible;

/// How far back is looked at most, whatever the lines are.
const MOST: u64 = 4 << 20;

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// Without times, safe for a terminal.
    pub lines: Vec<String>,
    /// There were more lines before.
    pub cut: bool,
}

/// The last `lines` lines of the supervisor's timed log (not of the file that [`write_log`](super::write_log) makes). Reads
/// at most 4 MiB from the end, invalid UTF-8 is replaced.
///
/// # Errors
/// What reading says.
pub fn tail(log: &mut (impl Read + Seek), lines: usize) -> io::Result<Tail> {
    let size = log.seek(SeekFrom::End(0))?;
    let mut take = (64 * 1024).min(size);
    let bytes = loop {
        log.seek(SeekFrom::Start(size - take))?;
        let mut bytes = Vec::new();
        log.by_ref().take(take).read_to_end(&mut bytes)?;
        let breaks = bytes.iter().filter(|b| **b == b'\n').count();
        if take == size || take >= MOST || breaks > lines {
            break bytes;
        }
        take = (take * 8).min(size).min(MOST);
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut all: Vec<&str> = text.split('\n').collect();
    if all.last().is_some_and(|last| last.is_empty()) {
        all.pop();
    }
    // The first piece may be the end of a line whose beginning was not read.
    let partial = take < size;
    if partial && all.len() > 1 {
        all.remove(0);
    }
    let from = all.len().saturating_sub(lines);
    Ok(Tail {
        lines: all[from..].iter().map(|line| visible(without_time(line)).into_owned()).collect(),
        cut: partial || from > 0,
    })
}

/// A line of the supervisor begins with a time and one blank.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest)) if is_time(time) => rest,
        // A line without text may have lost its blank.
        None if is_time(line) => "",
        _ => line,
    }
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T') && text.is_ascii()
}
