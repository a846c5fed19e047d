//! Leave to go on with long work: until a time, and until somebody takes it back.
//! Spec jobs.md 10 (a collection delays no cancellation), 23 (limits of preparing and finalising).

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Leave, which is shared by its copies. The default one is never taken back.
#[derive(Debug, Clone, Default)]
pub struct Leave {
    until: Option<Instant>,
    taken_back: Arc<AtomicBool>,
}

/// Why there is no leave any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoLeave {
    /// Its time is over.
    #[error("it took too long")]
    TooLong,
    /// Somebody took it back.
    #[error("it was stopped")]
    Stopped,
}

impl Leave {
    /// Leave until a time.
    pub fn until(time: Instant) -> Self {
        Self { until: Some(time), ..Self::default() }
    }

    /// Takes it back.
    pub fn take_back(&self) {
        self.taken_back.store(true, Ordering::Relaxed);
    }

    /// Asked between files, and between parts of long ones.
    ///
    /// # Errors
    /// There is none any more.
    pub fn check(&self) -> Result<(), NoLeave> {
        if self.taken_back.load(Ordering::Relaxed) {
            return Err(NoLeave::Stopped);
        }
        match self.until {
            Some(until) if Instant::now() >= until => Err(NoLeave::TooLong),
            _ => Ok(()),
        }
    }

    /// A reader that fails once there is no leave any more.
    pub(crate) fn watch<R: Read>(&self, reader: R) -> Watched<'_, R> {
        Watched { reader, leave: self }
    }
}

/// Reads while there is leave.
pub(crate) struct Watched<'l, R> {
    reader: R,
    leave: &'l Leave,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.leave.check().map_err(io::Error::other)?;
        self.reader.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_reader_stops_in_the_middle() {
        let leave = Leave::default();
        let mut reader = leave.watch(io::repeat(b'x'));
        let mut buffer = [0; 8];
        assert_eq!(reader.read(&mut buffer).unwrap(), 8);
        leave.clone().take_back();
        assert_eq!(reader.read(&mut buffer).unwrap_err().to_string(), "it was stopped");
        assert_eq!(Leave::until(Instant::now()).check(), Err(NoLeave::TooLong));
        assert_eq!(Leave::until(Instant::now() + Duration::from_secs(60)).check(), Ok(()));
    }
}
