//! The versions of cohort-joiner, and in what they differ (actions.md 2.1, 2.3).
//! A change that alters any output byte of a profile must raise that profile's revision.

use crate::fault::Fault;
use crate::version::{self, OWN, Pin, Series, Which, pin};

/// Every version that was published.
const KNOWN: &[Series] = &[Series { first: pin(0, 0, 1), last_patch: 58 }];

/// What `--rhs` may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// A pattern, of whose matches the first is used.
    Pattern,
    /// A path, whatever characters are in it.
    Literal,
    /// A path without the characters of patterns; so are the names of the output folder and of the files on the left.
    Plain,
}

/// What happens when the right side has an identifier more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duplicates {
    /// Rows multiply, and that is said.
    Warn,
    Error,
    /// Rows multiply in silence.
    Multiply,
}

/// One way to behave, shared by a run of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    /// The first version of the run.
    first: Pin,
    pub(super) name: &'static str,
    pub(super) revision: u32,
    /// Without `--output-dir` results stand beside their inputs.
    pub(super) beside: bool,
    pub(super) rhs: Names,
    pub(super) duplicates: Duplicates,
}

const OLDEST: Profile = Profile {
    first: pin(0, 0, 1),
    name: "v0.0.1",
    revision: 1,
    beside: true,
    rhs: Names::Pattern,
    duplicates: Duplicates::Warn,
};
const NEWEST: Profile = Profile { first: pin(0, 0, 48), name: "v0.0.48", beside: false, rhs: Names::Plain, ..OLDEST };

static PROFILES: [Profile; 4] = [
    OLDEST,
    Profile { first: pin(0, 0, 3), name: "v0.0.3", beside: false, ..OLDEST },
    Profile { first: pin(0, 0, 27), name: "v0.0.27", beside: false, rhs: Names::Literal, ..OLDEST },
    NEWEST,
];
static OWN_PROFILE: Profile = Profile { first: pin(1, 0, 0), name: OWN, duplicates: Duplicates::Error, ..NEWEST };

/// A version as written, resolved.
pub(super) struct Resolved {
    pub(super) profile: &'static Profile,
    /// The version that runs, as people write it.
    pub(super) version: String,
    pub(super) warning: Option<String>,
}

pub(super) fn resolve(written: Option<&str>) -> Result<Resolved, Fault> {
    let found = version::resolve_or_own(super::NAME, written, KNOWN)?;
    let [oldest, ..] = &PROFILES;
    let profile = match found.which {
        Which::Own => &OWN_PROFILE,
        Which::Published(pin) => PROFILES.iter().rev().find(|profile| profile.first <= pin).unwrap_or(oldest),
    };
    Ok(Resolved { profile, version: found.version, warning: found.warning })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of actions.md 2.3, each at both of its ends.
    #[test]
    fn every_row_begins_and_ends_where_the_table_says() {
        let rows = [
            ("v0.0.1", true, Names::Pattern, Duplicates::Warn),
            ("v0.0.2", true, Names::Pattern, Duplicates::Warn),
            ("v0.0.3", false, Names::Pattern, Duplicates::Warn),
            ("v0.0.26", false, Names::Pattern, Duplicates::Warn),
            ("v0.0.27", false, Names::Literal, Duplicates::Warn),
            ("v0.0.44", false, Names::Literal, Duplicates::Warn),
            ("v0.0.47", false, Names::Literal, Duplicates::Warn),
            ("v0.0.48", false, Names::Plain, Duplicates::Warn),
            ("v0.0.58", false, Names::Plain, Duplicates::Warn),
            ("latest", false, Names::Plain, Duplicates::Warn),
            ("v1", false, Names::Plain, Duplicates::Error),
        ];
        for (version, beside, rhs, duplicates) in rows {
            let profile = resolve(Some(version)).unwrap_or_else(|fault| panic!("{version}: {fault}")).profile;
            assert_eq!((profile.beside, profile.rhs, profile.duplicates), (beside, rhs, duplicates), "{version}");
        }
        for never in ["v0.0.0", "v2", "v0.1.0", "v1.0.0", "v.0.0.30", ""] {
            assert!(resolve(Some(never)).is_err(), "{never}");
        }
        assert!(resolve(Some("v0.0.61")).is_ok_and(|r| r.warning.is_some_and(|w| w.starts_with("P315"))));
        assert!(resolve(Some("latest")).is_ok_and(|r| r.warning.is_some_and(|w| w.starts_with("X203"))));
        assert!(resolve(None).is_ok_and(|r| r.version == "v0.0.58" && r.warning.is_none()));
    }
}
