//! Dummy rows: a csv file of the study that stands in for the rows of the database (actions.md 7.3).
//! Read as a stream, so that its size does not matter; its values pass through unchanged.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use crate::csv::{CsvError, CsvReader, Field, LineEnd, MAX_COLUMNS, MAX_HEADER_NAME, RecordWriter};
use crate::fault::{Exit, Fault, FaultCode};
use crate::files::Compat;
use crate::gz::{self, UnpackLimits, Unpacked};
use crate::text::{about, warn};
use crate::workspace::Workspace;

use super::output::Output;
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

    fn reader(&mut self) -> Result<CsvReader<Box<dyn Read + '_>>, Fault> {
        self.file.seek(SeekFrom::Start(0)).map_err(|error| io_fault(&self.name, &error))?;
        let file: Box<dyn Read> = match self.packed {
            true => {
                Box::new(Unpacked::new(io::BufReader::with_capacity(64 << 10, &self.file), UnpackLimits::default()))
            }
            false => Box::new(&self.file),
        };
        Ok(CsvReader::new(file))
    }

    fn read_header(&mut self) -> Result<Option<Vec<Vec<u8>>>, Fault> {
        let name = self.name.clone();
        let mut reader = self.reader()?;
        let mut header = Vec::new();
        while let Some(field) = reader.next().map_err(|error| csv_fault(&name, &error))? {
            if field.bytes.len() > MAX_HEADER_NAME {
                let message =
                    format!("a column name of the dummy data file {name} is longer than {MAX_HEADER_NAME} bytes");
                return Err(bad(FaultCode::TooLarge, message));
            }
            if header.len() == MAX_COLUMNS {
                return Err(bad(
                    FaultCode::TooLarge,
                    format!("the dummy data file {name} has more than {MAX_COLUMNS} columns"),
                ));
            }
            header.push(field.bytes.to_vec());
            if field.last {
                return Ok(Some(header));
            }
        }
        Ok(None)
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
        let columns = self.header.as_ref().map_or(0, Vec::len);
        let name = self.name.clone();
        let mut reader = self.reader()?;
        for _ in 0..columns {
            reader.next().map_err(|error| csv_fault(&name, &error))?;
        }
        reader.next().map(|field| field.is_some()).map_err(|error| csv_fault(&name, &error))
    }

    /// Reads the whole file once for its faults, for when rows cannot be taken back.
    pub(crate) fn validate(&mut self) -> Result<(), Fault> {
        if self.byte_copy {
            return Ok(());
        }
        let columns = self.header.as_ref().map_or(0, Vec::len);
        let name = self.name.clone();
        let mut reader = self.reader()?;
        let mut at = 0;
        while let Some(field) = reader.next().map_err(|error| csv_fault(&name, &error))? {
            check_width(&name, columns, at, &field)?;
            at = if field.last { 0 } else { at + 1 };
        }
        Ok(())
    }

    /// Writes the rows: as they are, or in the form of actions.md 7.2 with short rows padded.
    pub(crate) fn copy(mut self, output: &mut Output<'_>, compat: Compat, stderr: &mut dyn Write) -> Result<(), Fault> {
        if self.byte_copy {
            return self.copy_bytes(output);
        }
        if compat.is_original() && !self.has_rows()? {
            return Ok(());
        }
        let columns = self.header.as_ref().map_or(0, Vec::len);
        let (name, what) = (self.name.clone(), output.what());
        let failed = |error: io::Error| Fault::writing(&what, &error);
        let mut reader = self.reader()?;
        let mut writer = RecordWriter::new(output, LineEnd::CrLf);
        let (mut at, mut short, mut not_utf8) = (0, 0_u64, false);
        while let Some(field) = reader.next().map_err(|error| csv_fault(&name, &error))? {
            check_width(&name, columns, at, &field)?;
            not_utf8 = not_utf8 || std::str::from_utf8(field.bytes).is_err();
            writer.field(field.bytes).map_err(failed)?;
            at += 1;
            if field.last {
                short += u64::from(at < columns);
                for _ in at..columns {
                    writer.field(b"").map_err(failed)?;
                }
                writer.end_record().map_err(failed)?;
                at = 0;
            }
        }
        if short > 0 {
            let rows = about(short);
            warn(
                stderr,
                &format!("rows of the dummy data file {name} with too few fields were filled with blanks: {rows}"),
            );
        }
        if not_utf8 {
            warn(
                stderr,
                &format!("the dummy data file {name} holds bytes that are not UTF-8; they are kept as they are"),
            );
        }
        Ok(())
    }

    fn copy_bytes(&mut self, output: &mut Output<'_>) -> Result<(), Fault> {
        let what = output.what();
        self.file.seek(SeekFrom::Start(0)).map_err(|error| io_fault(&self.name, &error))?;
        let mut chunk = vec![0; 64 << 10];
        loop {
            match self.file.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => output.write_all(&chunk[..n]).map_err(|error| Fault::writing(&what, &error))?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io_fault(&self.name, &error)),
            }
        }
    }
}

fn check_width(name: &str, columns: usize, at: usize, field: &Field<'_>) -> Result<(), Fault> {
    if at < columns {
        return Ok(());
    }
    let message = format!(
        "a row of the dummy data file {name} has more fields than the header's {columns} (line {})",
        field.line
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
