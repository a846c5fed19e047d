//! Logs as people read them, and their limits.
//! Rows 28 and 29 of spec sandbox.md 13, as far as the file is concerned.

use std::io::{BufReader, Cursor};

use pipeline::PrivacyLevel;

use super::*;

const TIME: &str = "2026-01-02T03:04:05.123456789Z";

fn log(lines: &[&str], summary: &Summary, limits: LogLimits) -> String {
    let text: String = lines.iter().map(|l| format!("{TIME} {l}\n")).collect();
    let mut out = Vec::new();
    // A small buffer, so that lines span several.
    let mut reader = BufReader::with_capacity(7, Cursor::new(text));
    write_log(&mut reader, summary, limits, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn summary() -> Summary {
    Summary {
        job_definition_id: "54fy7iwzg25g3bvp".to_owned(),
        job_definition_rap_id: "5i42i3xk2j47qlg6".to_owned(),
        exit_code: "0".to_owned(),
        status_message: "Completed successfully".to_owned(),
        outputs: [
            ("output/table.csv".to_owned(), PrivacyLevel::ModeratelySensitive),
            ("output/é.arrow".to_owned(), PrivacyLevel::HighlySensitive),
        ]
        .into(),
        excluded: [("output/table.csv".to_owned(), "row count (7210) is above the limit (5000)".to_owned())].into(),
        ..Summary::default()
    }
}

#[test]
fn the_summary_follows_the_lines() {
    let forged = "=============JOB SUMMARY=============";
    insta::assert_snapshot!(log(&["hello", "", forged, "exit_code: 1"], &summary(), LogLimits::default()));
    assert_eq!(
        log(&[], &Summary::default(), LogLimits::default()),
        "\n=============JOB SUMMARY=============\n\noutputs:\n  (no outputs)\n"
    );
}

#[test]
fn a_cut_is_marked() {
    let lines: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let kept = |limits| {
        log(&lines, &Summary::default(), limits)
            .lines()
            .take_while(|l| !l.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let three = kept(LogLimits { lines: 3, bytes: 1 << 30 });
    assert_eq!(three[0], "[7 earlier lines are left out]");
    assert_eq!(three[1..], ["7", "8", "9"].map(|n| format!("{TIME} {n}")));
    // Each line is the time, a blank, one digit and its end: 33 bytes.
    assert_eq!(kept(LogLimits { lines: 100, bytes: 66 }).len(), 3);
    assert_eq!(kept(LogLimits { lines: 100, bytes: 65 }).len(), 2);
    assert_eq!(kept(LogLimits { lines: 100, bytes: 330 }).len(), 10);
}

#[test]
fn a_last_line_without_end_gets_one() {
    let mut out = Vec::new();
    write_log(&mut Cursor::new("a\nb"), &Summary::default(), LogLimits::default(), &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().starts_with("a\nb\n\n====="));
}

#[test]
fn tails_have_no_times_and_no_terminal_sequences() {
    let text: String = (0..50).map(|n| format!("{TIME} line {n}\n")).collect();
    let end = tail(&mut Cursor::new(&text), 32).unwrap();
    assert_eq!((end.lines.len(), end.lines[0].as_str(), end.cut), (32, "line 18", true));
    let all = tail(&mut Cursor::new(&text), 50).unwrap();
    assert_eq!((all.lines.len(), all.cut), (50, false));
    let odd = format!("{TIME} \n{TIME} \x1b[2Jx\nno time here\n{TIME} open");
    let odd = tail(&mut Cursor::new(odd), 32).unwrap();
    assert_eq!(odd.lines, ["", "\\u{1b}[2Jx", "no time here", "open"]);
    assert_eq!(tail(&mut Cursor::new(""), 32).unwrap(), Tail::default());
    let long = format!("{TIME} {}\n", "x".repeat(60_000)).repeat(100);
    let long = tail(&mut Cursor::new(long), 32).unwrap();
    assert_eq!((long.lines.len(), long.lines[0].len(), long.cut), (32, 60_000, true));
    let huge = tail(&mut Cursor::new("y".repeat(9 << 20)), 2).unwrap();
    assert_eq!((huge.lines.len(), huge.lines[0].len(), huge.cut), (1, 4 << 20, true));
}
