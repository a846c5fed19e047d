//! The table of running: what a job costs beyond its own time, from the command line to the finished output.
//! Goals of issue A; users of today's platform wait 6.7 to 20 s for a trivial job.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{Setup, history};

/// Runs of each row; the median counts.
const RUNS: usize = 15;

/// A study and a settings file with a Python of this machine.
pub(crate) struct Rig {
    pub(crate) folder: PathBuf,
    config: PathBuf,
    python: PathBuf,
    program: PathBuf,
}

/// Prints it. Wall-clock times: what counts is what a person waits, so the machine should have nothing else to do.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let rig = Rig::new(setup)?;
    let python = median(RUNS, || rig.python())?;
    let one = median(RUNS, || rig.run(&["a0"]))?;
    let twenty = median(RUNS, || rig.run(&["run_all", "-f", "-c", "4"]))?;
    let none = median(RUNS, || rig.run(&["run_all"]))?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\n| running (load before: {}) | median, ms | goal, ms |", load.split(' ').next().unwrap_or("?"));
    println!("|---|---|---|");
    println!("| `python -c pass` by itself | {python:.0} | |");
    println!("| one trivial job, without its own time | {:.0} | 150 |", one - python);
    println!("| 20 trivial jobs, 4 at a time | {twenty:.0} | 1500 |");
    println!("| 20 actions, nothing to do | {none:.0} | |");
    history::fill(&rig.folder.join("metadata/cloister/state.sqlite"), 100_000)?;
    rig.run(&["a0"])?;
    let past = median(RUNS, || rig.run(&["a0"]))?;
    println!(
        "| one trivial job after 100,000 past jobs, without its own time | {:.0} | {:.0} |",
        past - python,
        1.2 * (one - python)
    );
    Ok(())
}

impl Rig {
    fn new(setup: &Setup) -> Result<Self, Box<dyn Error>> {
        let action = |n: usize| {
            format!(
                "  a{n}:\n    run: python:v2 -c \"open('output/a{n}.txt', 'w')\"\n    outputs:\n      moderately_sensitive: {{o: output/a{n}.txt}}\n"
            )
        };
        let rig = Self::of(setup, "trivial", &(0..20).map(action).collect::<String>())?;
        rig.run(&["run_all"])?;
        Ok(rig)
    }

    /// A study of this name with these actions, not run yet.
    pub(crate) fn of(setup: &Setup, name: &str, actions: &str) -> Result<Self, Box<dyn Error>> {
        let home = setup.folder.path();
        let rig = Self {
            folder: home.join(name),
            config: home.join("cloister.toml"),
            python: home.join("python"),
            program: setup.root.join("target/release/cloister").canonicalize()?,
        };
        let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&rig.python).status()?;
        if !made.success() {
            return Err("python3 with venv is needed".into());
        }
        fs::create_dir_all(&rig.folder)?;
        fs::write(&rig.config, format!("[runtime.\"python:v2\"]\npath = {:?}\n", rig.python))?;
        fs::write(rig.folder.join("project.yaml"), format!("version: \"5\"\nactions:\n{actions}"))?;
        Ok(rig)
    }

    fn python(&self) -> Result<f64, Box<dyn Error>> {
        timed(Command::new(self.python.join("bin/python")).args(["-c", "pass"]))
    }

    pub(crate) fn run(&self, words: &[&str]) -> Result<f64, Box<dyn Error>> {
        timed(&mut self.command(words))
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&self.config).arg("run").args(words).current_dir(&self.folder);
        command
    }

    pub(crate) fn start(&self, words: &[&str]) -> Result<std::process::Child, std::io::Error> {
        self.command(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }
}

fn timed(command: &mut Command) -> Result<f64, Box<dyn Error>> {
    let begin = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    let time = begin.elapsed().as_secs_f64() * 1e3;
    if output.status.success() {
        return Ok(time);
    }
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed:\n{said}").into())
}

pub(crate) fn median(
    runs: usize,
    mut once: impl FnMut() -> Result<f64, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let mut times = (0..runs).map(|_| once()).collect::<Result<Vec<_>, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Where a state file is filled: in memory, because each job is three durable transactions.
pub(crate) fn fast_folder() -> Result<tempfile::TempDir, std::io::Error> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}
