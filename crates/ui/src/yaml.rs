//! project.yaml as coloured text with line anchors, whatever the text is: invalid files too, and large ones in pages.
//! Spec site.md 4.4 and 18. Pure; the caller says which places have a meaning (levels, actions, scripts, faults).

mod lexer;
mod write;

pub use lexer::Checkpoint;

use std::ops::Range;

use crate::html::Html;
use crate::icon::Level;
use lexer::{Lexer, Token};

/// How many lines a page of a large file has.
pub const LINES_OF_A_PAGE: usize = 5_000;
/// The most bytes of one line that are shown; the file itself has the rest.
pub const LONGEST_LINE: usize = 20_000;

/// A place of the text with a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Bytes of the text. What is not within the text, or not between characters, is moved to where it can be.
    pub place: Range<usize>,
    /// What it means.
    pub meaning: Meaning,
}

/// What a marked place means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A privacy level, or a pattern under one.
    Level(Level),
    /// The name of an action: its own id, and where its job is.
    Action {
        /// Id of the place in the page, unique there; see [`anchor`].
        id: String,
        /// Where the job row is, if this request has one.
        href: Option<String>,
    },
    /// The path of a file of the study.
    Script {
        /// Where the file can be read.
        href: String,
    },
    /// A fault: what is told when one points at it.
    Fault(String),
}

/// The id of an action's place in the text: letters, figures, `_` and `-` stay, all else is written as its number.
pub fn anchor(action: &str) -> String {
    let mut id = String::from("a-");
    for c in action.chars() {
        if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
            id.push(c);
        } else {
            id.push_str(&format!(".{:x}.", u32::from(c)));
        }
    }
    id
}

/// The whole text as one piece: `<pre>` with an anchor `L12` before each line that is not empty.
pub fn whole(text: &str, marks: &[Mark]) -> Html {
    write::lines(text, Checkpoint::start(), usize::MAX, marks)
}

/// Any other text, without colours: the same lines and anchors.
pub fn plain(text: &str) -> Html {
    write::plain(text)
}

/// Where the pages of a large file begin. To be kept by content hash: making it reads the whole text once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    starts: Vec<Checkpoint>,
    lines: usize,
}

impl Pages {
    /// Reads a text through.
    pub fn of(text: &str) -> Self {
        let mut lexer = Lexer::at(Checkpoint::start());
        let mut starts = vec![Checkpoint::start()];
        let mut lines = 0;
        while let Some(line) = lexer.line(text, &mut |_: Token, _: Range<usize>| {}) {
            lines = line.number;
            if line.number % LINES_OF_A_PAGE == 0 && line.next < text.len() {
                starts.push(lexer.checkpoint());
            }
        }
        Self { starts, lines }
    }

    /// How many pages there are; at least one.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// One page, counted from 1, of the text that this was made of.
    pub fn page(&self, text: &str, page: usize, marks: &[Mark]) -> Option<Html> {
        let start = self.starts.get(page.checked_sub(1)?)?;
        Some(write::lines(text, *start, LINES_OF_A_PAGE, marks))
    }
}
