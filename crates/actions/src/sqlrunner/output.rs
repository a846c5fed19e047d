//! Where the rows go: stdout, a file, or a compressed file.
//! A file gets its name only after the last byte is on the disk.

use std::io::{self, BufWriter, Write};

use crate::fault::Fault;
use crate::staged::Staged;

const BUFFER: usize = 64 << 10;

/// Why rows were not written to their end.
pub(crate) enum Stop {
    /// They could not be written.
    Io(io::Error),
    /// They could not be made.
    Fault(Fault),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Stop {
    fn told(self, what: &str) -> Fault {
        match self {
            Self::Io(error) => Fault::writing(what, &error),
            Self::Fault(fault) => fault,
        }
    }
}

pub(crate) fn to_stdout(
    stdout: &mut dyn Write,
    rows: impl FnOnce(&mut dyn Write) -> Result<(), Stop>,
) -> Result<(), Fault> {
    let mut out = BufWriter::with_capacity(BUFFER, stdout);
    rows(&mut out).and_then(|()| Ok(out.flush()?)).map_err(|stop| stop.told("the rows to stdout"))
}

/// Writes a file and brings it to the disk; only its name is left to give. With a gzip level it is compressed: one member,
/// no name, no time, the same bytes on every machine (actions.md 3.2).
pub(crate) fn to_file(
    mut staged: Staged,
    gzip_level: Option<u32>,
    rows: impl FnOnce(&mut dyn Write) -> Result<(), Stop>,
) -> Result<Staged, Fault> {
    let mut out = BufWriter::with_capacity(BUFFER, staged.file());
    let made = match gzip_level {
        Some(level) => cohorts::gzip(level, &mut out, rows),
        None => rows(&mut out),
    };
    let made = made.and_then(|()| Ok(out.flush()?));
    drop(out);
    made.map_err(|stop| stop.told(staged.what()))?;
    staged.sync()?;
    Ok(staged)
}
