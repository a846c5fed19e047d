//! Times beside those of what people use today, as tables: one module for each table, called from `main` in order.
//! `benches/run` builds this in release form, installs the competitor beside it and prints all tables.

mod clock;
mod generate;
mod history;
mod planning;
mod reading;
mod running;
mod scheduling;
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
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let root = PathBuf::from(args.next().ok_or("usage: benches ROOT [PYTHON]")?);
    let setup = Setup { root, python: args.next().map(PathBuf::from), folder: tempfile::tempdir()? };
    reading::table(&setup)?;
    planning::table()?;
    running::table(&setup)?;
    scheduling::table(&setup)?;
    unlucky::table(&setup)
}
