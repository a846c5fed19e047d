//! Icons, states and privacy levels: always a shape and a word, never a colour alone (spec site.md 4.1, 15).
//! The drawings are in `assets/icons.svg`; pages refer to them.

use crate::assets;
use crate::html::{Html, push_text};

/// A drawing of the sprite, by its name there.
pub fn icon(name: &'static str) -> Html {
    Html::trusted(format!("<svg class=i aria-hidden=true><use href=\"{}#{name}\"/></svg>", assets::icons()))
}

/// How something stands. The words may differ from page to page; colour and drawing do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Accepted and not begun. Amber.
    Pending,
    /// Under way. Blue.
    Running,
    /// Ended well. Green.
    Succeeded,
    /// Ended badly. Red.
    Failed,
    /// There was nothing to do. Amber.
    NothingToDo,
    /// A person stopped it. Grey.
    Cancelled,
    /// A state that this program does not know, or none. Grey.
    Unknown,
}

impl State {
    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Pending | Self::NothingToDo => "wait",
            Self::Running => "run",
            Self::Succeeded => "ok",
            Self::Failed => "bad",
            Self::Cancelled | Self::Unknown => "off",
        }
    }

    /// Its drawing in the sprite.
    pub fn drawing(self) -> &'static str {
        match self {
            Self::Pending => "wait",
            Self::NothingToDo => "none",
            Self::Running => "run",
            Self::Succeeded => "ok",
            Self::Failed => "bad",
            Self::Cancelled => "off",
            Self::Unknown => "ask",
        }
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::NothingToDo => "Nothing to do",
            Self::Cancelled => "Cancelled",
            Self::Unknown => "Unknown",
        }
    }

    /// The label: drawing, word, colour.
    pub fn label(self) -> Html {
        self.label_as(self.word())
    }

    /// The label with another word, for states that only the sender knows, or finer ones.
    pub fn label_as(self, word: &str) -> Html {
        let mut html = format!("<span class=\"s {}\">{}", self.class(), icon(self.drawing()).as_str());
        push_text(&mut html, word);
        html.push_str("</span>");
        Html::trusted(html)
    }
}

/// Who may ever see an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// No person.
    High,
    /// Approved researchers inside the secure environment.
    Medium,
    /// A level of early studies that means no more than medium.
    Low,
}

impl Level {
    /// Its letter.
    pub fn letter(self) -> &'static str {
        match self {
            Self::High => "H",
            Self::Medium => "M",
            Self::Low => "L",
        }
    }

    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::High => "h",
            Self::Medium => "m",
            Self::Low => "l",
        }
    }

    /// Its name in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::High => "highly sensitive",
            Self::Medium => "moderately sensitive",
            Self::Low => "minimally sensitive",
        }
    }

    /// The mark: a letter in a shape of its own. A page that uses it says somewhere which word each letter stands for.
    pub fn mark(self) -> Html {
        Html::trusted(format!("<b class={0}>{0}</b>", self.letter()))
    }
}
