//! Why a file is kept out of the medium store, in words for the researcher who declared it.
//! Spec jobs.md 12.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Unreadable;

/// The types a moderately sensitive file may have, as written.
pub const ALLOWED_TYPES: [&str; 11] =
    [".csv", ".jpg", ".jpeg", ".png", ".svg", ".svgz", ".html", ".txt", ".log", ".json", ".md"];

/// One reason to exclude a file. `Display` is the message that goes to the log, the manifest and the note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Reason {
    /// Larger than the limit, both in bytes.
    Size {
        /// Of the file.
        size: u64,
        /// The most that is fine.
        limit: u64,
    },
    /// The last extension is not on the list; empty if there is none.
    Type {
        /// With its dot, as written.
        extension: String,
    },
    /// A csv header names `patient_id`.
    PatientId,
    /// Too many data records in a csv file.
    Rows {
        /// Of the file.
        rows: u64,
        /// The most that is fine.
        limit: u64,
    },
    /// A csv file that cannot be read to its end.
    Unreadable(Unreadable),
    /// The bytes of an input that is stored as highly sensitive.
    CopiedData,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { size, limit } => {
                let (shown, most) = (megabytes(*size), megabytes(*limit));
                if shown == most {
                    write!(f, "file size ({shown} MB, {size} bytes) is above the limit ({most} MB, {limit} bytes)")
                } else {
                    write!(f, "file size ({shown} MB) is above the limit ({most} MB)")
                }
            }
            Self::Type { extension } if extension.is_empty() => {
                write!(f, "file has no type at the end of its name; moderately sensitive files may be {}", types())
            }
            Self::Type { extension } => {
                let shown: String = extension.chars().flat_map(visible).take(60).collect();
                write!(f, "files of type {shown} may not be moderately sensitive; allowed are {}", types())
            }
            Self::PatientId => f.write_str(
                "file has a `patient_id` column: patient-level files do not belong here (make it highly_sensitive or \
                 remove the column if the data are aggregate)",
            ),
            Self::Rows { rows, limit } => write!(f, "row count ({rows}) is above the limit ({limit})"),
            Self::Unreadable(why) => write!(f, "file could not be checked: {why}"),
            Self::CopiedData => f.write_str(
                "file is protected data unchanged: its bytes are those of a highly_sensitive input of this action",
            ),
        }
    }
}

/// Two decimals, 1 MB = 1,048,576 bytes; exact for any size.
fn megabytes(bytes: u64) -> String {
    let hundredths = (u128::from(bytes) * 100 + (1 << 19)) >> 20;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn types() -> String {
    ALLOWED_TYPES.join(" ")
}

fn visible(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_decimals() {
        for (bytes, shown) in [
            (0, "0.00"),
            (16 << 20, "16.00"),
            (1_572_864, "1.50"),
            ((1 << 20) + 5_243, "1.01"),
            (u64::MAX, "17592186044416.00"),
        ] {
            assert_eq!(megabytes(bytes), shown);
        }
        let just_above = Reason::Size { size: (16 << 20) + 1, limit: 16 << 20 };
        assert_eq!(
            just_above.to_string(),
            "file size (16.00 MB, 16777217 bytes) is above the limit (16.00 MB, 16777216 bytes)"
        );
    }
}
