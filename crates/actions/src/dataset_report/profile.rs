//! The versions of dataset-report, and in what they differ (actions.md 2.1, 2.3).
//! A change that alters any output byte of a profile must raise that profile's revision.

use crate::fault::Fault;
use crate::version::{self, Pin, Series, Which, pin};

/// Every version that was published.
const KNOWN: &[Series] = &[Series { first: pin(0, 0, 1), last_patch: 29 }];

/// One way to behave, shared by a run of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    /// The first version of the run.
    first: Pin,
    pub(super) name: &'static str,
    pub(super) revision: u32,
    /// Numbers 0 and 1 are counted in feather and Stata files too.
    pub(super) typed_numbers: bool,
    /// Whole numbers stay whole beside a hidden one, which is `[REDACTED]`.
    pub(super) whole: bool,
    /// What is told of columns besides truth values, without `--detail`.
    pub(super) detail: bool,
    /// What the published program did otherwise.
    differs: Option<&'static str>,
}

const NEWEST: Profile = Profile {
    first: pin(0, 0, 21),
    name: "v0.0.21",
    revision: 1,
    typed_numbers: false,
    whole: false,
    detail: false,
    differs: None,
};

static PROFILES: [Profile; 4] = [
    Profile {
        first: pin(0, 0, 1),
        name: "v0.0.1",
        differs: Some("wrote a table of sizes as Markdown; no .md file is made, but the HTML report of v0.0.29"),
        ..NEWEST
    },
    Profile {
        first: pin(0, 0, 5),
        name: "v0.0.5",
        differs: Some("neither rounded nor hid counts; the report of v0.0.29 is made, which does both"),
        ..NEWEST
    },
    Profile { first: pin(0, 0, 14), name: "v0.0.14", typed_numbers: true, ..NEWEST },
    NEWEST,
];

static OWN: Profile = Profile { first: pin(1, 0, 0), name: version::OWN, whole: true, detail: true, ..NEWEST };

/// A version as written, resolved.
pub(super) struct Resolved {
    pub(super) profile: &'static Profile,
    /// The version that runs, as people write it.
    pub(super) version: String,
    pub(super) warnings: Vec<String>,
}

pub(super) fn resolve(written: Option<&str>) -> Result<Resolved, Fault> {
    let found = version::resolve_or_own(super::NAME, written, KNOWN)?;
    let [oldest, ..] = &PROFILES;
    let profile = match found.which {
        Which::Own => &OWN,
        Which::Published(pin) => PROFILES.iter().rev().find(|profile| profile.first <= pin).unwrap_or(oldest),
    };
    let differs = profile.differs.map(|how| format!("X203: the published {}:{} {how}", super::NAME, found.version));
    Ok(Resolved { profile, version: found.version, warnings: found.warning.into_iter().chain(differs).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of actions.md 2.3, each at both of its ends.
    #[test]
    fn every_row_begins_and_ends_where_the_table_says() {
        let rows = [
            ("v0.0.1", "v0.0.1", false, 1),
            ("v0.0.4", "v0.0.1", false, 1),
            ("v0.0.5", "v0.0.5", false, 1),
            ("v0.0.13", "v0.0.5", false, 1),
            ("v0.0.14", "v0.0.14", true, 0),
            ("v0.0.20", "v0.0.14", true, 0),
            ("v0.0.21", "v0.0.21", false, 0),
            ("v0.0.29", "v0.0.21", false, 0),
            ("v0.0.61", "v0.0.21", false, 1),
            ("latest", "v0.0.21", false, 1),
            ("v1", "v1", false, 1),
        ];
        for (version, name, typed_numbers, warnings) in rows {
            let found = resolve(Some(version)).unwrap_or_else(|fault| panic!("{version}: {fault}"));
            assert_eq!((found.profile.name, found.profile.typed_numbers), (name, typed_numbers), "{version}");
            assert_eq!(found.warnings.len(), warnings, "{version}: {:?}", found.warnings);
            assert_eq!((found.profile.whole, found.profile.detail), (name == "v1", name == "v1"), "{version}");
        }
        for never in ["v0.0.0", "v2", "v0.1.0", "v1.0.0", "v.0.0.30"] {
            assert!(resolve(Some(never)).is_err(), "{never}");
        }
        assert!(resolve(None).is_ok_and(|found| found.version == "v0.0.29" && found.warnings.is_empty()));
    }
}
