//! The table of the sandbox: what isolation costs, and what a neighbour does to a run. Goals of spec sandbox.md 6 and 15.
//! Wall-clock times of real runs by the built `cloister` as supervisor; programs measure their own work themselves.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use sandbox::{Exit, IsolationLevel, Limits, Native, NativeOptions, Root, RunName, Runtime, Spec};

use crate::Setup;

const RUNS: usize = 21;
/// Counts to ten million.
const BUSY: &str = "n = 0\nfor i in range(10_000_000): n += i";
/// Writes, stats and reads small files.
const FILES: &str =
    "import os\nfor i in range(20_000):\n\tp = f'f{i % 50}'\n\topen(p, 'w').write('x'); os.stat(p); open(p).read()";
/// Busy processes beside a trivial run, all cores full.
const CROWD: &str = "import os\nfor _ in range(400):\n\tif os.fork() == 0:\n\t\twhile True: pass\nprint('ready', flush=True)\nwhile True: pass";
const WRITER: &str = "import os\nprint('ready', flush=True)\nb = b'x' * (1 << 20)\nwhile True:\n\twith open('big', 'wb') as f:\n\t\tfor _ in range(200): f.write(b)\n\t\tos.fsync(f.fileno())";

/// Runs in folders of their own.
struct Rig {
    native: Native,
    home: PathBuf,
    count: std::cell::Cell<u32>,
}

/// Prints it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let supervisor = setup.root.join("target/release/cloister").canonicalize()?;
    let options = NativeOptions { supervisor, ..NativeOptions::default() };
    let home = setup.folder.path().join("sandboxes");
    let rig = Rig { native: Native::new(options), home, count: std::cell::Cell::new(0) };
    let starts = rig.starts()?;
    println!("\n| sandbox | measured | goal |");
    println!("|---|---|---|");
    println!("| start to execution, median, ms | {:.1} | 25 |", median(starts.iter().map(|(start, _)| *start)));
    let alone = median(starts.iter().map(|(_, whole)| *whole));
    println!("| whole run of `true`, start to removed, median, ms | {alone:.1} | |");
    println!("| memory of a supervisor, peak, MiB | {:.1} | 8 |", rig.supervisor_peak()?);
    for (name, script, goal) in [("CPU-bound", BUSY, 2), ("file-heavy", FILES, 10)] {
        println!("| slowdown of a {name} program, % | {:.1} | {goal} |", rig.slowdown(script)?);
    }
    for (name, script) in [("400 busy processes", CROWD), ("a writer that syncs", WRITER)] {
        println!("| whole run of `true` beside {name}, times its usual | {:.1} | 3 |", rig.beside(script)? / alone);
    }
    Ok(())
}

impl Rig {
    fn spec(&self, argv: &[&str]) -> Spec {
        let number = self.count.replace(self.count.get() + 1);
        Spec {
            name: RunName(format!("bench-{}-{number}", std::process::id())),
            root: Root::Host { prefixes: Vec::new(), overlays: Vec::new() },
            argv: argv.iter().map(ToString::to_string).collect(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("HOME".into(), "/tmp".into())],
            folder: self.home.join(number.to_string()),
            limits: Limits {
                memory: 2 << 30,
                cpus: 2,
                processes: 4096,
                disk: 4 << 30,
                files: 100_000,
                time: Some(Duration::from_secs(120)),
                log: 1 << 20,
            },
            grace: Duration::ZERO,
            isolation: IsolationLevel::Full,
            die_with_parent: true,
        }
    }

    /// Milliseconds until the command was executed, and until everything was gone.
    fn once(&self) -> Result<(f64, f64), Box<dyn Error>> {
        let spec = self.spec(&["true"]);
        let begin = Instant::now();
        self.native.start(&spec)?;
        let start = begin.elapsed();
        self.native.wait(&spec)?;
        self.native.remove(&spec)?;
        Ok((start.as_secs_f64() * 1e3, begin.elapsed().as_secs_f64() * 1e3))
    }

    fn starts(&self) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
        (0..RUNS).map(|_| self.once()).collect()
    }

    /// MiB, near the end of a run that printed a lot.
    fn supervisor_peak(&self) -> Result<f64, Box<dyn Error>> {
        let spec = self.spec(&["sh", "-c", "yes | head -c 50000000; echo; echo ready; sleep 60"]);
        self.native.start(&spec)?;
        std::thread::sleep(Duration::from_secs(3));
        let born: serde_json::Value = serde_json::from_slice(&fs::read(spec.folder.join("born.json"))?)?;
        let status = fs::read_to_string(format!("/proc/{}/status", born["supervisor"]))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        self.native.remove(&spec)?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    /// Percent more than outside, the shortest of interleaved runs: what else the machine does only ever adds.
    fn slowdown(&self, script: &str) -> Result<f64, Box<dyn Error>> {
        let timed = format!("import time\nbegin = time.perf_counter()\n{script}\nprint(time.perf_counter() - begin)");
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            inside.push(self.inside(&timed)?);
            // Beside the runs, so that both write to one file system.
            let folder = self.home.join("outside");
            fs::create_dir_all(&folder)?;
            let output = Command::new("/usr/bin/python3").args(["-c", &timed]).current_dir(&folder).output()?;
            outside.push(String::from_utf8(output.stdout)?.trim().parse::<f64>()?);
        }
        let least = |times: Vec<f64>| times.into_iter().fold(f64::INFINITY, f64::min);
        Ok((least(inside) / least(outside) - 1.0) * 100.0)
    }

    fn inside(&self, script: &str) -> Result<f64, Box<dyn Error>> {
        let spec = self.spec(&["/usr/bin/python3", "-c", script]);
        self.native.start(&spec)?;
        let exit: Exit = self.native.wait(&spec)?;
        let log = fs::read_to_string(spec.folder.join("log"))?;
        self.native.remove(&spec)?;
        if exit.code != 0 {
            return Err(log.into());
        }
        let seconds = log.trim().rsplit(' ').next().unwrap_or_default();
        Ok(seconds.parse()?)
    }

    /// Milliseconds of the trivial run, median, while `script` runs.
    fn beside(&self, script: &str) -> Result<f64, Box<dyn Error>> {
        let hostile = self.spec(&["/usr/bin/python3", "-c", script]);
        self.native.start(&hostile)?;
        std::thread::sleep(Duration::from_secs(2));
        let times = self.starts();
        self.native.remove(&hostile)?;
        Ok(median(times?.iter().map(|(_, whole)| *whole)))
    }
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
