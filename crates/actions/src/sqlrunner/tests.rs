//! What cases cannot show: the environment, streams that fail, log lines with a time in them, hostile SQL.
//! Everything else about sqlrunner is a case under `cases/sqlrunner`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use proptest::prelude::*;

use super::query_file::QueryFile;
use super::sql;
use crate::Context;
use crate::context::Ambient;
use crate::fault::FaultCode;
use crate::files::Compat;

const DECLARED: &str = "-- AllowedPatientsWithTypeOneDissent: a test\nSELECT a, b FROM t\n";

fn run(folder: &Path, args: &[&str], ambient: &Ambient) -> (u8, String, String) {
    let args: Vec<OsString> = args.iter().map(OsString::from).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut context = Context::by_hand(folder, &mut stdout, &mut stderr);
    let exit = crate::run_in("sqlrunner:latest", &args, &mut context, ambient);
    (exit, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn study() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("q.sql"), DECLARED).unwrap();
    folder
}

#[test]
fn a_database_in_the_environment_is_refused_not_ignored() {
    let folder = study();
    let ambient = Ambient { database_url: Some("mssql://u:secret@host/db".into()), ..Ambient::default() };
    let (exit, stdout, stderr) = run(folder.path(), &["--output", "rows.csv", "q.sql"], &ambient);
    assert_eq!((exit, stdout.as_str()), (5, ""));
    assert!(stderr.contains("error[database_unavailable]: DATABASE_URL") && !stderr.contains("secret"), "{stderr}");
    assert!(!folder.path().join("rows.csv").exists());
}

#[test]
fn help_teaches() {
    let (exit, stdout, stderr) = run(Path::new("."), &["-h", "--nonsense"], &Ambient::default());
    assert_eq!((exit, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout);
}

#[test]
fn log_lines_are_json_on_stdout_and_in_the_file() {
    let folder = study();
    std::fs::write(folder.path().join("log.jsonl"), "old\n".repeat(1000)).unwrap();
    let args = ["--output", "rows.csv", "--log-file", "log.jsonl", "q.sql"];
    let (exit, stdout, _) = run(folder.path(), &args, &Ambient::default());
    assert_eq!(exit, 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap(), stdout);
    let lines: Vec<serde_json::Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["start_writing_results", "finish_writing_results"]);
    for line in &lines {
        let mut keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(keys, ["event", "filename", "func_name", "level", "lineno", "logger", "timestamp"]);
        assert_eq!((line["logger"].as_str(), line["level"].as_str()), (Some("sqlrunner.main"), Some("info")));
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }
}

/// Class A of actions.md 2.4: beside a csv on stdout the lines go to stderr, with the original into the csv.
#[test]
fn log_lines_stand_aside_of_a_csv_on_stdout() {
    let folder = study();
    let (_, stdout, stderr) = run(folder.path(), &["q.sql"], &Ambient::default());
    assert_eq!((stdout.as_str(), stderr.lines().count()), ("a,b\r\n,\r\n", 2));
    let (_, stdout, stderr) = run(folder.path(), &["--compat=original", "q.sql"], &Ambient::default());
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines.len() == 4 && lines[0].contains("start_writing_results"), "{stdout}");
    assert_eq!((&lines[1..3], lines[3].contains("finish_writing_results")), (&["a,b", ","][..], true));
    assert_eq!(stderr, "");
}

/// A stream that fails after some bytes.
struct Failing(usize, io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::from(self.1));
        }
        let n = buf.len().min(self.0);
        self.0 -= n;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_gone_ends_the_run_without_words() {
    let folder = study();
    let run = |kind| {
        let (mut stdout, mut stderr) = (Failing(2, kind), Vec::new());
        let mut context = Context::by_hand(folder.path(), &mut stdout, &mut stderr);
        let exit = crate::run_in("sqlrunner", &["q.sql".into()], &mut context, &Ambient::default());
        (exit, String::from_utf8(stderr).unwrap().contains("error["))
    };
    assert_eq!(run(io::ErrorKind::BrokenPipe), (1, false));
    assert_eq!(run(io::ErrorKind::StorageFull), (1, true));
}

#[test]
fn a_sql_file_over_the_limit_is_refused() {
    let folder = study();
    std::fs::write(folder.path().join("big.sql"), DECLARED.to_owned() + &" ".repeat(1 << 20)).unwrap();
    let (exit, _, stderr) = run(folder.path(), &["big.sql"], &Ambient::default());
    assert_eq!(exit, 10);
    assert!(stderr.contains("error[too_large]"), "{stderr}");
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let folder = study();
    std::fs::write(folder.path().join("d.csv"), "a,b\n".to_owned() + &"1,\"x,y\"\n".repeat(50_000)).unwrap();
    let made = || {
        let args = ["--output", "rows.csv.gz", "--dummy-data-file", "d.csv", "q.sql"];
        assert_eq!(run(folder.path(), &args, &Ambient::default()).0, 0);
        std::fs::read(folder.path().join("rows.csv.gz")).unwrap()
    };
    let first = made();
    assert_eq!(first, made());
    // No time and no name in the header of the gzip member.
    assert_eq!((&first[..4], &first[4..8]), (&[0x1f, 0x8b, 8, 0][..], &[0; 4][..]));
}

fn columns(text: &str) -> Result<Vec<String>, FaultCode> {
    let query = QueryFile { name: "q.sql".to_owned(), text: text.to_owned(), sha256: String::new() };
    match sql::columns(&query, Compat::Safe) {
        Ok(found) => Ok(found.columns.into_iter().map(|column| column.name).collect()),
        Err(fault) => {
            assert!(!fault.render().is_empty());
            Err(fault.code)
        }
    }
}

#[test]
fn long_and_deep_queries_end_in_a_result_or_a_fault() {
    let sum = format!("SELECT {}1 AS x", "1+".repeat(49_000));
    assert_eq!(columns(&sum), Ok(vec!["x".to_owned()]));
    assert!(columns(&format!("SELECT {}", "1+".repeat(49_000))).is_err());
    let union = format!("SELECT 1 AS x {}", "UNION SELECT 1 ".repeat(12_000));
    assert_eq!(columns(&union), Ok(vec!["x".to_owned()]));
    let list = format!("SELECT x FROM t WHERE c IN ({}'1')", "'12345',".repeat(100_000));
    assert_eq!(columns(&list), Ok(vec!["x".to_owned()]));
    for (open, close) in
        [("(", ")"), ("f(", ")"), ("CASE WHEN a = ", " THEN 1 END"), ("NOT ", ""), ("- ", ""), ("(SELECT ", ")")]
    {
        for depth in [20, 99, 300, 20_000] {
            let text = format!("SELECT {}1{} AS x", open.repeat(depth), close.repeat(depth));
            let result = columns(&text);
            assert!(depth > 20 || result.is_ok() || open == "NOT ", "{open} {depth} {result:?}");
        }
    }
    for open in ["(", "(SELECT * FROM ", "((", "(t JOIN "] {
        for depth in [30, 100, 1000] {
            assert!(columns(&format!("SELECT * FROM {}", open.repeat(depth))).is_err());
            assert!(columns(&format!("SELECT * FROM {}t{}", open.repeat(depth), ")".repeat(depth))).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,60}") {
        let _ = columns(&text);
    }

    #[test]
    fn arbitrary_tokens_never_panic(words in prop::collection::vec(prop::sample::select(vec![
        "SELECT", "FROM", "WITH", "AS", "(", ")", ",", "*", "t", "#t", "@v", "=", "INTO", "UNION", "ALL", "JOIN", "ON", ";", "\nGO\n",
        "CREATE", "TABLE", "DECLARE", "INT", "1", "'x'", "[y]", ".", "TOP", "CASE", "WHEN", "END", "ELSE", "GROUP", "BY", "ORDER", "OVER",
        "VALUES", "PIVOT", "FOR", "IN", "XML", "PATH", "INSERT", "UPDATE", "SET", "DROP", "IF", "EXISTS", "BEGIN", "CROSS", "APPLY", "!", ">", "\"z\"", "-- c\n", "é",
    ]), 0..24)) {
        let _ = columns(&words.join(" "));
    }

    /// Names written in any of the ways of T-SQL come back in order, whatever stands around them.
    #[test]
    fn aliases_come_back(names in prop::collection::vec("[a-z][a-z0-9_ ]{0,6}[a-z0-9]", 1..6), ways in prop::collection::vec(0_usize..5, 6), tail in 0_usize..4) {
        let item = |(name, way): (&String, &usize)| match way {
            0 => format!("[{name}]"),
            1 => format!("COUNT(*) AS [{name}]"),
            2 => format!("[{name}] = a + 1"),
            3 => format!("t.[{name}]"),
            _ => format!("CAST(a AS INT) \"{name}\""),
        };
        let list: Vec<String> = names.iter().zip(&ways).map(item).collect();
        let query = format!("SELECT {} FROM t", list.join(", "));
        let text = match tail {
            0 => query,
            1 => format!("WITH c AS ({query}) SELECT * FROM c"),
            2 => format!("{} SELECT * FROM #made", query.replace(" FROM t", " INTO #made FROM t")),
            _ => format!("SELECT s.* FROM ({query}) AS s UNION SELECT 1"),
        };
        prop_assert_eq!(columns(&text), Ok(names), "{}", text);
    }
}
