//! The table of built-in actions that make their results from little: sqlrunner, codelist reports, decile charts, and what
//! starting any of them costs. Goals and figures of today: spec actions.md 12, measured there with the originals.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::ToSpan as _;

use crate::Setup;
use crate::spent::Spent;

/// One job.
struct Job {
    name: String,
    /// Words of `cloister action`.
    words: Vec<String>,
    /// The script that does what the original does, and its words.
    script: Option<(&'static str, Vec<String>)>,
    /// Today, of the spec: seconds, seconds, MB.
    today: Option<[f64; 3]>,
    goal: &'static str,
    runs: usize,
}

const SQL: &str = "-- AllowedPatientsWithTypeOneDissent: a bench\nSELECT patient_id, sex FROM t\n";

/// Prints it. The machine should have nothing else to do: wall-clock times are part of it.
pub(crate) fn table(setup: &Setup) -> Result<(), Box<dyn Error>> {
    let rig = Rig::new(setup)?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "\n| built-in actions (load before: {}) | ours: wall s / CPU s / peak MB | script of ours in Python | \
         original, as the spec has it | times faster than the spec's: wall, CPU; share of memory | goal |",
        load.split(' ').next().unwrap_or("?")
    );
    println!("|---|---|---|---|---|---|");
    for job in jobs(&rig.engines()?) {
        let ours = Spent::median(job.runs, || rig.ours(&job.words))?;
        setup.baseline.note("builtins", &job.name, &ours);
        let theirs = match (&job.script, &setup.python) {
            (Some((script, words)), Some(python)) => {
                Spent::median(job.runs.min(3), || rig.theirs(python, script, words))?.to_string()
            }
            _ => String::new(),
        };
        let (today, ratio) = job.today.map_or_else(Default::default, |[wall, cpu, peak]| {
            let ratio = format!("{:.0}×, {:.0}×; {:.2}", wall / ours.wall, cpu / ours.cpu, ours.peak / peak);
            (format!("{wall} / {cpu} / {peak:.0}"), ratio)
        });
        println!("| {} | {ours} | {theirs} | {today} | {ratio} | {} |", job.name, job.goal);
    }
    Ok(())
}

fn jobs(engines: &[String]) -> Vec<Job> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let deciles = |name: &str, folder: &str, config: &str, runs, today, goal| {
        let line = format!("deciles-charts:v0.0.47 --input-files {folder}/measure_*.csv --output-dir {folder}/out");
        let mut ours = words(&line);
        ours.extend(["--config".to_owned(), config.to_owned()]);
        let script = words(&format!("{folder}/measure_bench.csv {folder}/today {config}"));
        Job { name: name.to_owned(), words: ours, script: Some(("deciles.py", script)), today: Some(today), goal, runs }
    };
    let sqlrunner = |name: &str, rows: &str, out: &str, runs, today, goal| Job {
        name: name.to_owned(),
        words: words(&format!("sqlrunner:latest --output out/{out} --dummy-data-file {rows} q.sql")),
        script: Some(("dummy_rows.py", words(&format!("{rows} today/{out}")))),
        today: Some(today),
        goal,
        runs,
    };
    let report = "--codelist-path=codelist.csv --start-date=2019-09-01 --end-date=2022-06-15";
    let mut jobs = vec![
        sqlrunner(
            "sqlrunner dummy, 1,000,000 × 20, csv.gz",
            "large.csv",
            "large.csv.gz",
            3,
            [12.0, 11.9, 38.0],
            "≥ 5×; ≤ 38 MB",
        ),
        sqlrunner("sqlrunner dummy, small", "small.csv", "small.csv", 11, [0.27, 0.2, 38.0], "≥ 10×"),
        Job {
            name: "codelist report, dummy".to_owned(),
            words: words(&format!("cohortextractor:latest generate_codelist_report {report} --output-dir out")),
            script: Some(("codelist_report.py", words("codelist.csv 2019-09-01 2022-06-15 today"))),
            today: Some([1.3, 1.3, 168.0]),
            goal: "≥ 10×, ≤ 1/4",
            runs: 7,
        },
        deciles("deciles, 700,000 rows, table + chart", "great", "{}", 5, [5.7, 5.7, 209.0], "≥ 15×; ≤ 1/4"),
        deciles(
            "deciles, 700,000 rows, with outer",
            "great",
            r#"{"show_outer_percentiles":true}"#,
            5,
            [13.3, 13.4, 209.0],
            "≥ 30×; ≤ 1/4",
        ),
        deciles(
            "deciles, 700,000 rows, table only",
            "great",
            r#"{"charts":{"output":false}}"#,
            5,
            [3.1, 3.2, 209.0],
            "≥ 10×; ≤ 1/4",
        ),
        deciles("deciles, 1,200 rows, table + chart", "little", "{}", 11, [1.3, 1.2, 119.0], "≥ 20×"),
    ];
    jobs.extend(engines.iter().map(|name| Job {
        name: format!("{name} --help"),
        words: vec![name.clone(), "--help".to_owned()],
        script: None,
        today: None,
        goal: "≤ 0.020 in wall; the originals take 0.3 to 1.2",
        runs: 21,
    }));
    jobs
}

/// A folder with the files of all jobs.
struct Rig {
    folder: PathBuf,
    program: PathBuf,
    scripts: PathBuf,
}

impl Rig {
    fn new(setup: &Setup) -> Result<Self, Box<dyn Error>> {
        let folder = setup.folder.path().join("builtins");
        fs::create_dir_all(folder.join("today"))?;
        fs::write(folder.join("q.sql"), SQL)?;
        rows(&folder.join("large.csv"), 1_000_000)?;
        rows(&folder.join("small.csv"), 10)?;
        measure(&folder.join("great"), 100, 7_000)?;
        measure(&folder.join("little"), 12, 100)?;
        let codes: String =
            (0..24).map(|code| format!("{},\"invented, kind {code}\"\n", 3_009_999_999_105_u64 + code)).collect();
        fs::write(folder.join("codelist.csv"), format!("code,term\n{codes}"))?;
        Ok(Self {
            folder,
            program: setup.root.join("target/release/cloister").canonicalize()?,
            scripts: setup.root.join("benches/originals").canonicalize()?,
        })
    }

    /// The built-in actions that this program can run: the names of the list that it prints.
    fn engines(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let list = Command::new(&self.program).args(["action", "--help"]).output()?.stdout;
        let list = String::from_utf8_lossy(&list).into_owned();
        let rows = list.lines().filter_map(|line| line.strip_prefix("  "));
        Ok(rows.filter_map(|row| row.split_whitespace().next()).map(str::to_owned).collect())
    }

    fn ours(&self, words: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("action").args(words).current_dir(&self.folder);
        command
    }

    fn theirs(&self, python: &Path, script: &str, words: &[String]) -> Command {
        let python = std::path::absolute(python).unwrap_or_else(|_| python.to_owned());
        let mut command = Command::new(python);
        command.arg(self.scripts.join(script)).args(words).current_dir(&self.folder);
        command
    }
}

/// Numbers that are the same on every run.
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A file of 20 columns such as a query about patients gives: ids, codes, dates, numbers, gaps; about 89 bytes a row.
pub(crate) fn rows(path: &Path, count: u64) -> Result<(), Box<dyn Error>> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(
        out,
        "patient_id,sex,age,region,imd,code,date,had_bp,had_asthma,had_copd,bmi,practice,ethnicity,died,hba1c,smoking,\
         rural,carehome,stp,events"
    )?;
    let mut stream = Stream(88_172_645_463_325_252);
    for patient in 1..=count {
        let (a, b) = (stream.next(), stream.next());
        let day = jiff::civil::date(2020, 1, 1).saturating_add((a % 900).cast_signed().days());
        let sex = if a & 1 == 0 { "F" } else { "M" };
        let bmi = 15.0 + (b % 300) as f64 / 10.0;
        let died = if b % 50 == 0 { day.to_string() } else { String::new() };
        writeln!(
            out,
            "{patient},{sex},{},{},{},{:05},{day},{},{},{},{bmi:.1},{},{},{died},{},{},{},{},E54{:06},{}",
            a >> 8 & 0x5f,
            ["London", "North West", "East", "South East"][(a >> 16 & 3) as usize],
            (a >> 20) % 320 * 100,
            (a >> 24) % 99_999,
            b >> 8 & 1,
            b >> 9 & 1,
            b >> 10 & 1,
            (b >> 12) % 7_000,
            (b >> 20) % 6,
            30 + (b >> 24) % 90,
            ["S", "E", "N", "M"][(b >> 32 & 3) as usize],
            (b >> 34) % 8 + 1,
            b >> 38 & 1,
            (b >> 40) % 42,
            (b >> 48) % 9
        )?;
    }
    Ok(out.flush()?)
}

/// Rates that differ by practice and change with time.
fn measure(folder: &Path, weeks: u64, practices: u64) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder.join("today"))?;
    let mut out = BufWriter::new(File::create(folder.join("measure_bench.csv"))?);
    writeln!(out, "practice,had_bp,population,value,date")?;
    let mut stream = Stream(88_172_645_463_325_252);
    for week in 0..weeks {
        let date = jiff::civil::date(2019, 1, 7).saturating_add(week.cast_signed().weeks());
        for practice in 0..practices {
            let word = stream.next();
            let population = 500 + word % 9_000;
            let above = population * (20 + (word >> 20) % 40 + week / 5) / 100;
            let value = above as f64 / population as f64;
            writeln!(out, "{practice},{above},{population},{value},{date}")?;
        }
    }
    Ok(out.flush()?)
}
