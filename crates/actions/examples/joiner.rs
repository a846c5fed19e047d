//! Figures of cohort-joiner (actions.md 12): `joiner make DIR [ROWS]` writes a cohort file of 20 columns and a right side of
//! two; `joiner run DIR ENDING` joins them there and prints wall time, processor time and peak memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a program for developers")]
use std::ffi::OsString;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use actions::Context;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["make", folder] => make(Path::new(folder), 1_000_000),
        ["make", folder, rows] => make(Path::new(folder), rows.parse().unwrap()),
        ["run", folder, ending] => run(Path::new(folder), ending),
        _ => panic!("joiner make DIR [ROWS] | joiner run DIR ENDING"),
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % most
    }
}

/// Ages, dates, codes, yes and no, as in files of cohortextractor; the same on every run.
fn make(folder: &Path, rows: u64) {
    std::fs::create_dir_all(folder.join("in")).unwrap();
    let mut random = Random(88_172_645_463_325_252);
    let mut out = std::fs::File::create(folder.join("in/input_2021-01-01.csv.gz")).unwrap();
    cohorts::gzip(6, &mut out, |out| -> io::Result<()> {
        let mut out = BufWriter::new(out);
        writeln!(
            out,
            "patient_id,age,sex,region,stp,imd,practice,bmi,bmi_date,diabetes,diabetes_date,asthma,asthma_date,smoking,\
             dereg_date,sbp,sbp_date,flu,died,code"
        )?;
        for id in 0..rows {
            let mut date = |share| match random.below(10) {
                n if n < share => {
                    format!("20{:02}-{:02}-{:02}", 10 + random.below(11), 1 + random.below(12), 1 + random.below(28))
                }
                _ => String::new(),
            };
            let dates = [date(6), date(2), date(3), date(1), date(7)];
            let [bmi, diabetes, asthma, dereg, sbp] = &dates;
            let mut n = |most| random.below(most);
            writeln!(
                out,
                "{},{},{},E1200000{},E540000{:02},{},{},{:.1},{bmi},{},{diabetes},{},{asthma},{},{dereg},{},{sbp},{},{},{:06}",
                id * 7 + 13, n(110), if n(2) == 0 { "F" } else { "M" }, 1 + n(9), n(44), n(328) * 100, n(7_000),
                n(500) as f64 / 10.0, n(2), n(2), ["S", "E", "N", "M"][n(4) as usize], 90 + n(90), n(2), n(2), n(2_000)
            )?;
        }
        out.flush()
    })
    .unwrap();
    let mut right = BufWriter::new(std::fs::File::create(folder.join("right.csv")).unwrap());
    writeln!(right, "patient_id,ethnicity").unwrap();
    for at in 0..rows {
        // Every identifier of the left side but one in twenty, in another order.
        let id = at * 7_919 % rows;
        writeln!(right, "{},{}", id * 7 + if id.is_multiple_of(20) { 14 } else { 13 }, random.below(6)).unwrap();
    }
    right.flush().unwrap();
}

fn run(folder: &Path, ending: &str) {
    let (mut stdout, mut stderr) = (io::stdout(), io::stderr());
    let lhs = format!("in/input_*{ending}");
    let args = ["--lhs", &lhs, "--rhs", "right.csv", "--output-dir", "out"].map(OsString::from);
    let begin = Instant::now();
    let exit = actions::run("cohort-joiner:v0.0.58", &args, &mut Context::by_hand(folder, &mut stdout, &mut stderr));
    let wall = begin.elapsed().as_secs_f64();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    println!("exit {exit}, wall {wall:.2} s, cpu {:.2} s, {peak}", ticks / 100.0);
}
