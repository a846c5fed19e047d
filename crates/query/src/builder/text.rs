//! Constructors of text. Nothing is a pattern: every character stands for itself.
//! Where a text is looked for, a set means any of its texts.

use super::Builder;
use crate::graph::{Collation, Find, Frame, Op, Series};

impl Builder<'_> {
    /// Whether it starts with the text, or with any text of a set.
    pub fn starts_with(&mut self, of: Series, text: Series, collation: Collation) -> Series {
        self.series(Op::Find { how: Find::StartsWith, of, text, collation })
    }

    /// Whether it holds the text, or any text of a set.
    pub fn contains(&mut self, of: Series, text: Series, collation: Collation) -> Series {
        self.series(Op::Find { how: Find::Contains, of, text, collation })
    }

    /// Whether it holds the text, or any text of a set, right after a character that is neither letter nor digit.
    pub fn contains_after_boundary(&mut self, of: Series, text: Series, collation: Collation) -> Series {
        self.series(Op::Find { how: Find::ContainsAfterBoundary, of, text, collation })
    }

    /// One after the other.
    pub fn concat(&mut self, of: impl IntoIterator<Item = Series>) -> Series {
        self.series(Op::Concat { of: of.into_iter().collect() })
    }

    /// Every `from` replaced by `to`, from the left.
    pub fn replace(&mut self, of: Series, from: Series, to: Series, collation: Collation) -> Series {
        self.series(Op::Replace { of, from, to, collation })
    }

    /// Without spaces at both ends.
    pub fn trim(&mut self, of: Series) -> Series {
        self.series(Op::Trim { of })
    }

    /// A list in a text: cut at the separator, parts trimmed, those that `known` (a set) does not hold without case
    /// replaced by `other`, repeats dropped, joined again.
    pub fn known_parts(&mut self, of: Series, separator: &str, known: Series, other: &str) -> Series {
        self.series(Op::KnownParts { of, separator: separator.to_owned(), known, other: other.to_owned() })
    }

    /// The member of a set that a code is linked with, through rows of a reference table that tell which code replaced
    /// which; a member is linked with itself. Without case; NULL if with none.
    pub fn linked(&mut self, of: Series, set: Series, frame: Frame, id: &str, previous: &str) -> Series {
        let (id, previous) = (self.column_name(frame, id), self.column_name(frame, previous));
        self.series(Op::Linked { of, set, frame, id, previous })
    }
}
