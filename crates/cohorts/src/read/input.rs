//! Where bytes come from: a file, or a gzip stream that can go back to its beginning.
//! A small file can blow up a thousandfold: beyond a limit the ratio decides (actions.md 3.1, 10).

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::MultiGzDecoder;

use super::error::{BadGzip, TooFar};

/// A file to read from.
pub trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// What a reader holds in memory at most, and how far a compressed file may unpack. All in bytes unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One record of a csv file.
    pub record: usize,
    /// Columns, as a number.
    pub columns: usize,
    /// One batch of a feather file, unpacked.
    pub batch: u64,
    /// All long texts of a Stata file, and all its labels.
    pub texts: u64,
    /// Unpacked bytes up to which the ratio does not matter.
    pub unpacked_free: u64,
    /// Times the packed bytes that a file may unpack to beyond that.
    pub unpacked_ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record: 16 << 20,
            columns: 100_000,
            batch: 1 << 30,
            texts: 512 << 20,
            unpacked_free: 1 << 30,
            unpacked_ratio: 200,
        }
    }
}

/// Whether the bytes begin as gzip does. The input stands at its beginning before and after.
pub(super) fn is_gzip(input: &mut dyn Input) -> io::Result<bool> {
    let mut magic = [0; 2];
    input.seek(SeekFrom::Start(0))?;
    let read = input.read(&mut magic)?;
    let whole = read == 2 || (read == 1 && input.read(&mut magic[1..])? == 1);
    input.seek(SeekFrom::Start(0))?;
    Ok(whole && magic == [0x1f, 0x8b])
}

struct Counted {
    inner: Box<dyn Input>,
    read: u64,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.read += n as u64;
        Ok(n)
    }
}

/// The bytes of a gzip stream. Going forward reads, going back begins again.
pub(super) struct Unpacked {
    stream: Option<MultiGzDecoder<BufReader<Counted>>>,
    at: u64,
    limits: Limits,
}

impl Unpacked {
    pub(super) fn new(inner: Box<dyn Input>, limits: Limits) -> Self {
        Self { stream: Some(begin(inner)), at: 0, limits }
    }
}

fn begin(inner: Box<dyn Input>) -> MultiGzDecoder<BufReader<Counted>> {
    MultiGzDecoder::new(BufReader::with_capacity(1 << 16, Counted { inner, read: 0 }))
}

impl Read for Unpacked {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let n = stream.read(buf).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => io::Error::other(BadGzip(error)),
            _ => error,
        })?;
        self.at += n as u64;
        let packed = stream.get_ref().get_ref().read;
        if self.at > self.limits.unpacked_free && self.at > packed.saturating_mul(self.limits.unpacked_ratio) {
            return Err(io::Error::other(TooFar));
        }
        Ok(n)
    }
}

impl Seek for Unpacked {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(to) => to,
            SeekFrom::Current(by) => self.at.checked_add_signed(by).ok_or(io::ErrorKind::UnexpectedEof)?,
            SeekFrom::End(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        if to < self.at {
            let stream = self.stream.take().ok_or(io::ErrorKind::BrokenPipe)?;
            let mut inner = stream.into_inner().into_inner().inner;
            inner.seek(SeekFrom::Start(0))?;
            self.stream = Some(begin(inner));
            self.at = 0;
        }
        let skip = to - self.at;
        if io::copy(&mut self.by_ref().take(skip), &mut io::sink())? < skip {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(to)
    }
}
