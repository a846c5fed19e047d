//! What may be a name: of people, projects, organisations, workspaces, backends.
//! Spec site.md 2.1, 2.2, 3.

use protocol::text::names::{BackendSlug, WorkspaceName};
use unicode_normalization::UnicodeNormalization;

use super::Fault;

/// First segments of addresses that are not projects: no project's slug may be one of them. Tested against the routes.
pub const RESERVED: &[&str] = &[
    ".well-known",
    "api",
    "apply",
    "audit",
    "backend",
    "backends",
    "docs",
    "event-log",
    "events",
    "health",
    "job-requests",
    "jobs",
    "login",
    "logout",
    "metrics",
    "new-project",
    "organisations",
    "orgs",
    "projects",
    "publish-repo",
    "published",
    "releases",
    "repo",
    "robots.txt",
    "search",
    "settings",
    "setup",
    "sitemap.xml",
    "staff",
    "static",
    "status",
    "users",
    "welcome",
    "workspaces",
];

/// Second parts of a project's addresses that are not workspaces: no workspace may be called so.
pub const RESERVED_WORKSPACES: &[&str] =
    &["applications", "edit", "events", "logs", "members", "new-workspace", "outputs", "releases", "reports"];

/// A user name in its normal form, and folded for comparing.
pub(super) fn username(text: &str) -> Result<(String, String), Fault> {
    let name: String = text.trim().nfkc().collect();
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if !begins || name.len() > 39 || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        let why = "a user name has 1 to 39 letters, digits and `-`, and begins with a letter or digit";
        return Err(Fault::field("username", why));
    }
    let key = name.to_ascii_lowercase();
    Ok((name, key))
}

/// How a name that somebody typed to sign in is looked up, whatever it is.
pub(super) fn folded(text: &str) -> String {
    text.trim().chars().take(100).nfkc().collect::<String>().to_lowercase()
}

/// The beginning of a typed day, UTC; none of nothing.
///
/// # Errors
/// [`Fault::Field`] of this name: it is no day.
pub fn day(name: &'static str, text: &str) -> Result<Option<i64>, Fault> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let bad = || Fault::Field { name, why: "this is no day, as in 2027-03-04".to_owned() };
    let date: jiff::civil::Date = text.trim().parse().map_err(|_| bad())?;
    let start = date.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?;
    Ok(Some(start.timestamp().as_microsecond()))
}

/// One line of text that is not blank.
pub(super) fn line(name: &'static str, text: &str, most: usize) -> Result<String, Fault> {
    let text: String = text.trim().nfc().collect();
    if text.is_empty() {
        return Err(Fault::field(name, "this cannot be blank"));
    }
    if text.chars().count() > most || text.chars().any(is_control) {
        return Err(Fault::field(name, format!("this is one line of at most {most} characters")));
    }
    Ok(text)
}

/// Text of several lines, which may be blank.
pub(super) fn lines(name: &'static str, text: &str, most: usize) -> Result<String, Fault> {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().count() > most || text.chars().any(|c| is_control(c) && c != '\n' && c != '\t') {
        return Err(Fault::field(name, format!("this is text of at most {most} characters")));
    }
    Ok(text)
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Why something is done: every change of rights needs one.
pub(super) fn reason(text: &str) -> Result<String, Fault> {
    let text = lines("reason", text, 500)?;
    if text.is_empty() { Err(Fault::field("reason", "say why, for those who read the audit log")) } else { Ok(text) }
}

/// A slug of an organisation or project, in small letters.
pub(super) fn slug(text: &str) -> Result<String, Fault> {
    let slug = text.trim().to_owned();
    let fits = slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if slug.is_empty() || slug.len() > 100 || !fits || slug.starts_with('-') {
        let why = "this part of the address has 1 to 100 small letters, digits and `-`, and does not begin with `-`";
        return Err(Fault::field("slug", why));
    }
    Ok(slug)
}

pub(super) fn project_slug(text: &str) -> Result<String, Fault> {
    let slug = slug(text)?;
    if RESERVED.contains(&slug.as_str()) {
        return Err(Fault::field(
            "slug",
            format!("`{slug}` is the beginning of other addresses of this site; take another"),
        ));
    }
    Ok(slug)
}

/// `1234` or `POS-2026-1234`.
pub(super) fn project_number(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(text) && !text.starts_with('0') && text.len() <= 12;
    let pos = text.strip_prefix("POS-20").and_then(|rest| rest.split_once('-'));
    let pos = pos.is_some_and(|(year, number)| year.len() == 2 && digits(year) && number.len() == 4 && digits(number));
    if plain || pos {
        Ok(Some(text.to_owned()))
    } else {
        Err(Fault::field("number", "a project number is a whole number, or as in POS-2026-1234"))
    }
}

/// A workspace's name, in small letters. It is also the name of its folder at each backend.
pub(super) fn workspace(text: &str) -> Result<String, Fault> {
    let name = text.trim().to_lowercase();
    if RESERVED_WORKSPACES.contains(&name.as_str()) {
        return Err(Fault::field("name", format!("`{name}` is part of other addresses of a project; take another")));
    }
    match name.parse::<WorkspaceName>() {
        Ok(_) => Ok(name),
        Err(_) => {
            Err(Fault::field("name", "a workspace name has 1 to 100 letters, digits, `-` and `_`, without spaces"))
        }
    }
}

pub(super) fn backend_slug(text: &str) -> Result<String, Fault> {
    let slug = text.trim().to_owned();
    match slug.parse::<BackendSlug>() {
        Ok(_) => Ok(slug),
        Err(_) => Err(Fault::field(
            "slug",
            "a backend's slug has 1 to 63 small letters, digits and `-`, and begins with a letter or digit",
        )),
    }
}

/// An e-mail address in small letters; blank is none. Only that it could be one is checked.
pub(super) fn email(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return Ok(None);
    }
    let fits = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let parts =
        text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    if fits && parts {
        Ok(Some(text))
    } else {
        Err(Fault::field("email", "this is no e-mail address, such as name@example.org"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_are_normal_and_compared_without_case() {
        assert_eq!(username(" Sample-R ").unwrap(), ("Sample-R".into(), "sample-r".into()));
        assert_eq!(username("\u{ff21}lice").unwrap().0, "Alice");
        assert_eq!(username(&"a".repeat(39)).unwrap().0.len(), 39);
        for bad in ["", "-a", "a b", "a_b", "é", "a\u{202e}", &"a".repeat(40)] {
            assert!(username(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn projects_take_no_address_of_the_site_and_two_forms_of_number() {
        assert!(project_slug("winter-admissions").is_ok());
        for bad in ["staff", "api", "", "A", "a b", "-a", "a/b", "..", "é"] {
            assert!(project_slug(bad).is_err(), "{bad}");
        }
        for good in ["1", "172", "POS-2026-1234"] {
            assert_eq!(project_number(good).unwrap().as_deref(), Some(good));
        }
        assert_eq!(project_number(" ").unwrap(), None);
        for bad in ["0", "012", "-1", "POS-1999-1234", "POS-2026-123", "pos-2026-1234", "1a"] {
            assert!(project_number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn workspaces_are_named_as_folders_may_be() {
        assert_eq!(workspace("Winter_Chest-1").unwrap(), "winter_chest-1");
        for bad in ["My Study", "../x", "", "a/b", "Releases", &"a".repeat(101)] {
            assert!(workspace(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lines_are_one_line() {
        assert_eq!(line("name", " a ", 3).unwrap(), "a");
        for bad in ["", " ", "abcd", "a\nb", "a\0"] {
            assert!(line("name", bad, 3).is_err(), "{bad:?}");
        }
        assert!(reason(" ").is_err() && reason("because\r\nof this").is_ok());
        assert!(email("a@b").is_err() && email("A@Example.org").unwrap() == Some("a@example.org".into()));
    }
}
