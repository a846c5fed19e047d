//! The report in the form of GitHub's workflow logs: groups, bold headings, annotations.
//! Spec cli.md 4.5. Text of a study can never issue a workflow command.

use std::fs;
use std::path::Path;

use jobs::RequestId;
use jobs::engine::JobReport;
use jobs::explain::PlanView;
use pipeline::report::visible;

use super::report::{block, put};
use crate::project::Found;
use crate::terminal::Terminal;

/// Log lines of one job that are shown.
const LONGEST: usize = 10_000;

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
    let Ok(bytes) = fs::read(folder.join(path)) else { return };
    let content = String::from_utf8_lossy(&bytes);
    let lines = content.lines().count();
    put(text, format_args!("::group::log"));
    uncommanded(text, content.lines().skip(lines.saturating_sub(LONGEST)).map(|line| visible(line).into_owned()));
    put(text, format_args!("::endgroup::"));
}

/// As GitHub wants the text of a command.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As GitHub wants a property of a command.
fn property(text: &str) -> String {
    escape(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}
