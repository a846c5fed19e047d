//! Reading what may be gzip, whatever its name says, and never without a bound.
//! A small file can blow up a thousandfold: beyond a limit the ratio decides (actions.md 3.1, 10).

use std::io::{self, Read, Seek as _, SeekFrom};

use flate2::read::MultiGzDecoder;

/// When unpacking stops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnpackLimits {
    /// Below this many bytes the ratio does not matter.
    pub(crate) free: u64,
    pub(crate) ratio: u64,
    pub(crate) absolute: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { free: 1 << 30, ratio: 200, absolute: 1 << 40 }
    }
}

/// Marks the error of a stream that unpacks to too much.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to far more than its size allows")]
pub(crate) struct UnpacksTooFar;

pub(crate) fn is_too_large(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<UnpacksTooFar>())
}

struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.read += n as u64;
        Ok(n)
    }
}

/// A gzip stream that ends in an error when it unpacks too far.
pub(crate) struct Unpacked<R> {
    inner: MultiGzDecoder<Counted<R>>,
    written: u64,
    limits: UnpackLimits,
}

impl<R: Read> Unpacked<R> {
    pub(crate) fn new(inner: R, limits: UnpackLimits) -> Self {
        Self { inner: MultiGzDecoder::new(Counted { inner, read: 0 }), written: 0, limits }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.written += n as u64;
        let allowed = self.inner.get_ref().read.saturating_mul(self.limits.ratio).max(self.limits.free);
        if self.written > allowed.min(self.limits.absolute) {
            return Err(io::Error::other(UnpacksTooFar));
        }
        Ok(n)
    }
}

/// Whether the bytes at the start are those of gzip; the position goes back to the start.
pub(crate) fn has_magic(file: &mut std::fs::File) -> io::Result<bool> {
    let mut start = [0_u8; 2];
    file.seek(SeekFrom::Start(0))?;
    let mut got = 0;
    while got < start.len() {
        match file.read(&mut start[got..])? {
            0 => break,
            n => got += n,
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(got == 2 && start == [0x1f, 0x8b])
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn several_members_are_one_stream() {
        let bytes = [packed(b"one "), packed(b"two")].concat();
        let mut text = String::new();
        Unpacked::new(&bytes[..], UnpackLimits::default()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two");
    }

    #[test]
    fn a_bomb_is_stopped_and_a_cut_stream_is_an_error() {
        let bytes = packed(&vec![0; 1_000_000]);
        let limits = UnpackLimits { free: 10_000, ratio: 200, absolute: 1 << 40 };
        let error = Unpacked::new(&bytes[..], limits).read_to_end(&mut Vec::new()).unwrap_err();
        assert!(is_too_large(&error));
        let generous = UnpackLimits { free: 1_000_000, ..limits };
        assert_eq!(Unpacked::new(&bytes[..], generous).read_to_end(&mut Vec::new()).unwrap(), 1_000_000);
        let absolute = UnpackLimits { free: 1 << 30, ratio: 200, absolute: 999_999 };
        assert!(is_too_large(&Unpacked::new(&bytes[..], absolute).read_to_end(&mut Vec::new()).unwrap_err()));
        let cut = Unpacked::new(&bytes[..bytes.len() - 9], generous).read_to_end(&mut Vec::new()).unwrap_err();
        assert!(!is_too_large(&cut));
    }
}
