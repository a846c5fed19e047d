//! The last changes of a page, so that a reader whose connection broke goes on where it was.
//! Spec site.md 14.

use std::collections::VecDeque;

use axum::body::Bytes;

/// Events kept for each page, and bytes of them.
const EVENTS: usize = 1_000;
const BYTES: usize = 2 * 1024 * 1024;

/// One change as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The arrival of the last fact that it tells of. Two can have the same one: not only facts change a page.
    pub id: i64,
    /// The whole text of the event.
    pub frame: Bytes,
}

impl Event {
    /// An event of a name with data on one line.
    pub fn new(name: &str, id: i64, data: &str) -> Self {
        Self { id, frame: format!("event: {name}\nid: {id}\ndata: {data}\n\n").into() }
    }
}

/// The last events, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    events: VecDeque<Event>,
    bytes: usize,
}

/// What a reader who has seen up to an event still has to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// These, in their order.
    Missed(Vec<Event>),
    /// It cannot be told: the page is to be read again.
    Unknown,
}

impl Ring {
    /// Adds an event; the oldest ones make room.
    pub fn push(&mut self, event: Event) {
        self.bytes += event.frame.len();
        self.events.push_back(event);
        while self.events.len() > EVENTS || (self.bytes > BYTES && self.events.len() > 1) {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.frame.len();
        }
    }

    /// What came behind an event. Of several with one id the reader may have seen only the first; to be told a change
    /// twice is no harm.
    pub fn since(&self, id: i64) -> Since {
        match self.events.iter().position(|event| event.id == id) {
            Some(place) => Since::Missed(self.events.iter().skip(place + 1).cloned().collect()),
            None => Since::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed() {
        let mut ring = Ring::default();
        let event = |id| Event::new("patch", id, "[]");
        assert_eq!(ring.since(0), Since::Unknown);
        for id in [3, 5, 5, 9] {
            ring.push(event(id));
        }
        assert_eq!(ring.since(3), Since::Missed(vec![event(5), event(5), event(9)]));
        assert_eq!(ring.since(5), Since::Missed(vec![event(5), event(9)]));
        assert_eq!(ring.since(9), Since::Missed(Vec::new()));
        assert_eq!((ring.since(4), ring.since(10)), (Since::Unknown, Since::Unknown));
        (10..2000).for_each(|id| ring.push(event(id)));
        assert_eq!((ring.events.len(), ring.since(999)), (1000, Since::Unknown));
        assert!(matches!(ring.since(1000), Since::Missed(missed) if missed.len() == 999));
        let large = "x".repeat(BYTES);
        ring.push(Event::new("patch", 3000, &large));
        assert_eq!(ring.events.len(), 1);
        assert_eq!(event(7).frame, "event: patch\nid: 7\ndata: []\n\n");
    }
}
