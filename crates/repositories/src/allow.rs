//! Which repositories code may come from: the operator's list of patterns. No code host is built in.
//! Spec jobs.md 20: scheme, host and port if any, path segments, `*` = one whole segment.

use std::fmt;
use std::str::FromStr;

use crate::url::{Https, Place, RepoUrl, authority_of, segments_of};

/// Whether folders of this machine count as repositories; a backend in production profile must say `Refused`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocalRepos {
    /// Only https addresses.
    #[default]
    Refused,
    /// Absolute folders too, any of them.
    Allowed,
}

/// The allow-list.
#[derive(Debug, Clone, Default)]
pub struct AllowList {
    patterns: Vec<Pattern>,
    local: LocalRepos,
}

/// A repository that has passed the list: the only thing that [`Mirrors`](crate::Mirrors) takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllowedRepo(RepoUrl);

/// The list has no pattern for it: `repo_not_allowed`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("code may not come from {url}: {why}")]
pub struct NotAllowed {
    /// The address.
    pub url: RepoUrl,
    why: &'static str,
}

/// Not a pattern of repositories.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not a pattern of repositories: {rule}; write it as `https://host/owner/*`")]
pub struct BadPattern {
    pattern: String,
    rule: &'static str,
}

#[derive(Debug, Clone)]
struct Pattern {
    host: String,
    port: Option<u16>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
enum Segment {
    Any,
    Exactly(String),
}

impl AllowList {
    /// Reads the patterns of a setting.
    ///
    /// # Errors
    /// The first that is not a pattern.
    pub fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>, local: LocalRepos) -> Result<Self, BadPattern> {
        let patterns = patterns.into_iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self { patterns, local })
    }

    /// Whether code may come from there.
    ///
    /// # Errors
    /// No pattern matches, or it is a folder and these are refused.
    pub fn check(&self, url: &RepoUrl) -> Result<AllowedRepo, NotAllowed> {
        let why = match &url.0 {
            Place::Local(_) if self.local == LocalRepos::Allowed => return Ok(AllowedRepo(url.clone())),
            Place::Local(_) => "folders of this machine are not allowed as repositories (setting `allow_local_repos`)",
            Place::Https(https) if self.patterns.iter().any(|pattern| pattern.matches(https)) => {
                return Ok(AllowedRepo(url.clone()));
            }
            Place::Https(_) => "it matches no pattern of this backend's list of repositories; ask its operator",
        };
        Err(NotAllowed { url: url.clone(), why })
    }
}

impl AllowedRepo {
    /// The address.
    pub fn url(&self) -> &RepoUrl {
        &self.0
    }
}

impl fmt::Display for AllowedRepo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Pattern {
    fn matches(&self, url: &Https) -> bool {
        self.host == url.host
            && self.port == url.port
            && self.segments.len() == url.segments.len()
            && self.segments.iter().zip(&url.segments).all(|(pattern, segment)| match pattern {
                Segment::Any => true,
                Segment::Exactly(text) => text == segment,
            })
    }
}

impl FromStr for Pattern {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = |rule| BadPattern { pattern: text.chars().take(200).collect(), rule };
        let rest = text.strip_prefix("https://").ok_or_else(|| bad("it does not begin with `https://`"))?;
        let (authority, path) = rest.split_once('/').ok_or_else(|| bad("it has no path"))?;
        let (host, port) = authority_of(authority).map_err(bad)?;
        // `*` is no character of a segment: a word in its place lets the rules of addresses judge the rest.
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = path.strip_suffix(".git").unwrap_or(path);
        let segments = path.split('/').map(|segment| match segment {
            "*" => Ok(Segment::Any),
            _ if segment.contains('*') => Err(bad("`*` stands for one whole segment")),
            _ => match segments_of(segment).map_err(bad)?.as_slice() {
                [one] if one == segment => Ok(Segment::Exactly(one.clone())),
                _ => Err(bad("`.git` stands only at its end")),
            },
        });
        let segments = segments.collect::<Result<_, _>>()?;
        Ok(Self { host, port: port.filter(|port| *port != 443), segments })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_whole_segment() {
        let patterns = ["https://code.example.org/northfield/*", "https://h:8443/*/fixed.git"];
        let list = AllowList::new(patterns, LocalRepos::Refused).unwrap();
        for (url, allowed) in [
            ("https://code.example.org/northfield/winter-chest", true),
            ("https://CODE.example.org:443/northfield/winter-chest.git/", true),
            ("https://code.example.org/Northfield/winter-chest", false),
            ("https://code.example.org/northfield", false),
            ("https://code.example.org/northfield/a/b", false),
            ("https://code.example.org.evil.org/northfield/a", false),
            ("https://evil.org/code.example.org/northfield", false),
            ("https://code.example.org:8443/northfield/a", false),
            ("https://h:8443/anyone/fixed", true),
            ("https://h/anyone/fixed", false),
            ("https://h:8443/anyone/fixed2", false),
            ("/srv/northfield/a", false),
        ] {
            assert_eq!(list.check(&url.parse().unwrap()).is_ok(), allowed, "{url}");
        }
        let local = AllowList::new(patterns, LocalRepos::Allowed).unwrap();
        assert!(local.check(&"/srv/northfield/a".parse().unwrap()).is_ok());
        assert!(AllowList::default().check(&"https://h/a".parse().unwrap()).is_err(), "nothing is built in");
    }

    #[test]
    fn patterns_are_checked() {
        for bad in [
            "",
            "*",
            "https://*/a",
            "https://h/a*",
            "https://h/a/**",
            "https://h",
            "http://h/a",
            "https://u@h/a",
            "https://h/a//b",
            "https://h/../a",
            "https://h/a?x",
            "https://h/a.git/b",
            "/srv/*",
        ] {
            assert!(AllowList::new([bad], LocalRepos::Allowed).is_err(), "{bad}");
        }
        let error = AllowList::new(["https://h/a*"], LocalRepos::Refused).unwrap_err();
        insta::assert_snapshot!(error, @r#""https://h/a*" is not a pattern of repositories: `*` stands for one whole segment; write it as `https://host/owner/*`"#);
        let refused = AllowList::default().check(&"https://h/a".parse().unwrap()).unwrap_err();
        insta::assert_snapshot!(refused, @"code may not come from https://h/a: it matches no pattern of this backend's list of repositories; ask its operator");
    }
}
