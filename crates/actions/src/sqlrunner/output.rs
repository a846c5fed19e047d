//! Where the rows go: stdout, a file, or a compressed file.
//! A file gets its name only after the last byte is on the disk.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::{Compression, GzBuilder, write::GzEncoder};

use crate::fault::Fault;
use crate::staged::Staged;

enum Stream<'a> {
    Stdout(BufWriter<&'a mut dyn Write>),
    Plain(BufWriter<File>),
    Gzip(Box<GzEncoder<BufWriter<File>>>),
}

/// An open result.
pub(crate) struct Output<'a> {
    stream: Stream<'a>,
    staged: Option<Staged>,
}

impl<'a> Output<'a> {
    pub(crate) fn stdout(stdout: &'a mut dyn Write) -> Self {
        Self { stream: Stream::Stdout(BufWriter::with_capacity(64 << 10, stdout)), staged: None }
    }

    /// With a gzip level it is compressed: one member, no name, no time (actions.md 3.2).
    pub(crate) fn file(mut staged: Staged, gzip_level: Option<u32>) -> Result<Self, Fault> {
        let file = staged.file().try_clone().map_err(|error| Fault::writing(staged.what(), &error))?;
        let file = BufWriter::with_capacity(64 << 10, file);
        let stream = match gzip_level {
            Some(level) => Stream::Gzip(Box::new(GzBuilder::new().write(file, Compression::new(level)))),
            None => Stream::Plain(file),
        };
        Ok(Self { stream, staged: Some(staged) })
    }

    /// What a failed write is called.
    pub(crate) fn what(&self) -> String {
        self.staged.as_ref().map_or_else(|| "the rows to stdout".to_owned(), |staged| staged.what().to_owned())
    }

    /// Ends the stream and brings a file to the disk; only its name is left to give.
    pub(crate) fn finish(self) -> Result<Option<Staged>, Fault> {
        let what = self.what();
        let failed = |error: io::Error| Fault::writing(&what, &error);
        match self.stream {
            Stream::Stdout(mut out) => out.flush().map_err(failed)?,
            Stream::Plain(mut out) => out.flush().map_err(failed)?,
            Stream::Gzip(encoder) => encoder.finish().and_then(|mut out| out.flush()).map_err(failed)?,
        }
        if let Some(staged) = &self.staged {
            staged.sync()?;
        }
        Ok(self.staged)
    }
}

impl Write for Output<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Stdout(out) => out.write(buf),
            Stream::Plain(out) => out.write(buf),
            Stream::Gzip(out) => out.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Stdout(out) => out.flush(),
            Stream::Plain(out) => out.flush(),
            Stream::Gzip(out) => out.flush(),
        }
    }
}
