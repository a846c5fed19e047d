//! The site that codelists come from, a mirror of it, and the addresses that people copy from their browser.
//! Spec cli.md 7.2, 11 (`codelists.url`, `codelists.mirror`).

use std::path::PathBuf;

use ureq::http::Uri;

use crate::fault::{Error, Fault};
use crate::id::Id;

/// Where codelists come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    base: Base,
    mirror: Option<Mirror>,
}

/// A scheme, a host and perhaps a path, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    scheme: String,
    authority: String,
    path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mirror {
    Folder(PathBuf),
    Address(Base),
}

/// Where one codelist is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Address {
        address: String,
        /// `http://host` where redirects to plain http are allowed: only for a site that is configured so.
        plain: Option<String>,
    },
}

impl Site {
    /// From the settings `codelists.url` and `codelists.mirror` (an address, or a folder with the same paths).
    ///
    /// # Errors
    /// An address that is no plain http(s) address of a site.
    pub fn new(url: &str, mirror: Option<&str>) -> Result<Self, Error> {
        let base = Base::parse("codelists.url", url)?;
        let mirror = match mirror {
            None => None,
            Some(text) if text.contains("://") => Some(Mirror::Address(Base::parse("codelists.mirror", text)?)),
            Some(text) => Some(Mirror::Folder(PathBuf::from(text))),
        };
        Ok(Self { base, mirror })
    }

    /// The site as people know it.
    pub fn address(&self) -> String {
        self.base.text()
    }

    /// Whether downloads need a network.
    pub fn needs_network(&self) -> bool {
        !matches!(self.mirror, Some(Mirror::Folder(_)))
    }

    pub(crate) fn source(&self, id: &Id) -> Source {
        let path = id.download_path();
        match &self.mirror {
            Some(Mirror::Folder(folder)) => Source::File(folder.join(path)),
            Some(Mirror::Address(base)) => base.source(&path),
            None => self.base.source(&path),
        }
    }

    pub(crate) fn check_address(&self) -> Source {
        self.base.source("api/v1/check/")
    }

    /// The id in an address of this site, or a bare id.
    ///
    /// # Errors
    /// C106 for another site, C102 for what is no id.
    pub fn id(&self, text: &str) -> Result<Id, Fault> {
        let text = text.trim();
        let other = || Fault::OtherSite { address: text.to_owned(), site: self.address() };
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None if starts_with_host(text, &self.base.authority) => (self.base.scheme.clone(), text),
            None => return Id::parse(text).map_err(|why| Fault::Id { line: None, text: text.to_owned(), why }),
        };
        let host_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        if !(scheme == "https" || scheme == "http") || !rest[..host_ends].eq_ignore_ascii_case(&self.base.authority) {
            return Err(other());
        }
        let path = rest[host_ends..].split(['?', '#']).next().unwrap_or_default();
        let id =
            path.strip_prefix(&self.base.path).and_then(|path| path.strip_prefix("/codelist/")).ok_or_else(other)?;
        let id = id.trim_end_matches('/');
        let id = match id.rsplit_once('/') {
            Some((id, file)) if file.ends_with(".csv") => id,
            _ => id,
        };
        let id = decoded(id);
        Id::parse(&id).map_err(|why| Fault::Id { line: None, text: id, why })
    }
}

fn starts_with_host(text: &str, host: &str) -> bool {
    let start = text.get(..host.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(host)) && text[host.len()..].starts_with('/')
}

impl Base {
    fn parse(setting: &'static str, text: &str) -> Result<Self, Error> {
        let bad = |why| Error::Setting { setting, value: text.to_owned(), why };
        let uri: Uri = text.trim().parse().map_err(|_| bad("it must be an address such as https://host"))?;
        let scheme = uri.scheme_str().unwrap_or_default().to_owned();
        let authority = uri.authority().map_or("", |a| a.as_str()).to_owned();
        if !matches!(scheme.as_str(), "https" | "http") || authority.is_empty() {
            return Err(bad("it must begin with https:// and a host"));
        }
        if authority.contains('@') {
            return Err(Error::Setting {
                setting,
                value: format!("{scheme}://…"),
                why: "it must not hold a name or password",
            });
        }
        if uri.query().is_some() {
            return Err(bad("it must have no query"));
        }
        let path = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { scheme, authority, path })
    }

    fn text(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.path)
    }

    fn source(&self, path: &str) -> Source {
        let plain = (self.scheme == "http").then(|| format!("http://{}", self.authority));
        Source::Address { address: format!("{}/{path}", self.text()), plain }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Address { address, .. } => f.write_str(address),
        }
    }
}

/// `%41` as `A`; what is no text afterwards stays as it was.
fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        let hex = (first == b'%').then(|| more.get(..2)).flatten();
        let byte = hex.and_then(|hex| data_encoding::HEXLOWER_PERMISSIVE.decode(hex).ok());
        match byte {
            Some(byte) => {
                out.extend(byte);
                rest = &more[2..];
            }
            None => {
                out.push(first);
                rest = more;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(url: &str) -> Site {
        Site::new(url, None).unwrap_or_else(|e| unreachable!("{e}"))
    }

    #[test]
    fn an_address_from_the_browser_is_an_id() {
        let site = site("https://www.opencodelists.org");
        for text in [
            "https://www.opencodelists.org/codelist/org/list/v1/",
            "https://www.opencodelists.org/codelist/org/list/v1",
            "https://WWW.opencodelists.org/codelist/org/list/v1/download.csv",
            "https://www.opencodelists.org/codelist/org/list/v1/?a=b#full-list",
            "http://www.opencodelists.org/codelist/org/list/v1/download.csv#x",
            "www.opencodelists.org/codelist/org/list/v1/",
            " org/list/v1 ",
        ] {
            assert_eq!(site.id(text).map(|id| id.to_string()), Ok("org/list/v1".to_owned()), "{text}");
        }
        let odd = site.id("https://www.opencodelists.org/codelist/user/a/b/v%201/");
        assert_eq!(odd.map(|id| id.version().to_owned()), Ok("v 1".to_owned()));
    }

    #[test]
    fn another_site_and_a_list_without_version_are_told_apart() {
        let site = site("https://www.opencodelists.org/");
        for (text, code) in [
            ("https://opencodelists.example/codelist/org/list/v1/", "C106"),
            ("https://www.opencodelists.org.evil.example/codelist/org/list/v1/", "C106"),
            ("https://www.opencodelists.org@evil.example/codelist/org/list/v1/", "C106"),
            ("ftp://www.opencodelists.org/codelist/org/list/v1/", "C106"),
            ("https://www.opencodelists.org/docs/", "C106"),
            ("https://www.opencodelists.org/codelist/org/list/", "C102"),
            ("https://www.opencodelists.org/codelist/user/a/list/", "C102"),
            ("https://www.opencodelists.org/codelist/org/..%2f..%2fx/v1/", "C102"),
            ("nonsense", "C102"),
        ] {
            assert_eq!(site.id(text).map_err(|f| f.code()), Err(code), "{text}");
        }
    }

    #[test]
    fn a_site_may_have_a_path_and_a_mirror() {
        let id = Id::parse("org/list/v1").unwrap_or_else(|e| unreachable!("{e}"));
        let local = site("http://127.0.0.1:8000/lists/");
        let plain = Some("http://127.0.0.1:8000".to_owned());
        let address = "http://127.0.0.1:8000/lists/codelist/org/list/v1/download.csv".to_owned();
        assert_eq!(local.source(&id), Source::Address { address, plain });
        assert_eq!(local.id("http://127.0.0.1:8000/lists/codelist/org/list/v1/"), Ok(id.clone()));
        let mirrored = Site::new("https://a.example", Some("/mirror")).unwrap_or_else(|e| unreachable!("{e}"));
        assert_eq!(mirrored.source(&id), Source::File("/mirror/codelist/org/list/v1/download.csv".into()));
        assert!(!mirrored.needs_network());
    }

    #[test]
    fn a_setting_that_is_no_site_is_refused_and_no_password_shown() {
        for bad in ["", "opencodelists", "ftp://a.example", "https://a.example/?q", "https://me:secret@a.example"] {
            let error = Site::new(bad, None).map_err(|e| e.to_string());
            assert!(error.as_ref().is_err_and(|text| !text.contains("secret")), "{bad}: {error:?}");
        }
    }
}
