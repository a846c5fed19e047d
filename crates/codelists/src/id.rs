//! The name of one version of a codelist, and what follows from it: file, pages, address of the download.
//! Spec cli.md 7.1.

use std::fmt;

/// One version of a codelist: `org/list/version` or `user/NAME/list/version`.
///
/// Organisation, name and list are of `[A-Za-z0-9_-]`, so a file name made of them can never leave its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    list: String,
    version: String,
}

/// Why a text is not an [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// The list alone.
    #[error("names a codelist without a version")]
    NoVersion,
    /// Too few or too many parts, or four parts of which the first is not `user`.
    #[error("is neither organisation/codelist/version nor user/name/codelist/version")]
    Shape,
    /// A part of it has other characters than it may.
    #[error("has a character that no organisation, user or codelist has; they are of letters, digits, `-` and `_`")]
    Character,
    /// The version is empty, `.` or `..`, or has control characters.
    #[error("has no usable version at its end")]
    Version,
}

/// A longer id is no id.
const LONGEST: usize = 500;

impl Id {
    /// Reads an id; blanks around it and `/` at its end do not count.
    ///
    /// # Errors
    /// [`BadId`], which is told as C102.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        let text = text.trim().trim_end_matches('/');
        let parts: Vec<&str> = text.split('/').collect();
        let (version, owners) = match parts[..] {
            ["user", _, _] | [_, _] => return Err(BadId::NoVersion),
            ["user", ref owners @ .., version] if owners.len() == 2 => (version, owners),
            [org, list, version] => (version, &[org, list][..]),
            _ => return Err(BadId::Shape),
        };
        if text.len() > LONGEST {
            return Err(BadId::Shape);
        }
        let plain =
            |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !owners.iter().all(plain) {
            return Err(BadId::Character);
        }
        if matches!(version, "" | "." | "..") || version.chars().any(char::is_control) {
            return Err(BadId::Version);
        }
        let list = text[..text.len() - version.len() - 1].to_owned();
        Ok(Self { list, version: version.to_owned() })
    }

    /// All but the version.
    pub fn list(&self) -> &str {
        &self.list
    }

    /// The version: a date, a tag or a hash.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The name of its file in `codelists/`: all parts but the version, joined by `-`.
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.list.replace('/', "-"))
    }

    /// Its page, as the manifest records it whatever site or mirror is configured.
    pub fn page(&self) -> String {
        format!("https://www.opencodelists.org/codelist/{self}/")
    }

    /// The path of its download on a site or mirror, each part percent-encoded.
    pub fn download_path(&self) -> String {
        format!("codelist/{}/{}/download.csv", self.list, encoded(&self.version))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.list, self.version)
    }
}

/// A part of an address: all but the unreserved characters is escaped.
fn encoded(part: &str) -> String {
    let mut out = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_read_and_name_a_file() {
        let org = Id::parse("  nhsd/asthma_dx/2020-04-15//  ").unwrap_or_else(|e| unreachable!("{e}"));
        assert_eq!((org.list(), org.version()), ("nhsd/asthma_dx", "2020-04-15"));
        assert_eq!(org.to_string(), "nhsd/asthma_dx/2020-04-15");
        assert_eq!(org.file_name(), "nhsd-asthma_dx.csv");
        let user = Id::parse("user/some-one/list/1a2b3c4d").unwrap_or_else(|e| unreachable!("{e}"));
        assert_eq!((user.list(), user.version()), ("user/some-one/list", "1a2b3c4d"));
        assert_eq!(user.file_name(), "user-some-one-list.csv");
        assert_eq!(user.page(), "https://www.opencodelists.org/codelist/user/some-one/list/1a2b3c4d/");
    }

    #[test]
    fn what_is_no_id_says_why() {
        for (text, why) in [
            ("org/list", BadId::NoVersion),
            ("user/name/list", BadId::NoVersion),
            ("user/name/list/", BadId::NoVersion),
            ("org", BadId::Shape),
            ("", BadId::Shape),
            ("people/name/list/v1", BadId::Shape),
            ("user/name/list/v1/more", BadId::Shape),
            ("a b/list/v1", BadId::Character),
            ("../list/v1", BadId::Character),
            ("user/../list/v1", BadId::Character),
            ("/list/v1", BadId::Character),
            ("org/lîst/v1", BadId::Character),
            ("org/list/..", BadId::Version),
            ("org/list/a\u{1b}b", BadId::Version),
        ] {
            assert_eq!(Id::parse(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_version_cannot_leave_its_place_in_an_address() {
        let id = Id::parse("org/list/a?b#c d%2e").unwrap_or_else(|e| unreachable!("{e}"));
        assert_eq!(id.download_path(), "codelist/org/list/a%3Fb%23c%20d%252e/download.csv");
    }
}
