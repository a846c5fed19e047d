//! `name:version` as written in `run:`, and which version of a built-in it means.
//! Versions come from tables: what existed is known, what never existed is refused (actions.md 2.1, 2.2).

use crate::fault::{Exit, Fault, FaultCode};

/// A published version, `v0.1.12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pin {
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) patch: u32,
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

pub(crate) const fn pin(major: u32, minor: u32, patch: u32) -> Pin {
    Pin { major, minor, patch }
}

/// An unbroken run of patch versions, ends included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series {
    pub(crate) first: Pin,
    pub(crate) last_patch: u32,
}

impl Series {
    fn last(&self) -> Pin {
        Pin { patch: self.last_patch, ..self.first }
    }

    fn holds(&self, pin: Pin) -> bool {
        self.first <= pin && pin <= self.last()
    }
}

/// What a written version resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) pin: Pin,
    /// What to tell the author, if the version is newer than this program.
    pub(crate) warning: Option<String>,
}

/// `sqlrunner:v0.3.1` in its two parts; no version is the newest.
pub(crate) fn split(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (reference, None),
    }
}

fn parse(version: &str) -> Option<Pin> {
    let mut parts = version.strip_prefix('v')?.split('.').map(|part| {
        let canonical =
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
        canonical.then(|| part.parse::<u32>().ok()).flatten()
    });
    let pin = Pin { major: parts.next()??, minor: parts.next()??, patch: parts.next()?? };
    parts.next().is_none().then_some(pin)
}

/// Finds a version in the table of a built-in. `moving` are the names that always mean the newest one.
pub(crate) fn resolve(name: &str, version: Option<&str>, moving: &[&str], known: &[Series]) -> Result<Resolved, Fault> {
    let newest = known.iter().map(Series::last).max().unwrap_or(pin(1, 0, 0));
    let Some(written) = version else { return Ok(Resolved { pin: newest, warning: None }) };
    if moving.contains(&written) {
        return Ok(Resolved { pin: newest, warning: None });
    }
    let unknown = |nearest: String| {
        Fault::new(FaultCode::UnknownVersion, Exit::Arguments, format!("{name} has no version '{written}'"))
            .help(format!("known versions near it: {nearest}; `latest` is {newest}"))
    };
    let Some(pin) = parse(written) else { return Err(unknown(format!("{}, {newest}", moving.join(", ")))) };
    if known.iter().any(|series| series.holds(pin)) {
        return Ok(Resolved { pin, warning: None });
    }
    if (pin.major, pin.minor) == (newest.major, newest.minor) && pin > newest {
        let warning = format!("{name}:{pin} is newer than this program knows; it runs as {newest}, the last one known");
        return Ok(Resolved { pin: newest, warning: Some(format!("P315: {warning}")) });
    }
    let below = known.iter().map(Series::last).filter(|last| *last < pin).max();
    let above = known.iter().map(|series| series.first).filter(|first| *first > pin).min();
    let nearest: Vec<String> = [below, above].into_iter().flatten().map(|pin| pin.to_string()).collect();
    Err(unknown(nearest.join(", ")))
}

/// The version of an action over files: these have one of Cloister's own, stricter than the published ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Published(Pin),
    Own,
}

/// What a version of an action over files resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileAction {
    pub(crate) which: Which,
    /// As people write it.
    pub(crate) version: String,
    pub(crate) warning: Option<String>,
}

/// Cloister's own version of an action over files.
pub(crate) const OWN: &str = "v1";

/// Finds a version of an action over files, of which the published ones have no `latest` (actions.md 2.1, 2.2).
pub(crate) fn resolve_or_own(name: &str, written: Option<&str>, known: &[Series]) -> Result<FileAction, Fault> {
    let found = resolve(name, written.filter(|written| *written != OWN), &["latest", "dev"], known)?;
    match written {
        Some(OWN) => {
            let warning = format!(
                "X203: {name}:{OWN} is Cloister's own version; where only the published ones exist, write {}",
                found.pin
            );
            Ok(FileAction { which: Which::Own, version: OWN.to_owned(), warning: Some(warning) })
        }
        written => {
            let moving = written.filter(|written| matches!(*written, "latest" | "dev"));
            let moving =
                moving.map(|moving| format!("X203: the published {name} has no `{moving}`; it runs as {}", found.pin));
            let version = found.pin.to_string();
            Ok(FileAction { which: Which::Published(found.pin), version, warning: found.warning.or(moving) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Series] = &[
        Series { first: pin(0, 0, 1), last_patch: 21 },
        Series { first: pin(0, 1, 0), last_patch: 19 },
        Series { first: pin(0, 4, 0), last_patch: 37 },
    ];

    fn resolved(version: &str) -> Result<Resolved, Fault> {
        resolve("sqlrunner", Some(version), &["v1", "latest", "dev"], KNOWN)
    }

    #[test]
    fn known_versions_resolve_to_themselves() {
        for version in ["v0.0.1", "v0.0.21", "v0.1.0", "v0.4.37"] {
            assert_eq!(resolved(version).unwrap().pin.to_string(), version);
        }
        for version in ["v1", "latest", "dev"] {
            assert_eq!(resolved(version).unwrap().pin, pin(0, 4, 37));
        }
        assert_eq!(resolve("sqlrunner", None, &[], KNOWN).unwrap().pin, pin(0, 4, 37));
    }

    #[test]
    fn a_newer_patch_runs_as_the_newest_with_a_warning() {
        let found = resolved("v0.4.38").unwrap();
        assert_eq!(found.pin, pin(0, 4, 37));
        assert!(found.warning.unwrap().contains("v0.4.37"));
    }

    #[test]
    fn versions_that_never_were_are_refused_with_their_neighbours() {
        for version in [
            "v0.0.0",
            "v0.7.1",
            "v3",
            "v0.1.20",
            "v.0.0.30",
            "v0.4",
            "0.4.1",
            "v0.04.1",
            "v0.4.1.2",
            "v+0.4.1",
            "",
            "v0.4.99999999999",
        ] {
            assert_eq!(resolved(version).unwrap_err().code, FaultCode::UnknownVersion, "{version}");
        }
        let help = resolved("v0.1.20").unwrap_err().help.unwrap();
        assert!(help.contains("v0.1.19") && help.contains("v0.4.0"), "{help}");
    }
}
