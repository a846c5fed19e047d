//! Why the bytes of a recording are not taken.
//! Spec study-definitions.md 1.3; all are the recorder's or an attacker's doing, not the researcher's.

use super::{DEEPEST, DEEPEST_VARIABLES, LARGEST, MOST_CODES, MOST_VARIABLES};

/// Why the bytes of a recording are not taken. Texts that come from the bytes are cut and free of control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// SD007.
    #[error(
        "the recording has {bytes} bytes; {LARGEST} are the most (a study that makes this much text is not understood)"
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// SD007.
    #[error("the recording is nested deeper than {DEEPEST} levels, at byte {at}")]
    TooDeep {
        /// Offset.
        at: usize,
    },
    /// SD007.
    #[error("the study has more than {MOST_VARIABLES} variables, nested ones with them")]
    TooManyVariables,
    /// SD007.
    #[error("the variable '{name}' has more than {DEEPEST_VARIABLES} variables around it")]
    VariableTooDeep {
        /// The innermost.
        name: String,
    },
    /// SD007.
    #[error("the codelists of the study have more than {MOST_CODES} codes together")]
    TooManyCodes,
    /// Not the JSON that the schema describes.
    #[error("the recording is not of the schema cloister.recording/1: {0}")]
    Shape(String),
    /// Another version.
    #[error("the recording is of the schema '{found}', and only cloister.recording/1 is known: record the study again")]
    Schema {
        /// What it says.
        found: String,
    },
    /// A whole number of more than 64 bits.
    #[error("the recording has a whole number of more than 64 bits, at byte {at}")]
    Number {
        /// Offset.
        at: usize,
    },
    /// A value that its key cannot have.
    #[error("the recording has {what} that cannot be: '{found}'")]
    Invalid {
        /// Of which key.
        what: &'static str,
        /// The value.
        found: String,
    },
    /// A place that is not among the sources.
    #[error("the recording points to source {index}, and there are {sources}")]
    NoSource {
        /// Given.
        index: u32,
        /// How many there are.
        sources: usize,
    },
    /// A codelist that is not there.
    #[error("the recording uses the codelist '{0}', which it does not hold")]
    NoCodelist(String),
    /// The operating system gave no thread to read in.
    #[error("the recording could not be read: {0}")]
    NoThread(String),
}

impl RecordingError {
    /// Whether the study is too large (SD007), rather than the recording broken.
    #[must_use]
    pub fn is_size(&self) -> bool {
        use RecordingError::*;
        matches!(
            self,
            TooLarge { .. } | TooDeep { .. } | TooManyVariables | VariableTooDeep { .. } | TooManyCodes | Number { .. }
        )
    }
}

/// A text of the recording as it may stand in a message: at most 200 characters, none of control.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
