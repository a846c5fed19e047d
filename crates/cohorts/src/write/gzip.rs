//! One gzip member, compressed block by block on several threads: the bytes depend on the text and the level alone.
//! No name and no time in the header (study-definitions.md 9.2, actions.md 3.2).

use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use flate2::{Compress, Compression, FlushCompress};

/// Text of one block. Blocks know nothing of each other, which costs less than 2 % of size at this length.
const BLOCK: usize = 1 << 19;
/// More threads than this wait for the text.
const MOST_THREADS: usize = 4;
/// Magic, deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last block of deflate with nothing in it.
const NOTHING: [u8; 2] = [3, 0];

/// Text in, or compressed bytes out, with the checksum of the text.
struct Block {
    bytes: Vec<u8>,
    sum: crc32fast::Hasher,
}

struct Job {
    text: Vec<u8>,
    done: SyncSender<io::Result<Block>>,
}

/// Lets `write` write text to a gzip stream over `out`, and ends the stream when it succeeds. `level` is 1 to 9: how hard
/// to compress. Equal text and level give equal bytes, whatever the machine.
///
/// # Errors
/// Those of `write`, and of writing to `out`; then `out` holds a part of a stream.
pub fn gzip<T, E: From<io::Error>>(
    level: u32,
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    // The thread that makes the text is one of them.
    helped(thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS), level, out, write)
}

fn helped<T, E: From<io::Error>>(
    helpers: usize,
    level: u32,
    out: &mut dyn Write,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    let (jobs, queue) = sync_channel::<Job>(helpers);
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        // A sandbox may allow fewer threads, or none.
        let helping =
            (0..helpers).filter(|_| thread::Builder::new().spawn_scoped(scope, || help(&queue, level)).is_ok()).count();
        let mut gzip = Gzip {
            out,
            text: Vec::with_capacity(BLOCK),
            own: None,
            level,
            jobs: (helping > 0).then_some(jobs),
            waiting: VecDeque::new(),
            most_waiting: helpers * 3 + 1,
            sum: crc32fast::Hasher::new(),
            length: 0,
        };
        gzip.out.write_all(&HEADER)?;
        let made = write(&mut gzip)?;
        gzip.end()?;
        Ok(made)
    })
}

/// Works until the last sender is gone.
fn help(queue: &Mutex<Receiver<Job>>, level: u32) {
    let mut own = None;
    loop {
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(job) = job else { return };
        // Nobody waits for it any more when the writing has failed.
        let _ = job.done.send(compress(&mut own, level, &job.text));
    }
}

fn compress(own: &mut Option<Compress>, level: u32, text: &[u8]) -> io::Result<Block> {
    let deflate = own.get_or_insert_with(|| Compress::new(Compression::new(level.clamp(1, 9)), false));
    deflate.reset();
    let mut bytes = Vec::with_capacity(text.len() / 3 + 1024);
    loop {
        let read = usize::try_from(deflate.total_in()).unwrap_or(usize::MAX);
        let rest = text.get(read..).unwrap_or_default();
        deflate.compress_vec(rest, &mut bytes, FlushCompress::Sync).map_err(io::Error::other)?;
        // A flush is complete when the compressor leaves room.
        if bytes.len() < bytes.capacity() && usize::try_from(deflate.total_in()).unwrap_or(usize::MAX) == text.len() {
            break;
        }
        bytes.reserve(text.len() / 4 + 1024);
    }
    let mut sum = crc32fast::Hasher::new();
    sum.update(text);
    Ok(Block { bytes, sum })
}

enum Waiting {
    Here(Block),
    Elsewhere(Receiver<io::Result<Block>>),
}

struct Gzip<'a> {
    out: &'a mut dyn Write,
    text: Vec<u8>,
    own: Option<Compress>,
    level: u32,
    /// Nothing when there is nobody to help.
    jobs: Option<SyncSender<Job>>,
    waiting: VecDeque<Waiting>,
    most_waiting: usize,
    sum: crc32fast::Hasher,
    length: u64,
}

impl Gzip<'_> {
    /// Gives the block to a free thread, or compresses it here when all are busy.
    fn hand_on(&mut self) -> io::Result<()> {
        self.length += self.text.len() as u64;
        let text = std::mem::replace(&mut self.text, Vec::with_capacity(BLOCK));
        let waiting = match self.offer(text) {
            Ok(result) => Waiting::Elsewhere(result),
            Err(text) => Waiting::Here(compress(&mut self.own, self.level, &text)?),
        };
        self.waiting.push_back(waiting);
        self.take_done(self.most_waiting)
    }

    /// The text comes back when nobody can take it.
    fn offer(&self, text: Vec<u8>) -> Result<Receiver<io::Result<Block>>, Vec<u8>> {
        let Some(jobs) = &self.jobs else { return Err(text) };
        let (done, result) = sync_channel(1);
        match jobs.try_send(Job { text, done }) {
            Ok(()) => Ok(result),
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => Err(job.text),
        }
    }

    /// Writes what is done, in order, and waits until at most `left` blocks are not written.
    fn take_done(&mut self, left: usize) -> io::Result<()> {
        while let Some(first) = self.waiting.pop_front() {
            let block = match first {
                Waiting::Here(block) => block,
                Waiting::Elsewhere(result) => match result.try_recv() {
                    Ok(block) => block?,
                    Err(_) if self.waiting.len() < left => {
                        self.waiting.push_front(Waiting::Elsewhere(result));
                        return Ok(());
                    }
                    Err(_) => result.recv().map_err(|_| io::Error::other("a thread that compresses has ended"))??,
                },
            };
            self.out.write_all(&block.bytes)?;
            self.sum.combine(&block.sum);
        }
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        if !self.text.is_empty() {
            self.hand_on()?;
        }
        self.take_done(0)?;
        self.out.write_all(&NOTHING)?;
        self.out.write_all(&self.sum.finalize().to_le_bytes())?;
        // Its length is kept without what exceeds four bytes.
        self.out.write_all(&(self.length as u32).to_le_bytes())
    }
}

impl Write for Gzip<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let taken = buf.len().min(BLOCK - self.text.len());
        self.text.extend_from_slice(&buf[..taken]);
        if self.text.len() == BLOCK {
            self.hand_on()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_change_nothing() {
        let text: Vec<u8> = (0..300_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 12).to_le_bytes()).collect();
        let packed = |helpers| {
            let mut out = Vec::new();
            helped(helpers, 6, &mut out, |out| out.write_all(&text)).unwrap();
            out
        };
        let alone = packed(0);
        for helpers in [1, 2, 5] {
            assert!(packed(helpers) == alone, "{helpers}");
        }
    }
}
