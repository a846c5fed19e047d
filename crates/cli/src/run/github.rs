//! The report in the form of GitHub's workflow logs: groups, bold headings, annotations.
//! Spec cli.md 4.5. Text of a study can never issue a workflow command.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::time::Duration;

use jobs::RequestId;
use jobs::engine::{JobReport, RunSummary};
use jobs::explain::PlanView;
use pipeline::report::visible;
use sandbox::folder::SafeFolder;

use super::report::{block, put};
use crate::project::Found;
use crate::terminal::Terminal;
use crate::words::elapsed;

/// Log lines of one job that are shown.
const LONGEST: usize = 10_000;
/// Bytes of such a line.
const WIDEST: u64 = 4_000;
/// Characters of a cell of the summary.
const WIDEST_CELL: usize = 500;

pub(super) fn blocks(reports: &[JobReport], view: &PlanView, found: &Found) -> String {
    let mut text = String::new();
    let failed = reports.iter().filter(|report| !report.succeeded());
    for report in reports.iter().filter(|report| report.succeeded()).chain(failed) {
        let mut plain = String::new();
        block(&mut plain, report);
        let (heading, rest) = plain.split_once('\n').unwrap_or((&plain, ""));
        let bold = format!("\u{1b}[1m{}\u{1b}[0m", visible(heading));
        // What a study wrote, its names too, may look like a command anywhere in a line.
        uncommanded(&mut text, std::iter::once(bold).chain(rest.lines().map(|line| visible(line).into_owned())));
        log(&mut text, report, &found.folder);
        if !report.succeeded() {
            let line =
                view.actions.iter().find(|action| action.action == report.action).map_or(1, |action| action.line);
            let (file, title) = (property(&found.name()), property(report.action.as_str()));
            let message = escape(&visible(&report.message));
            put(&mut text, format_args!("::error file={file},line={line},title={title}::{message}"));
        }
    }
    text
}

/// The group of everything up to the report; from here on no command is heard.
pub(super) fn begin(terminal: &Terminal) -> Option<RequestId> {
    terminal.line("::group::Run");
    let token = RequestId::generate().ok()?;
    terminal.line(&format!("::stop-commands::{token}"));
    Some(token)
}

/// Ends what [`begin`] began.
pub(super) fn end(token: Option<RequestId>, terminal: &Terminal) {
    if let Some(token) = token {
        terminal.line(&format!("::{token}::\n::endgroup::"));
    }
}

/// Lines between which no command is heard but one that a study cannot know.
fn uncommanded(text: &mut String, lines: impl Iterator<Item = String>) {
    let Ok(token) = RequestId::generate() else { return };
    put(text, format_args!("::stop-commands::{token}"));
    for line in lines {
        put(text, format_args!("{line}"));
    }
    put(text, format_args!("::{token}::"));
}

fn log(text: &mut String, report: &JobReport, folder: &Path) {
    let Some(path) = &report.log else { return };
    let Ok((lines, cut)) = last_lines(folder, path) else { return };
    put(text, format_args!("::group::log"));
    let cut = (cut > 0).then(|| format!("({cut} earlier lines are in the log file)"));
    uncommanded(text, cut.into_iter().chain(lines));
    put(text, format_args!("::endgroup::"));
}

/// The last lines of a log, each cut where it is endless, and how many came before them.
fn last_lines(folder: &Path, path: &str) -> Result<(VecDeque<String>, usize), Box<dyn Error>> {
    let mut reader = BufReader::new(SafeFolder::at(folder)?.open(path)?);
    let (mut lines, mut cut, mut line) = (VecDeque::new(), 0, Vec::new());
    loop {
        line.clear();
        if (&mut reader).take(WIDEST).read_until(b'\n', &mut line)? == 0 {
            return Ok((lines, cut));
        }
        if line.len() as u64 == WIDEST && line.last() != Some(&b'\n') {
            reader.skip_until(b'\n')?;
        }
        if lines.len() == LONGEST {
            lines.pop_front();
            cut += 1;
        }
        let shown = String::from_utf8_lossy(&line);
        lines.push_back(jobs::log::shown(shown.trim_end_matches(['\r', '\n'])));
    }
}

/// A table of the run for the page of the workflow, if there is one. What cannot be written is only told.
pub(super) fn page(summary: &RunSummary, counts: &str, terminal: &Terminal) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let mut text = String::from("### cloister run\n\n| action | result | time | outputs |\n|---|---|---|---|\n");
    for report in &summary.reports {
        let result = if report.succeeded() { "succeeded".to_owned() } else { cell(&report.message) };
        let mark = if report.succeeded() { "✓" } else { "✗" };
        let (action, time) = (cell(report.action.as_str()), elapsed(Duration::from_secs_f64(report.seconds.max(0.0))));
        put(&mut text, format_args!("| {action} | {mark} {result} | {time} | {} |", report.outputs.len()));
    }
    for report in &summary.not_started {
        let (action, why) = (cell(report.action.as_str()), cell(&report.message));
        put(&mut text, format_args!("| {action} | – {why} | | |"));
    }
    put(&mut text, format_args!("\n{}", cell(counts)));
    let written = OpenOptions::new().create(true).append(true).open(&path);
    if let Err(error) = written.and_then(|mut file| file.write_all(text.as_bytes())) {
        terminal.error(&format!("warning: the summary of this step could not be written: {error}"));
    }
}

/// Text in a cell of a table: one line, nothing of it is markup.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.lines().map(visible).collect::<Vec<_>>().join(" ").chars().take(WIDEST_CELL) {
        match c {
            c if c.is_alphanumeric() || " .,:;/()'=+%".contains(c) => out.push(c),
            // A number instead of the character: no markup is left, and it reads the same.
            c => put_number(&mut out, c),
        }
    }
    out
}

fn put_number(out: &mut String, c: char) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// As GitHub wants the text of a command.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As GitHub wants a property of a command.
fn property(text: &str) -> String {
    escape(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_no_markup() {
        assert_eq!(cell("plain words, 1.5 (a/b)"), "plain words, 1.5 (a/b)");
        assert_eq!(cell("a|b\n<img>`_*"), "a&#124;b &#60;img&#62;&#96;&#95;&#42;");
        assert_eq!(cell("[x](y)"), "&#91;x&#93;(y)");
    }
}
