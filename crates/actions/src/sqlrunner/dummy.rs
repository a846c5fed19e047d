//! Dummy rows: a csv file of the study that stands in for the rows of the database (actions.md 7.3).
//! Read as a stream, so that its size does not matter; its values pass through unchanged.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use crate::csv::{CsvError, Fields, LineEnd, MAX_COLUMNS, MAX_HEADER_NAME, Record, RecordWriter, Scanner};
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;
use crate::gz::{self, UnpackLimits, Unpacked};
use crate::text::{about, warn};
use crate::workspace::Workspace;

use super::output::Stop;
use super::profile::Profile;

/// An open dummy data file whose header is read.
pub(crate) struct Dummy {
    file: File,
    name: String,
    packed: bool,
    byte_copy: bool,
    /// `None` when the file holds no record at all.
    header: Option<Vec<Vec<u8>>>,
}

fn bad(code: FaultCode, message: String) -> Fault {
    Fault::new(code, Exit::DummyBad, message)
}

/// Opens the file and reads its header; what is odd but usable is warned of.
pub(crate) fn open(
    workspace: &Workspace,
    path: &Path,
    profile: &Profile,
    stderr: &mut dyn Write,
) -> Result<Dummy, Fault> {
    let mut file = workspace.open(path, "the dummy data file", Exit::DummyBad)?;
    let name = path.display().to_string();
    let packed = gz::has_magic(&mut file).map_err(|error| io_fault(&name, &error))?;
    let says_packed = path.as_os_str().as_encoded_bytes().ends_with(b".gz");
    let mut dummy = Dummy { file, name, packed, byte_copy: profile.byte_copy, header: None };
    let name = &dummy.name;
    if packed && !says_packed && !profile.byte_copy {
        let fault =
            bad(FaultCode::MalformedFile, format!("the dummy data file {name} is gzip, and its name does not say so"));
        return Err(fault.help("name it .csv.gz, or unpack it"));
    }
    if says_packed && !packed && dummy.length()? > 0 {
        warn(
            stderr,
            &format!("the dummy data file {name} is not compressed in spite of its name; it is read as it is"),
        );
    }
    dummy.header = match dummy.read_header() {
        Err(_) if profile.byte_copy => return Ok(dummy),
        header => header?,
    };
    dummy.judge_header(stderr)?;
    Ok(dummy)
}

impl Dummy {
    pub(crate) fn header(&self) -> Option<&[Vec<u8>]> {
        self.header.as_deref()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn length(&self) -> Result<u64, Fault> {
        self.file.metadata().map(|meta| meta.len()).map_err(|error| io_fault(&self.name, &error))
    }

    fn scanner(&mut self) -> Result<Scanner<Box<dyn Read + '_>>, Fault> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| io_fault(&self.name, &error))?;
        let file: Box<dyn Read> = match self.packed {
            true => {
                Box::new(Unpacked::new(io::BufReader::with_capacity(64 << 10, &self.file), UnpackLimits::default()))
            }
            false => Box::new(&self.file),
        };
        Ok(Scanner::new(file))
    }

    fn read_header(&mut self) -> Result<Option<Vec<Vec<u8>>>, Fault> {
        let name = self.name.clone();
        let mut scanner = self.scanner()?;
        let Some(record) = scanner.next().map_err(|error| csv_fault(&name, &error))? else { return Ok(None) };
        let mut fields = Fields::default();
        fields.split(record);
        if fields.iter().any(|column| column.len() > MAX_HEADER_NAME) {
            let message = format!("a column name of the dummy data file {name} is longer than {MAX_HEADER_NAME} bytes");
            return Err(bad(FaultCode::TooLarge, message));
        }
        if fields.len() > MAX_COLUMNS {
            let message = format!("the dummy data file {name} has more than {MAX_COLUMNS} columns");
            return Err(bad(FaultCode::TooLarge, message));
        }
        Ok(Some(fields.iter().map(<[u8]>::to_vec).collect()))
    }

    fn judge_header(&self, stderr: &mut dyn Write) -> Result<(), Fault> {
        let Some(header) = &self.header else {
            warn(stderr, &format!("the dummy data file {} is empty, not even a header; so is the output", self.name));
            return Ok(());
        };
        if let Some(at) = header.iter().position(Vec::is_empty) {
            let message = format!("column {} of the dummy data file {} has no name", at + 1, self.name);
            warn(stderr, &format!("{message}; a query with such a column is refused by a database run"));
        }
        let mut seen = HashSet::new();
        match header.iter().enumerate().find(|(_, column)| !seen.insert(column.as_slice())) {
            Some((at, column)) if !self.byte_copy => {
                let first = header.iter().position(|other| other == column).unwrap_or(at);
                let message = format!(
                    "columns {} and {} of the dummy data file {} have the same name '{}'",
                    first + 1,
                    at + 1,
                    self.name,
                    String::from_utf8_lossy(column)
                );
                Err(bad(FaultCode::BadColumns, message).help("name each column once, in the SQL by AS"))
            }
            _ => Ok(()),
        }
    }

    /// Whether anything follows the header: where nothing does, the original writes nothing at all (actions.md 2.4).
    fn has_rows(&mut self) -> Result<bool, Fault> {
        let name = self.name.clone();
        let mut scanner = self.scanner()?;
        let mut next = || scanner.next().map(|record| record.is_some()).map_err(|error| csv_fault(&name, &error));
        Ok(next()? && next()?)
    }

    /// Reads the whole file once for its faults, for when rows cannot be taken back.
    pub(crate) fn validate(&mut self) -> Result<(), Fault> {
        if self.byte_copy {
            return Ok(());
        }
        let columns = self.header.as_ref().map_or(0, Vec::len);
        let name = self.name.clone();
        let mut scanner = self.scanner()?;
        let mut fields = Fields::default();
        while let Some(record) = scanner.next().map_err(|error| csv_fault(&name, &error))? {
            width(&name, columns, record, &mut fields)?;
        }
        Ok(())
    }

    /// Writes the rows: as they are, or in the form of actions.md 7.2 with short rows padded.
    pub(crate) fn copy(mut self, out: &mut dyn Write, compat: Compat, stderr: &mut dyn Write) -> Result<(), Stop> {
        if self.byte_copy {
            return self.copy_bytes(out);
        }
        if compat.is_original() && !self.has_rows()? {
            return Ok(());
        }
        let columns = self.header.as_ref().map_or(0, Vec::len);
        let name = self.name.clone();
        let mut scanner = self.scanner()?;
        let (mut fields, mut short) = (Fields::default(), 0_u64);
        while let Some(record) = scanner.next().map_err(|error| csv_fault(&name, &error))? {
            let found = width(&name, columns, record, &mut fields)?;
            if record.odd {
                let blanks = (found..columns).map(|_| b"".as_slice());
                RecordWriter::new(&mut *out, LineEnd::CrLf).record(fields.iter().chain(blanks))?;
            } else {
                out.write_all(record.bytes)?;
                (found..columns).try_for_each(|_| out.write_all(b","))?;
                out.write_all(b"\r\n")?;
            }
            short += u64::from(found < columns);
        }
        if short > 0 {
            let rows = about(short);
            warn(
                stderr,
                &format!("rows of the dummy data file {name} with too few fields were filled with blanks: {rows}"),
            );
        }
        if scanner.not_utf8() {
            warn(
                stderr,
                &format!("the dummy data file {name} holds bytes that are not UTF-8; they are kept as they are"),
            );
        }
        Ok(())
    }

    fn copy_bytes(&mut self, out: &mut dyn Write) -> Result<(), Stop> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| io_fault(&self.name, &error))?;
        let mut chunk = vec![0; 64 << 10];
        loop {
            match self.file.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => out.write_all(&chunk[..n])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io_fault(&self.name, &error).into()),
            }
        }
    }
}

/// How many fields a record has; more than the header has are a fault. Afterwards `fields` holds those of an odd record.
fn width(name: &str, columns: usize, record: Record<'_>, fields: &mut Fields) -> Result<usize, Fault> {
    let found = if record.odd {
        fields.split(record);
        fields.len()
    } else {
        memchr::memchr_iter(b',', record.bytes).count() + 1
    };
    if found <= columns {
        return Ok(found);
    }
    let message = format!(
        "a row of the dummy data file {name} has more fields than the header's {columns} (line {})",
        record.line
    );
    Err(bad(FaultCode::MalformedCsv, message)
        .help("remove the extra comma, or put quotes around a value that holds one"))
}

fn io_fault(name: &str, error: &io::Error) -> Fault {
    bad(FaultCode::IoError, format!("cannot read the dummy data file {name}: {error}"))
}

fn csv_fault(name: &str, error: &CsvError) -> Fault {
    let (code, why) = match error {
        CsvError::Io(io) if gz::is_too_large(io) => (FaultCode::TooLarge, io.to_string()),
        CsvError::Io(io) if io.raw_os_error().is_none() => {
            (FaultCode::MalformedFile, format!("the gzip data is damaged or cut off ({io})"))
        }
        CsvError::Io(io) => return io_fault(name, io),
        CsvError::FieldTooLong { .. } => (FaultCode::TooLarge, error.to_string()),
        CsvError::Nul { .. } | CsvError::OpenQuote { .. } => (FaultCode::MalformedCsv, error.to_string()),
    };
    bad(code, format!("the dummy data file {name} cannot be read: {why}"))
}
