//! The SQL file: read whole, within its limit, as UTF-8.
//! It is data here; nothing in it is executed.

use std::io::Read as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::fault::{Exit, Fault, FaultCode};
use crate::workspace::Workspace;

/// Largest SQL file (actions.md 10).
const MAX_BYTES: u64 = 1 << 20;

/// The text of a query and the name it has for people.
#[derive(Debug, Clone)]
pub(crate) struct QueryFile {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Of its bytes as they lie there, as 64 hexadecimal digits: what a waiver names.
    pub(crate) sha256: String,
}

pub(crate) fn read(workspace: &Workspace, path: &Path) -> Result<QueryFile, Fault> {
    let file = workspace.open(path, "the SQL file", Exit::Unreadable)?;
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| {
        Fault::new(FaultCode::IoError, Exit::Unreadable, format!("cannot read the SQL file {name}: {error}"))
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("the SQL file {name} is larger than 1 MiB");
        return Err(Fault::new(FaultCode::TooLarge, Exit::Unreadable, message));
    }
    let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
    match String::from_utf8(bytes) {
        Ok(text) => Ok(QueryFile { name, text, sha256 }),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..good].iter().filter(|b| **b == b'\n').count() + 1;
            let message = format!("the SQL file {name} is not UTF-8: line {line} holds other bytes");
            let fault = Fault::new(FaultCode::MalformedFile, Exit::Unreadable, message);
            Err(fault.help("save it as UTF-8 in the editor"))
        }
    }
}
