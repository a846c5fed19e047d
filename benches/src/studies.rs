//! The table of study definitions: whole runs of the program, beside what the original takes (its figures are those of
//! study-definitions.md 16, for the studies that stand-ins of ours have the size of).

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Setup;

/// One row: a command in a study, what the original takes, and what is wanted.
struct Row<'a> {
    what: &'a str,
    study: &'a Path,
    words: &'a [&'a str],
    /// Seconds and MB.
    today: (Option<f64>, Option<f64>),
    /// Seconds and MB at most.
    goal: (f64, Option<f64>),
    runs: usize,
}

/// How far a goal may be missed before the run fails.
const LENIENCE: f64 = 1.2;

/// Prints it. Wall-clock times, so the machine should have nothing else to do.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let program = setup.root.join("target/release/cloister").canonicalize()?;
    let pincer = copy(setup, "pincer-measures")?;
    let flucats = copy(setup, "flucats")?;
    let measures = written(setup, "measures", MEASURES)?;
    let small = written(setup, "small", SMALL)?;
    let drawn = ["generate_cohort", "--study-definition=study_definition", "--index-date-range=2020-03-01"];
    let with = |more: &[&'static str]| [&drawn, more].concat();
    let hundred = "--expectations-population=100000";
    let (thousand, weekly) = ("--expectations-population=1000", "--index-date-range=2020-03-01 to 2021-03-07 by week");
    let packed = with(&[hundred, "--output-format=csv.gz"]);
    let plain = with(&[hundred, "--output-format=csv"]);
    let feather = with(&[hundred, "--output-format=feather"]);
    let small_csv = with(&[thousand, "--output-format=csv"]);
    let small_gz = with(&[thousand, "--output-format=csv.gz"]);
    let small_feather = with(&[thousand, "--output-format=feather"]);
    let weeks = ["generate_cohort", "--study-definition=study_definition", weekly, thousand, "--output-format=csv.gz"];
    let no_rows = ["generate_cohort", "--expectations-population=1"];
    let of_feather = ["generate_measures", "--output-dir=feather"];
    let of_csv = ["generate_measures", "--output-dir=csv"];
    for (folder, format) in [("feather", "feather"), ("csv", "csv")] {
        let words = ["--output-dir", folder, "--output-format", format, hundred];
        run(&program, &measures, &[&drawn, &words[..]].concat())?;
    }
    let rows = [
        row("start, `--version`", &small, &["--version"], (0.8, 131.0), (0.060, Some(30.0)), 15),
        row("start with recording: one column, one patient", &small, &no_rows, (0.8, 131.0), (0.150, None), 15),
        row("pincer (115 columns), 1,000, csv", &pincer, &small_csv, (1.66, 148.0), (1.66 / 8.0, None), 7),
        row("the same, csv.gz", &pincer, &small_gz, (2.03, 148.0), (2.03 / 8.0, None), 7),
        row("the same, feather", &pincer, &small_feather, (1.86, 148.0), (1.86 / 8.0, None), 7),
        row("pincer, 100,000, csv.gz", &pincer, &packed, (39.0, 347.0), (39.0 / 30.0, Some(150.0)), 3),
        row("the same, csv", &pincer, &plain, (18.0, 347.0), (18.0 / 25.0, Some(150.0)), 3),
        row("the same, feather", &pincer, &feather, (22.0, 534.0), (22.0 / 25.0, Some(150.0)), 3),
        row("flucats (138 columns), 54 weeks × 1,000, csv.gz", &flucats, &weeks, (42.6, f64::NAN), (1.0, None), 3),
        row("16 measures × 100,000, feather", &measures, &of_feather, (1.6, 155.0), (0.16, None), 5),
        row("the same, csv", &measures, &of_csv, (1.6, 191.0), (0.16, None), 5),
    ];
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "\n| study definitions (load before: {}) | today | goal | here | ratio | memory today | goal | here |",
        load.split(' ').next().unwrap_or("?")
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut missed = Vec::new();
    for row in &rows {
        let (seconds, megabytes) = measured(&program, row)?;
        let today = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value}"));
        let ratio = row.today.0.map_or_else(String::new, |today| format!("{:.0}x", today / seconds));
        println!(
            "| {} | {} s | {:.3} s | {seconds:.3} s | {ratio} | {} MB | {} | {megabytes:.0} MB |",
            row.what,
            today(row.today.0),
            row.goal.0,
            today(row.today.1),
            row.goal.1.map_or_else(String::new, |most| format!("{most} MB")),
        );
        if seconds > row.goal.0 * LENIENCE || row.goal.1.is_some_and(|most| megabytes > most * LENIENCE) {
            missed.push(row.what);
        }
    }
    if missed.is_empty() { Ok(()) } else { Err(format!("missed by more than a fifth: {}", missed.join("; ")).into()) }
}

fn row<'a>(
    what: &'a str,
    study: &'a Path,
    words: &'a [&'a str],
    today: (f64, f64),
    goal: (f64, Option<f64>),
    runs: usize,
) -> Row<'a> {
    let known = |value: f64| (!value.is_nan()).then_some(value);
    Row { what, study, words, today: (known(today.0), known(today.1)), goal, runs }
}

/// The median of the seconds, and the most memory of the program itself in any run.
fn measured(program: &Path, row: &Row<'_>) -> Result<(f64, f64), Box<dyn Error>> {
    run(program, row.study, row.words)?;
    let mut times = Vec::new();
    let mut most = 0.0_f64;
    for _ in 0..row.runs {
        let (seconds, megabytes) = run(program, row.study, row.words)?;
        times.push(seconds);
        most = most.max(megabytes);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], most))
}

fn run(program: &Path, study: &Path, words: &[&str]) -> Result<(f64, f64), Box<dyn Error>> {
    let said = tempfile::tempfile()?;
    let mut command = Command::new(program);
    command.args(["action", "cohortextractor:latest"]).args(words).current_dir(study);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.try_clone()?);
    let begin = Instant::now();
    let mut child = command.spawn()?;
    let watched = child.id();
    // The high-water mark of a process goes with it, so it is looked at from beside.
    let watcher = std::thread::spawn(move || {
        let mut most = 0.0_f64;
        while let Ok(status) = fs::read_to_string(format!("/proc/{watched}/status")) {
            let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) else { break };
            let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
            most = most.max(kilobytes * 1024.0 / 1e6);
            std::thread::sleep(Duration::from_millis(2));
        }
        most
    });
    let status = child.wait()?;
    let seconds = begin.elapsed().as_secs_f64();
    let megabytes = watcher.join().unwrap_or_default();
    if status.success() {
        return Ok((seconds, megabytes));
    }
    let mut text = String::new();
    let mut said = said;
    std::io::Seek::rewind(&mut said)?;
    std::io::Read::read_to_string(&mut said, &mut text)?;
    Err(format!("{command:?} failed:\n{text}").into())
}

/// Code and codelists of a stand-in, in a folder of its own.
fn copy(setup: &Setup, name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = setup.folder.path().join(name);
    for part in ["analysis", "codelists"] {
        fs::create_dir_all(folder.join(part))?;
        for entry in fs::read_dir(setup.root.join("studies").join(name).join(part))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), folder.join(part).join(entry.file_name()))?;
            }
        }
    }
    Ok(folder)
}

fn written(setup: &Setup, name: &str, text: &str) -> Result<PathBuf, Box<dyn Error>> {
    let folder = setup.folder.path().join(name);
    for part in ["analysis", "codelists"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(folder.join("analysis/study_definition.py"), text)?;
    Ok(folder)
}

const SMALL: &str = "\
from cohortextractor import StudyDefinition, patients

study = StudyDefinition(
    population=patients.registered_as_of(\"2020-01-01\"),
    sex=patients.sex(return_expectations={\"rate\": \"universal\", \"category\": {\"ratios\": {\"F\": 0.5, \"M\": 0.5}}}),
)
";

/// 16 measures by practice, region, sex and age band, as in the request of seeds/002.
const MEASURES: &str = "\
from cohortextractor import Measure, StudyDefinition, patients

def flag():
    return patients.registered_as_of(\"index_date\", return_expectations={\"incidence\": 0.2})

def category(count):
    ratios = {str(n): 1 / count for n in range(count)}
    return patients.registered_practice_as_of(
        \"index_date\", returning=\"nuts1_region_name\", return_expectations={\"rate\": \"universal\", \"category\": {\"ratios\": ratios}}
    )

study = StudyDefinition(
    index_date=\"2020-01-01\",
    population=patients.registered_as_of(\"index_date\"),
    practice=patients.registered_practice_as_of(
        \"index_date\",
        returning=\"pseudo_id\",
        return_expectations={\"rate\": \"universal\", \"int\": {\"distribution\": \"normal\", \"mean\": 1000, \"stddev\": 100}},
    ),
    region=category(9),
    sex=category(2),
    band=category(8),
    **{\"flag_%d\" % n: flag() for n in range(8)},
)
measures = [
    Measure(id=\"m_%d_%s\" % (n, group), numerator=\"flag_%d\" % n, denominator=\"population\", group_by=[group])
    for n in range(4)
    for group in (\"practice\", \"region\", \"sex\", \"band\")
]
";
