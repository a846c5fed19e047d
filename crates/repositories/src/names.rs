//! The names of git that become arguments: a commit, a branch, a tag. A value of these types is safe to hand to git.
//! Spec jobs.md 2, 20; the rules for branches and tags are those of git check-ref-format.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// A commit: SHA-1, shown as 40 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commit([u8; 20]);

/// Not the name of a commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a commit: write all 40 digits (0-9, a-f), not a branch, a tag or a shortened name")]
pub struct NotACommit(String);

impl Commit {
    pub(crate) fn oid(self) -> crate::objects::Oid {
        crate::objects::Oid(self.0)
    }
}

impl FromStr for Commit {
    type Err = NotACommit;
    fn from_str(text: &str) -> Result<Self, NotACommit> {
        let bad = || NotACommit(text.chars().take(50).collect());
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| bad())?;
        bytes.try_into().map(Self).map_err(|_| bad())
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// Longest name of a branch or tag, in bytes.
const LONGEST: usize = 200;

/// Which rule of ref names a text breaks.
fn broken_rule(name: &str) -> Option<&'static str> {
    let forbidden = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    Some(match name {
        "" => "it is empty",
        "@" => "`@` alone means something else",
        _ if name.len() > LONGEST => "it is longer than 200 bytes",
        _ if name.starts_with('-') => "it begins with `-`",
        _ if name.chars().any(forbidden) => "it has a space, a control character or one of `~^:?*[\\`",
        _ if name.contains("..") || name.contains("@{") => "it has `..` or `@{`",
        _ if name.ends_with('.') => "it ends with `.`",
        _ if name.split('/').any(bad_part) => "a part of it is empty, begins with `.` or ends with `.lock`",
        _ => return None,
    })
}

macro_rules! ref_name {
    ($name:ident, $bad:ident, $what:literal, $doc:literal, $bad_doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        #[doc = $bad_doc]
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error("{0:?} is not the name of a {what}: {1}", what = $what)]
        pub struct $bad(String, &'static str);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = $bad;
            fn from_str(text: &str) -> Result<Self, $bad> {
                match broken_rule(text) {
                    Some(rule) => Err($bad(text.chars().take(80).collect(), rule)),
                    None => Ok(Self(text.to_owned())),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&crate::text::visible(&self.0))
            }
        }
    };
}

ref_name!(
    Branch,
    NotABranch,
    "branch",
    "A branch by its short name, `main` for `refs/heads/main`.",
    "Not the name of a branch."
);
ref_name!(
    Tag,
    NotATag,
    "tag or branch",
    "A tag, or a branch that stands in for one: `v1.2`.",
    "Not the name of a tag."
);

impl Branch {
    /// The branch whose commits of reusable actions are approved (spec jobs.md 19).
    pub fn main() -> Self {
        Self("main".to_owned())
    }
}

macro_rules! as_text {
    ($name:ident, $bad:ident) => {
        impl TryFrom<String> for $name {
            type Error = $bad;
            fn try_from(text: String) -> Result<Self, $bad> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.to_string()
            }
        }
    };
}
as_text!(Commit, NotACommit);
as_text!(Branch, NotABranch);
as_text!(Tag, NotATag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_forty_lower_case_digits() {
        let commit = "1d5f2671d5f2671d5f2671d5f2671d5f26712345";
        assert_eq!(commit.parse::<Commit>().unwrap().to_string(), commit);
        for bad in
            ["", "HEAD", &commit[1..], &commit.to_uppercase(), &format!("{commit}0"), &format!("-{}", &commit[1..])]
        {
            assert!(bad.parse::<Commit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn branches_follow_the_rules_of_ref_names() {
        for good in ["main", "feature/x-1", "v1.2", "é", "a@b", "HEAD"] {
            assert!(good.parse::<Branch>().is_ok(), "{good}");
        }
        let long = "a".repeat(201);
        for bad in [
            "",
            "@",
            "-x",
            "--upload-pack=x",
            "a b",
            "a..b",
            "a:b",
            "a*",
            "a\\b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a@{1}",
            "a.",
            "a\nb",
            "a\u{7f}",
            &long,
        ] {
            assert!(bad.parse::<Branch>().is_err(), "{bad}");
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
    }
}
