//! The few colours of the human form. Colour never carries meaning alone (spec cli.md 2).
//! Sequences are written only when the caller asks for colour.

use crate::Severity;

/// What a piece of the human form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `error`, `warning`, `note` and the underline of the primary range.
    Severity(Severity),
    /// The message behind the severity; titles.
    Strong,
    /// Line numbers, borders, bullets, secondary underlines.
    Frame,
}

impl Style {
    fn sequence(self) -> &'static str {
        match self {
            Self::Severity(Severity::Error) => "\u{1b}[1;31m",
            Self::Severity(Severity::Warning) => "\u{1b}[1;33m",
            Self::Severity(Severity::Note) => "\u{1b}[1;32m",
            Self::Strong => "\u{1b}[1m",
            Self::Frame => "\u{1b}[34m",
        }
    }
}

/// The text in its style, or as it is where `color` is off.
pub(crate) fn paint(color: bool, style: Style, text: &str) -> String {
    if color && !text.is_empty() { format!("{}{text}\u{1b}[0m", style.sequence()) } else { text.to_owned() }
}
