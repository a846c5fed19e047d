//! What a whole program costs: wall-clock time, processor time and peak memory, as the kernel counted them.
//! For programs that people start, ours and theirs alike.

use std::error::Error;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4 as _;

/// The cost of one run, or of the run in the middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spent {
    /// Seconds from the start to the end.
    pub(crate) wall: f64,
    /// Seconds of processors, of user and system together.
    pub(crate) cpu: f64,
    /// Most memory at any time, in MB of 10^6 bytes. Never less than what this program takes before the other begins.
    pub(crate) peak: f64,
}

impl Spent {
    /// Runs a command to its end, which must be a good one.
    pub(crate) fn on(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        let mut said = tempfile::tempfile()?;
        let begin = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::try_clone(&said)?).spawn()?;
        let end = child.wait4()?;
        let wall = begin.elapsed().as_secs_f64();
        if !end.status.success() {
            let mut words = String::new();
            said.rewind()?;
            said.read_to_string(&mut words)?;
            return Err(format!("{command:?} failed:\n{words}").into());
        }
        let cpu = (end.rusage.utime + end.rusage.stime).as_secs_f64();
        Ok(Self { wall, cpu, peak: end.rusage.maxrss as f64 / 1e6 })
    }

    /// The middle of several runs, each figure by itself.
    pub(crate) fn median(runs: usize, mut command: impl FnMut() -> Command) -> Result<Self, Box<dyn Error>> {
        let all = (0..runs.max(1)).map(|_| Self::on(&mut command())).collect::<Result<Vec<_>, _>>()?;
        let middle = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = all.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Ok(Self { wall: middle(|s| s.wall), cpu: middle(|s| s.cpu), peak: middle(|s| s.peak) })
    }
}

impl std::fmt::Display for Spent {
    /// `1.23 / 1.20 / 38`, as the spec's table has it: seconds, seconds, MB.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} / {:.3} / {:.0}", self.wall, self.cpu, self.peak)
    }
}
