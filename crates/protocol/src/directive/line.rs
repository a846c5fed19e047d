//! The site's end: a backend's line of directives. Asking behind a cursor acknowledges all up to it.
//! Spec protocol.md 3.1, 3.2, 7.1.

use super::DirectiveKind;
use crate::limits::{DIRECTIVE_BYTES, DIRECTIVES};
use crate::text::ids::Ulid;
use crate::text::whole::Cursor;

/// How far a backend's line goes and how far it was taken. The directives themselves are stored by the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    last: Cursor,
    asked: Cursor,
}

/// What a poll is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// 200 with the directives from here on, at most 100.
    From(Cursor),
    /// Nothing yet: wait for the next one, then answer; 204 when the wait is over.
    Wait,
}

/// How much further a backend's line may be than the site's. No site loses more between two copies; a backend that claims
/// more would use up the places of its line.
pub const MOST_LOST: u64 = 100_000;

/// What `hello` means for the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFound {
    /// Nothing is missing.
    Agrees,
    /// The backend is further, or has another directive where it stands: the site was restored from an older copy, or from one
    /// of a history that was left. The next directive gets a place behind all that either has seen. What the site has and
    /// the backend may not have goes down the line again, see [`again`]; lost requests are made again from the
    /// orders that facts echo.
    SiteRestored,
    /// It is further than any site could have lost: tell staff, change nothing.
    TooFar,
}

/// Whether a directive gets a new place behind the others once the site finds that it was restored. What nobody has asked
/// behind may be at a place where the backend has another one. An order or a cancel that was not answered may have been taken
/// in a history that the backend has left. It keeps its id, so that a backend which has it already does nothing.
pub fn again(kind: DirectiveKind, acknowledged: bool, answered: bool) -> bool {
    let has_answer = matches!(kind, DirectiveKind::JobRequest | DirectiveKind::Cancel);
    !answered && (!acknowledged || has_answer)
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self { last: Cursor::LEAST, asked: Cursor::LEAST }
    }

    /// A line as it was stored.
    pub fn stored(last: Cursor, asked: Cursor) -> Self {
        Self { last, asked: asked.min(last) }
    }

    /// The cursor of the next directive; it is taken. Stored in the same transaction as the directive.
    pub fn take(&mut self) -> Cursor {
        self.last = self.last.next();
        self.last
    }

    /// The last cursor given.
    pub fn last(&self) -> Cursor {
        self.last
    }

    /// Up to where the backend has asked, and so has stored.
    pub fn acknowledged(&self) -> Cursor {
        self.asked
    }

    /// `directives?after=N`. A backend that was restored may ask for what it once had.
    pub fn poll(&mut self, after: Cursor) -> Poll {
        self.asked = self.asked.max(after.min(self.last));
        if after < self.last { Poll::From(after.next()) } else { Poll::Wait }
    }

    /// How many directives of these sizes, in order, go into one answer: up to 100 and 4 MiB, at least one.
    pub fn answer(sizes: impl IntoIterator<Item = usize>) -> usize {
        let mut bytes = 0usize;
        let fits = |(i, size): &(usize, usize)| {
            bytes = bytes.saturating_add(size + 1);
            *i == 0 || (*i < DIRECTIVES && bytes <= DIRECTIVE_BYTES)
        };
        sizes.into_iter().enumerate().take_while(fits).count()
    }

    /// Places behind `after` at which no directive stands, at most so many: where the site was restored, and then the backend
    /// to before what the site had lost. Nobody can tell what was there, and the line is dense, so that a backend would ask for
    /// them for ever: the site puts a `rights_changed` without users at each before it answers the next poll.
    pub fn missing(&self, after: Cursor, most: usize, there: impl Fn(Cursor) -> bool) -> Vec<Cursor> {
        let behind = std::iter::successors(Some(after.next()), |cursor| Some(cursor.next()));
        behind.take_while(|cursor| *cursor <= self.last).filter(|cursor| !there(*cursor)).take(most).collect()
    }

    /// Compares with what the backend told at `hello`: its cursor, and the id that stands there. `id_at` gives the id
    /// of a directive of this line. Before that, no place that this process of the site gave has left it: whatever was put
    /// into the line since the start can still get another.
    pub fn hello(&mut self, theirs: Cursor, id: Option<&Ulid>, id_at: impl Fn(Cursor) -> Option<Ulid>) -> LineFound {
        if theirs.get() - self.last.get().min(theirs.get()) > MOST_LOST {
            return LineFound::TooFar;
        }
        let other = matches!((id, id_at(theirs)), (Some(theirs), Some(ours)) if *theirs != ours);
        if theirs <= self.last && !other {
            return LineFound::Agrees;
        }
        self.last = self.last.max(theirs);
        self.asked = theirs;
        LineFound::SiteRestored
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u64) -> Ulid {
        Ulid::from_parts(n, 0)
    }

    #[test]
    fn asking_acknowledges() {
        let mut line = Line::new();
        assert_eq!(line.poll(Cursor::t(0)), Poll::Wait);
        assert_eq!((line.take(), line.take()), (Cursor::t(1), Cursor::t(2)));
        assert_eq!(line.poll(Cursor::t(0)), Poll::From(Cursor::t(1)));
        assert_eq!(line.acknowledged(), Cursor::t(0));
        assert_eq!(line.poll(Cursor::t(2)), Poll::Wait);
        assert_eq!(line.poll(Cursor::t(1)), Poll::From(Cursor::t(2)));
        assert_eq!(line.acknowledged(), Cursor::t(2));
    }

    #[test]
    fn a_restored_site_moves_past_what_it_lost() {
        let mut line = Line::stored(Cursor::t(3), Cursor::t(2));
        let ids = |c: Cursor| Some(id(c.get()));
        assert_eq!(line.hello(Cursor::t(3), Some(&id(3)), ids), LineFound::Agrees);
        assert_eq!(line.hello(Cursor::t(7), Some(&id(7)), ids), LineFound::SiteRestored);
        assert_eq!((line.acknowledged(), line.take()), (Cursor::t(7), Cursor::t(8)));
        // A backend that was restored to cursor 2 would ask in vain for what was at 4 to 7.
        let there = |c: Cursor| c.get() <= 3 || c.get() == 8;
        let places =
            |after, most| line.missing(Cursor::t(after), most, there).into_iter().map(Cursor::get).collect::<Vec<_>>();
        assert_eq!((places(2, 9), places(5, 9), places(2, 2)), (vec![4, 5, 6, 7], vec![6, 7], vec![4, 5]));
        assert_eq!(places(8, 9), [0; 0]);
    }

    #[test]
    fn a_copy_of_a_history_that_was_left_is_behind_both() {
        // The site has 1 to 3, of which the backend took 1; in another history it took another directive as 2.
        let mut line = Line::stored(Cursor::t(3), Cursor::t(1));
        let ids = |c: Cursor| Some(id(c.get()));
        assert_eq!(line.hello(Cursor::t(2), Some(&id(22)), ids), LineFound::SiteRestored);
        assert_eq!((line.acknowledged(), line.take()), (Cursor::t(2), Cursor::t(4)));
        // Where either does not know what stands there, nothing says that they differ.
        let mut line = Line::stored(Cursor::t(3), Cursor::t(1));
        assert_eq!(line.hello(Cursor::t(2), None, ids), LineFound::Agrees);
        assert_eq!(line.hello(Cursor::t(2), Some(&id(22)), |_| None), LineFound::Agrees);
    }

    #[test]
    fn nobody_uses_up_the_places_of_a_line() {
        let mut line = Line::stored(Cursor::t(3), Cursor::t(1));
        assert_eq!(line.hello(Cursor::t(MOST_LOST + 4), None, |_| None), LineFound::TooFar);
        assert_eq!(line, Line::stored(Cursor::t(3), Cursor::t(1)));
        assert_eq!(line.hello(Cursor::t(MOST_LOST + 3), None, |_| None), LineFound::SiteRestored);
    }

    #[test]
    fn what_goes_down_the_line_again() {
        use DirectiveKind::{Cancel, JobRequest, Permissions};
        let moves = |kind| [(false, false), (true, false), (false, true), (true, true)].map(|(a, b)| again(kind, a, b));
        assert_eq!(moves(JobRequest), [true, true, false, false]);
        assert_eq!(moves(Cancel), [true, true, false, false]);
        assert_eq!(moves(Permissions), [true, false, false, false]);
    }

    #[test]
    fn answers_keep_both_limits() {
        assert_eq!(Line::answer([10; 300]), 100);
        assert_eq!(Line::answer([DIRECTIVE_BYTES; 3]), 1);
        assert_eq!(Line::answer([DIRECTIVE_BYTES / 2 - 1; 3]), 2);
        assert_eq!(Line::answer([]), 0);
    }
}
