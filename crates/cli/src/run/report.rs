//! The report at the end of a run: each finished job, failures last, then the counts. Spec cli.md 4.5.

use std::fmt::Write;
use std::time::Duration;

use jobs::collect::Hint;
use jobs::engine::{JobReport, ReportedOutput};
use jobs::log::plain;
use pipeline::report::visible;

use crate::terminal::uncommanding;
use crate::words::{elapsed, plural};

/// Lines of a failed job's log that are shown.
const LONGEST_LINE: usize = 4000;

/// The blocks of all jobs that ran: succeeded ones in order of start, then failed ones.
/// Jobs that never started because a need failed are counted, not listed.
pub(crate) fn blocks(reports: &[JobReport]) -> String {
    let mut text = String::new();
    for report in reports.iter().filter(|r| r.succeeded()) {
        block(&mut text, report);
    }
    for report in reports.iter().filter(|r| !r.succeeded()) {
        block(&mut text, report);
    }
    text
}

pub(super) fn block(text: &mut String, report: &JobReport) {
    put(text, format_args!("=> {}", visible(report.action.as_str())));
    if let Some(cause) = cause(&report.tail.lines).filter(|_| !report.succeeded()) {
        put(text, format_args!("   {cause}"));
    }
    put(text, format_args!("   {}", indented(&report.message)));
    if let Some(log) = &report.log {
        put(text, format_args!("   log file: {}", visible(log)));
    }
    outputs(text, &report.outputs);
    if !report.unmatched.is_empty() {
        put(text, format_args!("   no file matches:"));
        for pattern in &report.unmatched {
            put(text, format_args!("     {}", visible(pattern)));
        }
        if let Some(hint) = &report.hint {
            hints(text, hint);
        }
    }
    for note in &report.notes {
        put(text, format_args!("   note: {}", visible(note)));
    }
    if !report.tail.lines.is_empty() && !report.succeeded() {
        let cut = if report.tail.cut { " (earlier lines are in the log file)" } else { "" };
        put(text, format_args!("   last lines of the log{cut}:"));
        for line in &report.tail.lines {
            let shown: String = visible(&plain(line)).chars().take(LONGEST_LINE).collect();
            put(text, format_args!("     {}", uncommanding(&shown)));
        }
    }
    text.push('\n');
}

fn outputs(text: &mut String, outputs: &[ReportedOutput]) {
    let width = outputs.iter().map(|o| visible(&o.path).chars().count()).max().unwrap_or(0);
    if !outputs.is_empty() {
        put(text, format_args!("   outputs:"));
    }
    for output in outputs {
        put(text, format_args!("     {:width$} - {}", visible(&output.path), output.level));
    }
    let mut invalid = outputs.iter().filter_map(|o| o.excluded.as_ref().map(|why| (o, why))).peekable();
    if invalid.peek().is_some() {
        put(text, format_args!("   invalid moderately_sensitive outputs:"));
    }
    for (output, why) in invalid {
        put(text, format_args!("     {:width$} - {}", visible(&output.path), visible(why)));
    }
}

fn hints(text: &mut String, Hint { files: near, more }: &Hint) {
    if near.is_empty() {
        return put(text, format_args!("   the job made no other new file"));
    }
    put(text, format_args!("   new files that match nothing; did you mean:"));
    for path in near {
        put(text, format_args!("     {}", visible(path)));
    }
    if *more > 0 {
        put(text, format_args!("     and {more} more"));
    }
}

/// The first line that looks like the cause, in the shapes of Python, R and a shell.
fn cause(tail: &[String]) -> Option<String> {
    let looks = |line: &&String| {
        let word = line.split([':', ' ', '(']).next().unwrap_or_default();
        let python = word.rsplit('.').next().is_some_and(|w| w.ends_with("Error") || w.ends_with("Exception"));
        (python && line.contains(':') && !line.starts_with(' '))
            || line.starts_with("Error in ")
            || line.starts_with("Error: ")
            || line.starts_with("error[")
    };
    tail.iter().rev().find(looks).map(|line| visible(&plain(line)).chars().take(200).collect())
}

/// The last line: what became of every action, and how long it took.
pub(crate) fn counts(reports: &[JobReport], not_started: usize, reused: usize, time: Duration) -> String {
    let succeeded = reports.iter().filter(|r| r.succeeded()).count();
    let cancelled = reports.iter().filter(|r| r.cancelled()).count();
    let failed = reports.len() - succeeded - cancelled;
    let mut parts = vec![format!("{} succeeded", plural(succeeded, "job"))];
    for (count, word) in
        [(failed, "failed"), (cancelled, "cancelled"), (not_started, "not started"), (reused, "reused")]
    {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    format!("{}, in {}", parts.join(", "), elapsed(time))
}

fn indented(message: &str) -> String {
    message.lines().map(visible).collect::<Vec<_>>().join("\n   ")
}

pub(super) fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use jobs::ObjectId;
    use jobs::StatusCode;
    use pipeline::{ActionName, PrivacyLevel};

    use super::*;

    fn report(action: &str, code: StatusCode, message: &str) -> JobReport {
        let log = Some(format!("metadata/{action}.log"));
        JobReport {
            exit_code: Some(0),
            seconds: 1.0,
            log,
            ..JobReport::not_started(ActionName::new(action), code, message)
        }
    }

    fn output(path: &str, level: PrivacyLevel, excluded: Option<&str>) -> ReportedOutput {
        let excluded = excluded.map(str::to_owned);
        ReportedOutput { path: path.into(), level, size: 1, object: ObjectId::of(b"x"), excluded }
    }

    #[test]
    fn failures_come_last_with_their_cause_on_top() {
        let mut bad = report("fit", StatusCode::NonzeroExit, "The command failed with exit code 1");
        bad.tail.lines = vec!["Traceback (most recent call last):".into(), "ValueError: no rows\u{1b}[31m".into()];
        let mut good = report("describe", StatusCode::Succeeded, "Completed successfully");
        good.outputs = vec![
            output(
                "output/table.csv",
                PrivacyLevel::ModeratelySensitive,
                Some("row count (7210) is above the limit (5000)"),
            ),
            output("output/clean.arrow", PrivacyLevel::HighlySensitive, None),
        ];
        insta::assert_snapshot!(blocks(&[bad, good]));
    }

    #[test]
    fn unmatched_patterns_show_what_else_is_new() {
        let mut bad = report("fit", StatusCode::UnmatchedPatterns, "Some declared outputs were not found");
        bad.unmatched = vec!["output/model.csv".into()];
        bad.hint = Some(Hint { files: vec!["output/modle.csv".into()], more: 2 });
        insta::assert_snapshot!(blocks(&[bad]));
    }

    #[test]
    fn counts_name_only_what_there_is() {
        let good = report("a", StatusCode::Succeeded, "");
        let bad = report("b", StatusCode::NonzeroExit, "");
        assert_eq!(counts(std::slice::from_ref(&good), 0, 0, Duration::from_secs(61)), "1 job succeeded, in 1m 01s");
        assert_eq!(
            counts(&[good.clone(), good, bad], 2, 3, Duration::from_secs(12)),
            "2 jobs succeeded, 1 failed, 2 not started, 3 reused, in 12s"
        );
    }
}
