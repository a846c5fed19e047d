//! A file to be read, plain or gzip, and what is wrong with one in words.
//! The first bytes say whether it is compressed; the name must not deny it (actions.md 3.1).

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use cohorts::read::ReadError;

use crate::csv::{CsvError, CsvReader, MAX_COLUMNS, MAX_HEADER_NAME};
use crate::fault::{Exit, Fault, FaultCode};
use crate::gz::{self, UnpackLimits, Unpacked};
use crate::text::warn;
use crate::workspace::Workspace;

/// An open file.
#[derive(Debug)]
pub(crate) struct Opened {
    /// At its beginning.
    pub(crate) file: File,
    /// As the pattern or the argument has it.
    pub(crate) name: String,
    /// It is gzip, whatever its name says.
    pub(crate) packed: bool,
}

impl Opened {
    /// Opens a file; `part` is what it is to the action. Plain bytes under a `.gz` name are warned of.
    ///
    /// # Errors
    /// No such file, a way out of the workspace, gzip under another name.
    pub(crate) fn open(workspace: &Workspace, path: &Path, part: &str, stderr: &mut dyn Write) -> Result<Self, Fault> {
        let name = path.display().to_string();
        let mut file = workspace.open(path, part, Exit::Data)?;
        let packed = gz::has_magic(&mut file).map_err(|error| io_fault(&name, &error))?;
        let says_packed = name.ends_with(".gz");
        if packed && !says_packed {
            let fault = data_fault(FaultCode::MalformedFile, format!("{name} is gzip, and its name does not say so"));
            return Err(fault.help("let its name end in .gz, or unpack it"));
        }
        if says_packed && !packed {
            warn(stderr, &format!("{name} is not compressed in spite of its name; it is read as it is"));
        }
        Ok(Self { file, name, packed })
    }

    /// Its bytes, unpacked.
    pub(crate) fn bytes(self) -> Box<dyn Read + Send> {
        match self.packed {
            true => Box::new(Unpacked::new(BufReader::with_capacity(64 << 10, self.file), UnpackLimits::default())),
            false => Box::new(self.file),
        }
    }
}

/// A file of patients that cannot be read, in the words of its reader.
pub(crate) fn unreadable(error: &ReadError, what: &str) -> Fault {
    let code = match error {
        ReadError::Io(_) => FaultCode::IoError,
        ReadError::Malformed { format: "csv", .. } => FaultCode::MalformedCsv,
        ReadError::Malformed { .. } | ReadError::Truncated { .. } => FaultCode::MalformedFile,
        ReadError::Unsupported { .. } => FaultCode::UnsupportedFormat,
        ReadError::UnpacksTooFar | ReadError::TooLarge { .. } => FaultCode::TooLarge,
    };
    data_fault(code, format!("{what}: {error}"))
}

pub(crate) fn data_fault(code: FaultCode, message: String) -> Fault {
    Fault::new(code, Exit::Data, message)
}

pub(super) fn io_fault(name: &str, error: &io::Error) -> Fault {
    data_fault(FaultCode::IoError, format!("cannot read {name}: {error}"))
}

/// What an error of reading csv means. Of errors of the stream, those of gzip are told from those of the machine.
pub(crate) fn csv_fault(name: &str, error: &CsvError) -> Fault {
    match error {
        CsvError::Io(error) if gz::is_too_large(error) => data_fault(FaultCode::TooLarge, format!("{name}: {error}")),
        CsvError::Io(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            data_fault(FaultCode::MalformedFile, format!("{name} is not whole gzip: {error}"))
        }
        CsvError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            data_fault(FaultCode::MalformedFile, format!("{name} ends in the middle of its gzip stream"))
        }
        CsvError::Io(error) => io_fault(name, error),
        error => data_fault(FaultCode::MalformedCsv, format!("{name}: {error}")),
    }
}

/// The names of the columns; `None` when the file holds no record at all.
pub(crate) fn header(reader: &mut CsvReader<impl Read>, name: &str) -> Result<Option<Vec<Vec<u8>>>, Fault> {
    let mut header = Vec::new();
    while let Some(field) = reader.next().map_err(|error| csv_fault(name, &error))? {
        if field.bytes.len() > MAX_HEADER_NAME || header.len() == MAX_COLUMNS {
            let message =
                format!("{name}: more than {MAX_COLUMNS} columns, or a name of more than {MAX_HEADER_NAME} bytes");
            return Err(data_fault(FaultCode::TooLarge, message));
        }
        header.push(field.bytes.to_vec());
        if field.last {
            return Ok(Some(header));
        }
    }
    Ok(None)
}
