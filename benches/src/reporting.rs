//! The table of dataset-report: a page for one and for twelve files of patients, beside a script that does what the
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

const JOBS: [Job; 4] = [
    Job {
        name: "csv.gz, 1 file", ending: "csv.gz", files: 1, today: [4.2, 3.6, 785.0], goal: "≥ 10×, ≥ 5×; ≤ 0.10"
    },
    Job {
        name: "csv.gz, 12 files",
        ending: "csv.gz",
        files: 12,
        today: [48.0, 38.0, 828.0],
        goal: "≥ 10×, ≥ 5×; ≤ 0.10",
    },
    Job { name: "feather, 1 file", ending: "feather", files: 1, today: [0.6, 0.6, 216.0], goal: "≥ 10×; ≤ 0.20" },
    Job {
        name: "feather, 12 files", ending: "feather", files: 12, today: [3.6, 3.3, 353.0], goal: "≥ 10×; ≤ 0.20"
    },
];

/// Prints it. The machine should have nothing else to do: wall-clock times are part of it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let Some(python) = &setup.python else {
        println!("\ndataset-report is not measured: the files are made by pandas, and no Python was named");
        return Ok(());
    };
    let python = std::path::absolute(python)?;
    let script = setup.root.join("benches/originals/dataset_report.py").canonicalize()?;
    let program = setup.root.join("target/release/cloister").canonicalize()?;
    let folder = files(setup, &python, &script)?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "\n| dataset-report, 1,000,000 rows × 20 columns (load before: {}) | ours: wall s / CPU s / peak MB | \
         script of ours in Python | original, as the spec has it | times faster than the spec's: wall, CPU; share of \
         memory | goal |",
        load.split(' ').next().unwrap_or("?")
    );
    println!("|---|---|---|---|---|---|");
    for job in JOBS {
        let pattern =
            if job.files == 1 { format!("input_01.{}", job.ending) } else { format!("input_*.{}", job.ending) };
        let ours = Spent::median(3, || {
            let mut command = Command::new(&program);
            command.args(["action", "dataset-report:v0.0.29", "--input-files", &pattern, "--output-dir", "out"]);
            command.current_dir(&folder);
            command
        })?;
        setup.baseline.note("reporting", job.name, &ours);
        let theirs = Spent::on(
            Command::new(&python)
                .arg(&script)
                .args(["report", "today"])
                .args((1..=job.files).map(|file| name(file, job.ending)))
                .current_dir(&folder),
        )?;
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

/// A folder with twelve files of each format: the same rows, as those of one month and the next nearly are.
fn files(setup: &Setup, python: &Path, script: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let folder = setup.folder.path().join("reporting");
    fs::create_dir_all(&folder)?;
    rows(&folder.join("rows.csv"), 1_000_000)?;
    let made = Command::new(python).arg(script).args(["make", "rows.csv", "input_01"]).current_dir(&folder).status()?;
    if !made.success() {
        return Err("the files could not be made; pandas and pyarrow are needed".into());
    }
    for file in 2..=12 {
        for ending in ["csv.gz", "feather"] {
            fs::hard_link(folder.join(name(1, ending)), folder.join(name(file, ending)))?;
        }
    }
    Ok(folder)
}
