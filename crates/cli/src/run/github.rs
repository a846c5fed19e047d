//! The report in the form of GitHub's workflow logs: groups, bold headings, annotations.
//! Spec cli.md 4.5. Text of a study can never issue a workflow command.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use jobs::engine::JobReport;
use jobs::explain::PlanView;
use pipeline::report::visible;

use super::report::block;
use crate::project::Found;

/// Log lines of one job that are shown.
const LONGEST: usize = 10_000;

pub(super) fn blocks(reports: &[JobReport], view: &PlanView, found: &Found) -> String {
    let mut text = String::new();
    let failed = reports.iter().filter(|report| !report.succeeded());
    for report in reports.iter().filter(|report| report.succeeded()).chain(failed) {
        let mut plain = String::new();
        block(&mut plain, report);
        // What a study wrote may begin a line; a command begins with two colons.
        let (heading, rest) = plain.split_once('\n').unwrap_or((&plain, ""));
        let _ = writeln!(text, "\u{1b}[1m{}\u{1b}[0m", escape(heading));
        let _ = writeln!(text, "{rest}");
        log(&mut text, report, &found.folder);
        if !report.succeeded() {
            let line =
                view.actions.iter().find(|action| action.action == report.action).map_or(1, |action| action.line);
            let title = property(report.action.as_str());
            let message = escape(&visible(&report.message));
            let _ = writeln!(text, "::error file={},line={line},title={title}::{message}", property(&found.name()));
        }
    }
    text
}

fn log(text: &mut String, report: &JobReport, folder: &Path) {
    let Some(path) = &report.log else { return };
    let Ok(bytes) = fs::read(folder.join(path)) else { return };
    let content = String::from_utf8_lossy(&bytes);
    let token = format!("log-{}", std::process::id().wrapping_mul(2_654_435_761).wrapping_add(bytes.len() as u32));
    let lines: Vec<&str> = content.lines().collect();
    let cut = lines.len().saturating_sub(LONGEST);
    let _ = writeln!(text, "::group::log of {}", escape(&visible(report.action.as_str())));
    let _ = writeln!(text, "::stop-commands::{token}");
    for line in &lines[cut..] {
        let _ = writeln!(text, "{}", visible(line));
    }
    let _ = writeln!(text, "::{token}::");
    let _ = writeln!(text, "::endgroup::");
}

/// As GitHub wants the text of a command.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As GitHub wants a property of a command.
fn property(text: &str) -> String {
    escape(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}
