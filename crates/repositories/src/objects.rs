//! Objects of a mirror, read through one `git cat-file` and checked against their names.
//! Spec jobs.md 20: trees are written by reading objects; nothing here knows a working folder, an attribute or a filter.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use data_encoding::HEXLOWER;
use sha1::{Digest, Sha1};

use crate::Error;
use crate::git::{Access, Git};

/// The name of an object: SHA-1 of its kind, size and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Oid(pub(crate) [u8; 20]);

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// Requests that are under way at once. All of them fit into the smallest pipe (4,096 bytes), so that neither side can
/// wait for the other for ever.
const AHEAD: usize = 80;

/// One `git cat-file --batch-command` on a mirror; ended when dropped.
#[derive(Debug)]
pub(crate) struct Objects {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    mirror: PathBuf,
}

impl Objects {
    pub(crate) fn open(git: &Git, mirror: &Path) -> Result<Self, Error> {
        let mut command = git.limited(mirror, &Access::Nothing, 0, None);
        // Ctrl-C is for us: git ends when its input does.
        command.args(["cat-file", "--batch-command"]).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(Error::machine("git could not be run"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => {
                let output = BufReader::with_capacity(64 * 1024, output);
                Ok(Self { child, input, output, mirror: mirror.to_owned() })
            }
            _ => Err(Error::machine("git could not be run")(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Kind and size of objects, in their order, without their bytes. `None` for one that is not there.
    pub(crate) fn infos<E: From<Error>>(
        &mut self,
        ids: &[Oid],
        mut each: impl FnMut(usize, Option<(Kind, u64)>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (chunk_no, chunk) in ids.chunks(AHEAD).enumerate() {
            self.ask("info", chunk)?;
            for (n, id) in chunk.iter().enumerate() {
                let found = self.header(*id)?;
                each(chunk_no * AHEAD + n, found)?;
            }
        }
        Ok(())
    }

    /// The bytes of objects, in their order. What `each` leaves unread is skipped.
    pub(crate) fn contents<E: From<Error>>(
        &mut self,
        ids: &[Oid],
        mut each: impl FnMut(usize, &mut Contents<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (chunk_no, chunk) in ids.chunks(AHEAD).enumerate() {
            self.ask("contents", chunk)?;
            for (n, id) in chunk.iter().enumerate() {
                let Some((kind, size)) = self.header(*id)? else {
                    return Err(self.damaged(format!("object {id} is missing")).into());
                };
                let mut hash = Sha1::new();
                hash.update(format!("{} {size}\0", kind.word()));
                let mut contents = Contents { kind, size, left: size, hash, output: &mut self.output };
                each(chunk_no * AHEAD + n, &mut contents)?;
                let whole = contents.finish().map_err(|e| self.damaged(format!("object {id}: {e}")))?;
                if whole != *id {
                    return Err(self.damaged(format!("object {id} has other bytes than its name says")).into());
                }
            }
        }
        Ok(())
    }

    /// The bytes of one object of at most `limit` bytes; `Err(size)` inside for a larger one, which is not read.
    pub(crate) fn whole(&mut self, id: Oid, limit: u64) -> Result<Result<(Kind, Vec<u8>), u64>, Error> {
        let mut info = None;
        self.infos::<Error>(&[id], |_, found| {
            info = found;
            Ok(())
        })?;
        let Some((kind, size)) = info else { return Err(self.damaged(format!("object {id} is missing"))) };
        if size > limit {
            return Ok(Err(size));
        }
        let mut bytes = Vec::new();
        let read = self.contents::<Error>(&[id], |_, contents| {
            contents.read_to_end(&mut bytes).map(drop).map_err(Error::machine("an object cannot be read"))
        });
        read.map(|()| Ok((kind, bytes)))
    }

    pub(crate) fn damaged(&self, why: String) -> Error {
        Error::Damaged { mirror: self.mirror.clone(), why }
    }

    fn ask(&mut self, what: &str, ids: &[Oid]) -> Result<(), Error> {
        let words: String = ids.iter().map(|id| format!("{what} {id}\n")).collect();
        self.input.write_all(words.as_bytes()).map_err(|e| self.damaged(format!("git cat-file has ended: {e}")))
    }

    fn header(&mut self, id: Oid) -> Result<Option<(Kind, u64)>, Error> {
        let mut line = Vec::new();
        let read = self.output.by_ref().take(200).read_until(b'\n', &mut line);
        read.map_err(Error::machine("git cat-file does not answer"))?;
        let text = String::from_utf8_lossy(&line);
        let mut words = text.trim_end_matches('\n').split(' ');
        let name = words.next().unwrap_or_default();
        let kind = match words.next() {
            _ if name != id.to_string() => None,
            Some("missing") => return Ok(None),
            Some("commit") => Some(Kind::Commit),
            Some("tree") => Some(Kind::Tree),
            Some("blob") => Some(Kind::Blob),
            Some("tag") => Some(Kind::Tag),
            _ => None,
        };
        let size = words.next().and_then(|size| size.parse().ok());
        match (kind, size) {
            (Some(kind), Some(size)) => Ok(Some((kind, size))),
            _ => Err(self.damaged(format!("object {id} cannot be read"))),
        }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // It has nothing to save; when it is gone already, all the better.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bytes of one object, hashed while they are read.
pub(crate) struct Contents<'a> {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    left: u64,
    hash: Sha1,
    output: &'a mut BufReader<ChildStdout>,
}

impl Contents<'_> {
    fn finish(mut self) -> io::Result<Oid> {
        io::copy(&mut self, &mut io::sink())?;
        let mut line_end = [0];
        self.output.read_exact(&mut line_end)?;
        Ok(Oid(self.hash.finalize().into()))
    }
}

impl Read for Contents<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let got = self.output.read(&mut buffer[..want])?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.hash.update(&buffer[..got]);
        self.left -= got as u64;
        Ok(got)
    }
}
