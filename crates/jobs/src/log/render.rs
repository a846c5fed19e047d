//! The log file of a job: what it printed, with times, then the summary.
//! Spec jobs.md 15. A printed line always has a time before it, so it can never pass for the summary.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, Seek, SeekFrom, Write};

use pipeline::PrivacyLevel;

use super::visible;

/// How much of a job's output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// The last lines that are kept.
    pub lines: usize,
    /// `log_max_bytes`.
    pub bytes: u64,
}

impl Default for LogLimits {
    /// 100,000 lines and 1 GiB (spec jobs.md 15, 23).
    fn default() -> Self {
        Self { lines: 100_000, bytes: 1 << 30 }
    }
}

/// The summary at the end of a log; empty texts are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Job id.
    pub job_definition_id: String,
    /// Request id.
    pub job_definition_rap_id: String,
    /// The study's commit.
    pub commit: String,
    /// What ran.
    pub docker_image_id: String,
    /// As text.
    pub exit_code: String,
    /// As text.
    pub created_at: String,
    /// As text.
    pub completed_at: String,
    /// For database jobs.
    pub database_name: String,
    /// What people are told; may have several lines.
    pub status_message: String,
    /// [`Hint`](crate::collect::Hint) as text; may have several lines.
    pub hint: String,
    /// Path to level.
    pub outputs: BTreeMap<String, PrivacyLevel>,
    /// Path to reasons.
    pub excluded: BTreeMap<String, String>,
}

/// Writes a log file: the supervisor's timed lines (`{time} {text}`), as many of the last as `limits` allow, and the
/// summary. Needs memory for the lengths of the kept lines only.
///
/// # Errors
/// What reading or writing says.
pub fn write_log(
    lines: &mut (impl BufRead + Seek),
    summary: &Summary,
    limits: LogLimits,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut ends_line = true;
    let mut kept: VecDeque<u64> = VecDeque::new();
    let (mut total, mut bytes, mut cut) = (0, 0, 0u64);
    loop {
        let length = line_length(lines, &mut ends_line)?;
        if length == 0 {
            break;
        }
        kept.push_back(length);
        total += length;
        bytes += length;
        while kept.len() > limits.lines || bytes > limits.bytes {
            bytes -= kept.pop_front().unwrap_or(bytes);
            cut += 1;
        }
    }
    if cut > 0 {
        writeln!(out, "[{cut} earlier lines are left out]")?;
    }
    lines.seek(SeekFrom::Start(total - bytes))?;
    io::copy(&mut io::Read::take(lines, bytes), out)?;
    if !ends_line && bytes > 0 {
        out.write_all(b"\n")?;
    }
    out.write_all(trailer(summary).as_bytes())
}

/// The bytes of the next line with its end, however long, without holding it.
fn line_length(lines: &mut impl BufRead, ends_line: &mut bool) -> io::Result<u64> {
    let mut length = 0;
    loop {
        let buffer = match lines.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if buffer.is_empty() {
            return Ok(length);
        }
        let end = buffer.iter().position(|b| *b == b'\n');
        let taken = end.map_or(buffer.len(), |at| at + 1);
        lines.consume(taken);
        length += taken as u64;
        *ends_line = end.is_some();
        if end.is_some() {
            return Ok(length);
        }
    }
}

/// What stands after the last line: a blank line, the summary, the outputs, and what was excluded.
pub fn trailer(summary: &Summary) -> String {
    let mut out = String::from("\n=============JOB SUMMARY=============\n");
    for (key, value) in [
        ("job_definition_id", &summary.job_definition_id),
        ("job_definition_rap_id", &summary.job_definition_rap_id),
        ("commit", &summary.commit),
        ("docker_image_id", &summary.docker_image_id),
        ("exit_code", &summary.exit_code),
        ("created_at", &summary.created_at),
        ("completed_at", &summary.completed_at),
        ("database_name", &summary.database_name),
        ("status_message", &summary.status_message),
        ("hint", &summary.hint),
    ] {
        if !value.is_empty() {
            out += &format!("{key}: {value}\n");
        }
    }
    out += "\noutputs:\n";
    if summary.outputs.is_empty() {
        out += "  (no outputs)\n";
    }
    out += &table(summary.outputs.iter().map(|(path, level)| (path.as_str(), level.as_str())));
    if !summary.excluded.is_empty() {
        out += "\nInvalid moderately_sensitive outputs:\n";
        out += &table(summary.excluded.iter().map(|(path, why)| (path.as_str(), why.as_str())));
    }
    out
}

/// `  first  - second` a line, the first column padded.
fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows: Vec<_> = rows.map(|(a, b)| (visible(a), visible(b))).collect();
    let width = rows.iter().map(|(a, _)| a.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(a, b)| format!("  {a:<width$}  - {b}\n")).collect()
}
