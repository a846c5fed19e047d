//! A recording is made by a process in which hostile code ran: bytes that are checked before any of them is believed.
//! Spec study-definitions.md 1.3, sandbox.md 11.

mod check;
mod convert;
mod error;
mod scan;
mod value;
mod wire;

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

pub use error::RecordingError;

use super::Recording;

/// Bytes of the largest recording.
pub const LARGEST: usize = 64 << 20;
/// Levels of JSON.
pub const DEEPEST: usize = 1_000;
/// Variables, nested ones with them.
pub const MOST_VARIABLES: usize = 20_000;
/// Variables around a variable.
pub const DEEPEST_VARIABLES: usize = 50;
/// Codes of all lists.
pub const MOST_CODES: usize = 10_000_000;

/// What one level of JSON takes of the stack while it is read, with room to spare also without optimisation.
const STACK_OF_A_LEVEL: usize = 32 << 10;

impl Recording {
    /// Reads a recording: schema `cloister.recording/1`, every key known and there, every reference to something that exists,
    /// every path inside the repository. Never panics; its memory is bounded by the largest recording.
    ///
    /// # Errors
    /// What is wrong with the bytes; a recording is taken whole or not at all.
    pub fn parse(bytes: &[u8]) -> Result<Recording, RecordingError> {
        if bytes.len() > LARGEST {
            return Err(RecordingError::TooLarge { bytes: bytes.len() });
        }
        scan::depth_and_numbers(bytes)?;
        // The depth is known to be harmless now, but a caller's stack may be small.
        let wire = std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().stack_size(DEEPEST * STACK_OF_A_LEVEL);
            let read = reader
                .spawn_scoped(scope, || wire::read(bytes))
                .map_err(|e| RecordingError::NoThread(e.to_string()))?;
            read.join().unwrap_or_else(|_| Err(RecordingError::NoThread("its reader ended".to_owned())))
        })?;
        let recording = convert::recording(wire)?;
        check::all(&recording)?;
        Ok(recording)
    }

    /// The id of a recording: the SHA-256 of its bytes, in hex.
    #[must_use]
    pub fn id(bytes: &[u8]) -> String {
        hex(&Sha256::digest(bytes))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
