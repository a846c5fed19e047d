//! Times beside those of what people use today, as tables: one module for each table, called from `main` in order.
//! `benches/run` builds this in release form, installs the competitor beside it and prints all tables.

mod baseline;
mod builtins;
mod clock;
mod collecting;
mod freshness;
mod generate;
mod history;
mod joining;
mod pages;
mod planning;
mod reading;
mod reporting;
mod running;
mod sandboxes;
mod scheduling;
mod spent;
mod studies;
mod unlucky;

use std::path::PathBuf;

/// What a table needs to know.
struct Setup {
    /// The root of the repository.
    root: PathBuf,
    /// A Python with the competitor installed; without it the columns about it stay empty.
    python: Option<PathBuf>,
    /// For generated files; gone at the end.
    folder: tempfile::TempDir,
    /// What the figures of whole programs were.
    baseline: baseline::Baseline,
}

/// A table of its own.
type Table = fn(&Setup) -> Result<(), Box<dyn std::error::Error>>;

/// All of them, in order.
const TABLES: [(&str, Table); 13] = [
    ("reading", reading::table),
    ("planning", |_| planning::table()),
    ("running", running::table),
    ("scheduling", scheduling::table),
    ("unlucky", unlucky::table),
    ("sandboxes", sandboxes::table),
    ("collecting", collecting::table),
    ("pages", pages::table),
    ("freshness", freshness::table),
    ("reporting", reporting::table),
    ("studies", studies::table),
    ("builtins", builtins::table),
    ("joining", joining::table),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (keep, args): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|word| word == "--keep");
    let mut args = args.into_iter();
    let root = PathBuf::from(args.next().ok_or("usage: benches [--keep] ROOT [PYTHON [TABLE...]]")?);
    let baseline = baseline::Baseline::open(&root, !keep.is_empty())?;
    let setup = Setup { root, python: args.next().map(PathBuf::from), folder: tempfile::tempdir()?, baseline };
    let only: Vec<String> = args.collect();
    for (_, table) in TABLES.iter().filter(|(name, _)| only.is_empty() || only.iter().any(|one| one == name)) {
        table(&setup)?;
    }
    setup.baseline.judge()
}
