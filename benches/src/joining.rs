//! The table of cohort-joiner: one and twelve files of patients joined to another, beside a script that does what the
//! original does. Goals and figures of today: spec actions.md 12, measured there with the original.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Setup;
use crate::builtins::rows;
use crate::spent::Spent;

/// One job; figures of today, of the spec: seconds, seconds, MB.
struct Job {
    name: &'static str,
    ending: &'static str,
    files: usize,
    today: [f64; 3],
    goal: &'static str,
}

const FILES: usize = 12;
#[rustfmt::skip]
const JOBS: [Job; 4] = [
    Job { name: "csv.gz, 1 file", ending: "csv.gz", files: 1, today: [26.0, 22.1, 711.0], goal: "≥ 15×, ≥ 12×; ≤ 0.12" },
    Job { name: "csv.gz, 12 files", ending: "csv.gz", files: FILES, today: [328.0, 244.0, 839.0], goal: "≥ 15×, ≥ 12×; as 1 file" },
    Job { name: "feather, 1 file", ending: "feather", files: 1, today: [2.5, 1.8, 392.0], goal: "≥ 4×, ≥ 3×; ≤ 0.25" },
    Job { name: "feather, 12 files", ending: "feather", files: FILES, today: [12.8, 9.5, 438.0], goal: "≥ 4×, ≥ 3×; ≤ 0.25" },
];

/// Prints it. The machine should have nothing else to do: wall-clock times are part of it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let Some(python) = &setup.python else {
        println!("\ncohort-joiner is not measured: the files are made by pandas, and no Python was named");
        return Ok(());
    };
    let python = std::path::absolute(python)?;
    let script = setup.root.join("benches/originals/cohort_joiner.py").canonicalize()?;
    let program = setup.root.join("target/release/cloister").canonicalize()?;
    let folder = files(setup, &python, &script)?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "\n| cohort-joiner, 1,000,000 rows × 20 columns with 950,000 × 2 (load before: {}) | ours: wall s / CPU s / peak \
         MB | script of ours with pandas | original, as the spec has it | times faster than the spec's: wall, CPU; \
         share of memory | goal |",
        load.split(' ').next().unwrap_or("?")
    );
    println!("|---|---|---|---|---|---|");
    for job in JOBS {
        let lhs = if job.files == 1 { format!("input_01.{}", job.ending) } else { format!("input_*.{}", job.ending) };
        let rhs = format!("right.{}", job.ending);
        let ours = Spent::median(if job.files == 1 { 5 } else { 1 }, || {
            let mut command = Command::new(&program);
            command.args(["action", "cohort-joiner:v0.0.58", "--lhs", &lhs, "--rhs", &rhs, "--output-dir", "out"]);
            command.current_dir(&folder);
            command
        })?;
        setup.baseline.note("joining", job.name, &ours);
        let mut theirs = Command::new(&python);
        theirs.arg(&script).args(["join", &rhs, "today"]).args((1..=job.files).map(|file| name(file, job.ending)));
        let theirs = Spent::on(theirs.current_dir(&folder))?;
        let [wall, cpu, peak] = job.today;
        println!(
            "| {} | {ours} | {theirs} | {wall} / {cpu} / {peak:.0} | {:.1}×, {:.1}×; {:.2} | {} |",
            job.name,
            wall / ours.wall,
            cpu / ours.cpu,
            ours.peak / peak,
            job.goal
        );
    }
    Ok(())
}

fn name(file: usize, ending: &str) -> String {
    format!("input_{file:02}.{ending}")
}

/// A folder with the files of all jobs: twelve times the same rows, as those of one month and the next nearly are.
fn files(setup: &Setup, python: &Path, script: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let folder = setup.folder.path().join("joining");
    fs::create_dir_all(folder.join("today"))?;
    rows(&folder.join("rows.csv"), 1_000_000)?;
    if !Command::new(python).arg(script).args(["make", "rows.csv"]).current_dir(&folder).status()?.success() {
        return Err("the files could not be made; pandas and pyarrow are needed".into());
    }
    for file in 2..=FILES {
        for ending in ["csv.gz", "feather"] {
            fs::hard_link(folder.join(name(1, ending)), folder.join(name(file, ending)))?;
        }
    }
    Ok(folder)
}
