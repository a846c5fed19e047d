//! What each figure was when it was last kept, so that a change that costs more than a tenth is seen (spec actions.md 12).
//! Processor time is counted in turns of a loop of this program, timed on the same machine a moment before.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use crate::clock::Times;
use crate::spent::Spent;

/// Where the figures stand: `table<TAB>row<TAB>turns<TAB>MB`.
const FILE: &str = "benches/baseline.tsv";
/// What may be lost before it is a fault.
const SLACK: f64 = 1.1;
/// Below these the clock of the kernel and the pages that a process begins with say more than the program.
const LEAST: Figure = Figure { turns: 0.05, peak: 2.0 };

/// What a row costs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figure {
    /// Processor time in turns of the loop.
    turns: f64,
    /// Peak memory in MB.
    peak: f64,
}

/// The figures that are kept, those of this run, and the loop.
#[derive(Debug)]
pub(crate) struct Baseline {
    path: PathBuf,
    keep: bool,
    /// Seconds of one turn on this machine.
    turn: f64,
    kept: BTreeMap<(String, String), Figure>,
    found: RefCell<BTreeMap<(String, String), Figure>>,
}

impl Baseline {
    /// Reads what is kept; with `keep` the figures of this run take its place.
    pub(crate) fn open(root: &std::path::Path, keep: bool) -> Result<Self, Box<dyn Error>> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path).unwrap_or_default();
        let kept = text.lines().filter(|line| !line.starts_with('#')).map(parse).collect::<Option<_>>();
        let kept = kept.ok_or_else(|| format!("{} cannot be read; make it anew with --keep", path.display()))?;
        let turn = Times::of(|| {
            std::hint::black_box(turn());
        })
        .median_ms()
            / 1000.0;
        Ok(Self { path, keep, turn, kept, found: RefCell::default() })
    }

    /// Takes in what a row cost.
    pub(crate) fn note(&self, table: &str, row: &str, spent: &Spent) {
        let figure = Figure { turns: spent.cpu / self.turn, peak: spent.peak };
        self.found.borrow_mut().insert((table.to_owned(), row.to_owned()), figure);
    }

    /// Keeps the figures, or tells which are more than a tenth worse than those that are kept.
    ///
    /// # Errors
    /// One line for each that is worse, and for each that nothing is kept of.
    pub(crate) fn judge(&self) -> Result<(), Box<dyn Error>> {
        let found = self.found.borrow();
        if self.keep {
            let all: BTreeMap<_, _> = self.kept.iter().chain(found.iter()).collect();
            let head = "# table, row, processor time in turns of benches/src/baseline.rs, peak memory in MB; written by `benches/run --keep`\n";
            let line = |((table, row), f): (&(String, String), &Figure)| {
                format!("{table}\t{row}\t{:.3}\t{:.1}\n", f.turns, f.peak)
            };
            fs::write(&self.path, head.to_owned() + &all.into_iter().map(line).collect::<String>())?;
            return Ok(());
        }
        let worse: Vec<String> =
            found.iter().filter_map(|(row, now)| complaint(row, *now, self.kept.get(row))).collect();
        if worse.is_empty() { Ok(()) } else { Err(worse.join("\n").into()) }
    }
}

fn parse(line: &str) -> Option<((String, String), Figure)> {
    let mut cells = line.split('\t');
    let name = (cells.next()?.to_owned(), cells.next()?.to_owned());
    let figure = Figure { turns: cells.next()?.parse().ok()?, peak: cells.next()?.parse().ok()? };
    cells.next().is_none().then_some((name, figure))
}

/// What is worse than it was, in words.
fn complaint((table, row): &(String, String), now: Figure, kept: Option<&Figure>) -> Option<String> {
    let Some(kept) = kept else {
        return Some(format!("{table}, {row}: no baseline; `benches/run --keep {table}` makes one"));
    };
    let worse = |what: &str, now: f64, kept: f64, least: f64| {
        (now > kept * SLACK && now - kept > least).then(|| format!("{what} {now:.2} instead of {kept:.2}"))
    };
    let all: Vec<String> = [
        worse("processor time in turns", now.turns, kept.turns, LEAST.turns),
        worse("memory in MB", now.peak, kept.peak, LEAST.peak),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!all.is_empty()).then(|| format!("{table}, {row}: {}", all.join(", ")))
}

/// Some tens of milliseconds of arithmetic, memory and sorting, the same for ever.
fn turn() -> u64 {
    let mut state = 88_172_645_463_325_252_u64;
    let mut numbers: Vec<u64> = (0..400_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        })
        .collect();
    numbers.sort_unstable();
    numbers.iter().enumerate().fold(0, |sum, (at, number)| sum ^ number.rotate_left(at as u32 & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint_of(now: (f64, f64), kept: Option<(f64, f64)>) -> Option<String> {
        let figure = |(turns, peak)| Figure { turns, peak };
        complaint(&("joining".to_owned(), "csv".to_owned()), figure(now), kept.map(figure).as_ref())
    }

    #[test]
    fn a_tenth_is_forgiven_and_no_more() {
        assert_eq!(complaint_of((10.9, 54.0), Some((10.0, 50.0))), None);
        assert_eq!(complaint_of((2.0, 10.0), Some((10.0, 50.0))), None);
        assert!(complaint_of((11.2, 50.0), Some((10.0, 50.0))).unwrap().contains("11.20 instead of 10.00"));
        assert!(
            complaint_of((10.0, 56.0), Some((10.0, 50.0))).unwrap().contains("memory in MB 56.00 instead of 50.00")
        );
        // A start of some milliseconds, and some pages.
        assert_eq!(complaint_of((0.12, 11.0), Some((0.10, 9.5))), None);
        assert!(complaint_of((1.0, 1.0), None).unwrap().contains("no baseline"));
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("benches")).unwrap();
        let spent = Spent { wall: 1.0, cpu: 1.0, peak: 50.0 };
        let open = |keep| Baseline { turn: 0.01, ..Baseline::open(root.path(), keep).unwrap() };
        let first = open(false);
        first.note("joining", "csv.gz, 1 file", &spent);
        assert!(first.judge().is_err());
        let second = open(true);
        second.note("joining", "csv.gz, 1 file", &spent);
        second.judge().unwrap();
        let third = open(false);
        third.note("joining", "csv.gz, 1 file", &spent);
        third.judge().unwrap();
        third.note("joining", "csv.gz, 1 file", &Spent { cpu: 1.2, ..spent });
        assert!(third.judge().is_err());
    }
}
