//! Figures of deciles-charts (actions.md 12): `deciles make DIR [ROWS-PER-WEEK]` writes a measure of 100 weeks,
//! `deciles run DIR [CONFIG]` makes its results there and prints wall time, processor time and peak memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a program for developers")]
use std::ffi::OsString;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use actions::Context;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["make", folder] => make(Path::new(folder), 7000),
        ["make", folder, rows] => make(Path::new(folder), rows.parse().unwrap()),
        ["run", folder] => run(Path::new(folder), "{}"),
        ["run", folder, config] => run(Path::new(folder), config),
        _ => panic!("deciles make DIR [ROWS] | deciles run DIR [CONFIG]"),
    }
}

/// Rates that differ by practice and change with time; the same on every run.
fn make(folder: &Path, practices: u64) {
    std::fs::create_dir_all(folder).unwrap();
    let mut out = BufWriter::new(std::fs::File::create(folder.join("measure_bench.csv")).unwrap());
    writeln!(out, "practice,had_bp,population,value,date").unwrap();
    let mut state = 88_172_645_463_325_252_u64;
    for week in 0..100_i64 {
        let date = jiff::civil::date(2019, 1, 7).saturating_add(jiff::Span::new().weeks(week));
        for practice in 0..practices {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let population = 500 + state % 9000;
            let above = population * (20 + (state >> 20) % 40 + week.unsigned_abs() / 5) / 100;
            #[allow(clippy::cast_precision_loss)]
            let value = above as f64 / population as f64;
            writeln!(out, "{practice},{above},{population},{value},{date}").unwrap();
        }
    }
    out.flush().unwrap();
}

fn run(folder: &Path, config: &str) {
    let args = ["--input-files", "measure_*.csv*", "--output-dir", "out", "--config", config].map(OsString::from);
    let (mut stdout, mut stderr) = (std::io::stdout(), std::io::stderr());
    let start = Instant::now();
    let exit = actions::run("deciles-charts:v0.0.47", &args, &mut Context::by_hand(folder, &mut stdout, &mut stderr));
    let wall = start.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    let ticks = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: Vec<u64> = ticks.split(' ').skip(13).take(2).map(|ticks| ticks.parse().unwrap()).collect();
    println!("exit {exit}, wall {} ms, processor {} ms, {peak}", wall.as_millis(), (ticks[0] + ticks[1]) * 10);
}
