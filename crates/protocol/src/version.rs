//! Versions of the protocol: which one two sides speak.
//! Spec protocol.md 7.1, 10. `1.N` only ever adds optional fields and types.

use std::fmt;
use std::str::FromStr;

use crate::text::{BadText, text};

text!(
    /// A version as text: `1.0`.
    VersionText: "protocol version" from "the program", 9, "^(0|[1-9][0-9]{0,3})\\.(0|[1-9][0-9]{0,3})$", "two numbers with a point"
);

/// A version of the protocol. Later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Old and new do not understand each other.
    pub major: u16,
    /// The new one adds.
    pub minor: u16,
}

/// The versions that this program speaks.
pub const SPOKEN: &[Version] = &[Version { major: 1, minor: 0 }];

impl Version {
    /// The greatest version that both sides speak; none: 426.
    pub fn agreed(theirs: &[VersionText]) -> Option<Self> {
        theirs.iter().filter_map(|text| text.as_str().parse().ok()).filter(|v| SPOKEN.contains(v)).max()
    }

    /// As text.
    ///
    /// # Errors
    /// A number has more than four digits.
    pub fn text(self) -> Result<VersionText, BadText> {
        self.to_string().parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = BadText;
    fn from_str(text: &str) -> Result<Self, BadText> {
        let bad = BadText { what: "protocol version", form: "two numbers with a point" };
        let text: VersionText = text.parse()?;
        let (major, minor) = text.as_str().split_once('.').ok_or(bad)?;
        Ok(Self { major: major.parse().map_err(|_| bad)?, minor: minor.parse().map_err(|_| bad)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_common_one() {
        let agreed = |list: &[&str]| Version::agreed(&list.iter().map(|v| VersionText::t(v)).collect::<Vec<_>>());
        assert_eq!(agreed(&["1.0", "1.1", "2.0"]), Some(Version { major: 1, minor: 0 }));
        assert_eq!(agreed(&["0.9", "1.10"]), None);
        assert_eq!(agreed(&[]), None);
        for bad in ["1", "1.", ".1", "01.0", "1.00", "1.0.0", "1.-1", "10000.0"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
