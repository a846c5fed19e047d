//! Where a repository is: an https address, or a folder of this machine. Checked once, kept in one spelling.
//! Spec jobs.md 20: no user, query, fragment or `..`; one trailing `/` and `.git` tolerated.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The address of a repository, normalised: `https://host/a/b` without a trailing `/` or `.git`, the host in lower case, the
/// usual port left out; or an absolute folder. Two spellings of one address are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoUrl(pub(crate) Place);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Https(Https),
    Local(PathBuf),
}

/// Host, port if it is not 443, and at least one segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Https {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) segments: Vec<String>,
}

/// Not the address of a repository; says which rule it breaks. A user or password in it is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not the address of a repository: {rule}; write it as `https://host/owner/name`")]
pub struct BadUrl {
    shown: String,
    rule: &'static str,
}

impl RepoUrl {
    /// Whether it is a folder of this machine.
    pub fn is_local(&self) -> bool {
        matches!(self.0, Place::Local(_))
    }
}

impl FromStr for RepoUrl {
    type Err = BadUrl;
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let place = parse(text).map_err(|rule| BadUrl { shown: without_user(text), rule })?;
        Ok(Self(place))
    }
}

impl fmt::Display for RepoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Https(https) => https.fmt(f),
            Place::Local(path) => f.write_str(&crate::text::visible(path.as_os_str().as_encoded_bytes())),
        }
    }
}

impl fmt::Display for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.segments.iter().try_for_each(|segment| write!(f, "/{segment}"))
    }
}

/// What may be shown of an address that is refused: without whatever stands before an `@` or in a query.
fn without_user(text: &str) -> String {
    if let Some(at) = text.find(['?', '#']) {
        return without_user(&text[..at]) + "…";
    }
    let short: String = text.chars().take(200).collect();
    let shown = match (text.rfind('@'), text.find("://")) {
        (Some(at), Some(scheme)) if at > scheme => format!("{}://…{}", &text[..scheme], &text[at..]),
        (Some(at), _) => format!("…{}", &text[at..]),
        _ => short,
    };
    crate::text::visible(shown.chars().take(200).collect::<String>())
}

fn parse(text: &str) -> Result<Place, &'static str> {
    if text.len() > 1000 {
        return Err("it is longer than 1,000 bytes");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("it has a space or a control character");
    }
    if let Some(path) = text.strip_prefix("file://") {
        return local(path);
    }
    if text.starts_with('/') {
        return local(text);
    }
    let Some(rest) = text.get(..8).filter(|s| s.eq_ignore_ascii_case("https://")).map(|_| &text[8..]) else {
        return Err("only https is spoken here");
    };
    let (authority, path) = rest.split_once('/').ok_or("it names no repository")?;
    let (host, port) = authority_of(authority)?;
    Ok(Place::Https(Https { host, port: port.filter(|port| *port != 443), segments: segments_of(path)? }))
}

/// Host in lower case and port.
pub(crate) fn authority_of(text: &str) -> Result<(String, Option<u16>), &'static str> {
    if text.contains('@') {
        return Err("a user or password has no place in it");
    }
    let (host, port) = match text.split_once(':') {
        None => (text, None),
        Some((host, port)) => {
            let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            let number = port.parse::<u16>().ok().filter(|number| digits && *number > 0);
            (host, Some(number.ok_or("the port is not a number from 1 to 65535")?))
        }
    };
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(good) {
        return Err("its host is not a name of letters, digits, `-` and `.`");
    }
    Ok((host.to_ascii_lowercase(), port))
}

/// The segments of a path of an address, without one trailing `/` and one `.git`.
pub(crate) fn segments_of(path: &str) -> Result<Vec<String>, &'static str> {
    if path.contains(['?', '#']) {
        return Err("a query or fragment has no place in it");
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    path.split('/').map(|segment| good_segment(segment).map(|()| segment.to_owned())).collect()
}

/// A segment is plain text that needs no escaping anywhere: not in a URL, not as a folder's name. `x.git` in the middle
/// would put one mirror inside another.
fn good_segment(segment: &str) -> Result<(), &'static str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    match segment {
        "" => Err("a part of its path is empty"),
        "." | ".." => Err("`.` and `..` have no place in it"),
        _ if segment.len() > 100 => Err("a part of its path is longer than 100 bytes"),
        _ if !segment.bytes().all(plain) => Err("its path has other characters than letters, digits and `-._~`"),
        _ if segment.ends_with(".git") => Err("`.git` stands only at its end, and once"),
        _ => Ok(()),
    }
}

fn local(path: &str) -> Result<Place, &'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if !path.starts_with('/') {
        return Err("a local repository is an absolute folder");
    }
    if path[1..].split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err("a part of its path is empty, `.` or `..`");
    }
    Ok(Place::Local(Path::new(path).to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_repository_are_equal() {
        for text in [
            "https://code.example.org/northfield/winter-chest",
            "https://code.example.org/northfield/winter-chest/",
            "https://code.example.org/northfield/winter-chest.git",
            "https://code.example.org/northfield/winter-chest.git/",
            "HTTPS://Code.Example.ORG:443/northfield/winter-chest",
        ] {
            let url: RepoUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), "https://code.example.org/northfield/winter-chest", "{text}");
            assert!(!url.is_local());
        }
        let port: RepoUrl = "https://h:8443/a".parse().unwrap();
        assert_eq!(port.to_string(), "https://h:8443/a");
        let local: RepoUrl = "file:///srv/code/a.git/".parse().unwrap();
        assert_eq!((local.to_string().as_str(), local.is_local()), ("/srv/code/a.git", true));
        assert_eq!(local, "/srv/code/a.git".parse().unwrap());
    }

    #[test]
    fn what_is_not_an_address_says_why() {
        let mut said = String::new();
        for text in [
            "",
            "https://",
            "https://host",
            "https://host/",
            "https://host//",
            "http://host/a/b",
            "ssh://host/a",
            "git@host:a/b",
            "ext::sh -c id",
            "ext::sh",
            "--upload-pack=x",
            "https://user:hunter2@host/a",
            "https://hunter2@host/a/b",
            "https://host/a?b",
            "https://host/a#b",
            "https://host/../a",
            "https://host/a/./b",
            "https://host/a%2fb",
            "https://host/a b",
            "https://host/a\n",
            "https://host:0/a",
            "https://host:x/a",
            "https://host:99999/a",
            "https://-host/a",
            "https://ho_st/a",
            "https://[::1]/a",
            "https://host/a.git/b",
            "https://host/a.git.git",
            "https://host/.git",
            "file://host/a",
            "/a/../b",
            "/",
            "relative",
            "https://host/é",
        ] {
            let error = text.parse::<RepoUrl>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
            said += &format!("{}\n", error.split("; write").next().unwrap());
        }
        insta::assert_snapshot!(said);
    }

    proptest! {
        #[test]
        fn what_is_taken_is_taken_again_as_it_is_shown(
            text in prop_oneof![
                "https://[a-zA-Z0-9.:-]{1,8}(/[a-zA-Z0-9._~-]{1,6}){0,3}(/|[.]git|[.]git/)?",
                "(file://)?/[a-z0-9.%/ ]{0,12}",
                "[a-z:/@?#.\\-é ]{0,20}",
            ]
        ) {
            if let Ok(url) = text.parse::<RepoUrl>() {
                let shown = url.to_string();
                prop_assert_eq!(shown.parse::<RepoUrl>().unwrap(), url.clone());
                prop_assert!(!shown.contains(' ') && !shown.split('/').any(|segment| segment == ".."));
                prop_assert!(url.is_local() || !shown.contains(['@', '?', '#', '%']));
            }
        }
    }
}
