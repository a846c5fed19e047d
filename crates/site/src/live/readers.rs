//! How many streams are open, in all and for each address.
//! Spec site.md 14, 16: over the cap the script asks now and then instead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::lock;
use crate::access::Prefix;

/// Streams of one address.
const EACH: usize = 10;
/// Streams of the whole process.
const ALL: usize = 10_000;

/// Open streams.
#[derive(Debug, Default)]
pub(super) struct Readers {
    open: Mutex<(usize, HashMap<Prefix, usize>)>,
}

/// One open stream; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    readers: Arc<Readers>,
    prefix: Prefix,
}

impl Readers {
    /// A place for one more, if there is one.
    pub(super) fn take(self: &Arc<Self>, prefix: Prefix) -> Option<Seat> {
        let mut open = lock(&self.open);
        // What the process asks itself has no address that could be kept to a number.
        let each = if prefix == Prefix::inside() { ALL } else { EACH };
        if open.0 >= ALL || open.1.get(&prefix).is_some_and(|count| *count >= each) {
            return None;
        }
        open.0 += 1;
        *open.1.entry(prefix.clone()).or_default() += 1;
        Some(Seat { readers: self.clone(), prefix })
    }

    pub(super) fn all(&self) -> usize {
        lock(&self.open).0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = lock(&self.readers.open);
        open.0 = open.0.saturating_sub(1);
        if let Some(count) = open.1.get_mut(&self.prefix) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.1.remove(&self.prefix);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests {
    use super::*;

    #[test]
    fn ten_for_an_address() {
        let readers = Arc::new(Readers::default());
        let (one, two) = (Prefix::of("192.0.2.1".parse().unwrap()), Prefix::of("192.0.2.2".parse().unwrap()));
        let mut seats: Vec<Seat> = (0..10).map(|_| readers.take(one.clone()).unwrap()).collect();
        assert!(readers.take(one.clone()).is_none());
        seats.push(readers.take(two).unwrap());
        assert_eq!(readers.all(), 11);
        seats.remove(0);
        assert!(readers.take(one).is_some());
        drop(seats);
        assert_eq!(readers.all(), 0);
        assert!(lock(&readers.open).1.is_empty());
    }
}
