//! Unpacks on a thread of its own, a few pieces ahead of who reads.
//! What is read, and every error, is the same as without it.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

const PIECE: usize = 256 << 10;
/// Pieces that wait to be read.
const WAITING: usize = 4;

/// A stream that is read before it is asked for.
pub(super) struct Ahead {
    pieces: Receiver<io::Result<Vec<u8>>>,
    held: Vec<u8>,
    at: usize,
}

impl Ahead {
    pub(super) fn new(mut input: Box<dyn Read + Send>) -> io::Result<Self> {
        let (send, pieces) = sync_channel(WAITING);
        // It ends with the stream, with an error, or when nobody reads any more.
        thread::Builder::new().name("unpack".to_owned()).spawn(move || {
            loop {
                let piece = read_piece(&mut input);
                let last = piece.as_ref().map_or(true, Vec::is_empty);
                if send.send(piece).is_err() || last {
                    return;
                }
            }
        })?;
        Ok(Self { pieces, held: Vec::new(), at: 0 })
    }
}

/// Up to a whole piece; nothing only at the end.
fn read_piece(input: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE);
    // What comes before an error is not worth its handling: nothing in a broken file counts.
    input.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

impl Read for Ahead {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.held.len() {
            // A thread that is gone without having said that the stream ended.
            let lost = |_| io::Error::other("the thread that unpacks the file is gone");
            self.held = self.pieces.recv().map_err(lost)??;
            self.at = 0;
            if self.held.is_empty() {
                // Whoever asks again gets the same answer.
                let (send, pieces) = sync_channel(1);
                let _ = send.send(Ok(Vec::new()));
                self.pieces = pieces;
            }
        }
        let rest = self.held.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_there() {
        let bytes: Vec<u8> = (0..3 * PIECE + 17).map(|at| (at % 251) as u8).collect();
        let mut ahead = Ahead::new(Box::new(io::Cursor::new(bytes.clone()))).unwrap();
        let mut read = Vec::new();
        ahead.read_to_end(&mut read).unwrap();
        assert!(read == bytes);
        assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn an_error_comes_through_and_nobody_waits_for_a_reader_that_is_gone() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::InvalidData.into())
            }
        }
        let mut ahead = Ahead::new(Box::new(io::Cursor::new(vec![1; PIECE]).chain(Broken))).unwrap();
        let error = ahead.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        drop(Ahead::new(Box::new(io::repeat(1))).unwrap());
    }
}
