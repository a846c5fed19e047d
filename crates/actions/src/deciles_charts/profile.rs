//! The versions of deciles-charts, and in what they differ (actions.md 2.1, 2.3).
//! A change that alters any output byte of a profile must raise that profile's revision.

use crate::fault::Fault;
use crate::version::{self, OWN, Pin, Series, Which, pin};

/// Every version that was published.
const KNOWN: &[Series] = &[Series { first: pin(0, 0, 1), last_patch: 47 }];

/// How much of `config:` a version knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Knows {
    Nothing,
    OuterPercentiles,
    Charts,
    Everything,
}

/// Which option named the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputOption {
    /// `--input-dir`: every plain file of a folder.
    Folder,
    /// `--input-files`: a pattern.
    Pattern,
}

/// One way to behave, shared by a run of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    /// The first version of the run.
    first: Pin,
    pub(super) name: &'static str,
    pub(super) revision: u32,
    pub(super) knows: Knows,
    pub(super) input: InputOption,
    /// Values a date needs before it gets percentiles, unless `config:` says otherwise.
    pub(super) minimum_groups: u64,
    /// Charts as SVG besides PNG, unless `config:` says otherwise.
    pub(super) svg: bool,
}

const OLDEST: Profile = Profile {
    first: pin(0, 0, 1),
    name: "v0.0.1",
    revision: 1,
    knows: Knows::Nothing,
    input: InputOption::Folder,
    minimum_groups: 0,
    svg: false,
};

static PROFILES: [Profile; 5] = [
    OLDEST,
    Profile { first: pin(0, 0, 9), name: "v0.0.9", input: InputOption::Pattern, ..OLDEST },
    Profile {
        first: pin(0, 0, 12),
        name: "v0.0.12",
        knows: Knows::OuterPercentiles,
        input: InputOption::Pattern,
        ..OLDEST
    },
    Profile { first: pin(0, 0, 14), name: "v0.0.14", knows: Knows::Charts, input: InputOption::Pattern, ..OLDEST },
    NEWEST,
];

const NEWEST: Profile =
    Profile { first: pin(0, 0, 15), name: "v0.0.15", knows: Knows::Everything, input: InputOption::Pattern, ..OLDEST };

static OWN_PROFILE: Profile = Profile { first: pin(1, 0, 0), name: OWN, minimum_groups: 10, svg: true, ..NEWEST };

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
pub(super) fn newest() -> &'static Profile {
    &PROFILES[4]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of actions.md 2.3, each at both of its ends.
    #[test]
    fn every_row_begins_and_ends_where_the_table_says() {
        use InputOption::{Folder, Pattern};
        let rows = [
            ("v0.0.1", Knows::Nothing, Folder, 0, false),
            ("v0.0.5", Knows::Nothing, Folder, 0, false),
            ("v0.0.8", Knows::Nothing, Folder, 0, false),
            ("v0.0.9", Knows::Nothing, Pattern, 0, false),
            ("v0.0.11", Knows::Nothing, Pattern, 0, false),
            ("v0.0.12", Knows::OuterPercentiles, Pattern, 0, false),
            ("v0.0.13", Knows::OuterPercentiles, Pattern, 0, false),
            ("v0.0.14", Knows::Charts, Pattern, 0, false),
            ("v0.0.15", Knows::Everything, Pattern, 0, false),
            ("v0.0.24", Knows::Everything, Pattern, 0, false),
            ("v0.0.47", Knows::Everything, Pattern, 0, false),
            ("v1", Knows::Everything, Pattern, 10, true),
        ];
        for (version, knows, input, minimum, svg) in rows {
            let profile = resolve(Some(version)).unwrap_or_else(|fault| panic!("{version}: {fault}")).profile;
            assert_eq!((profile.knows, profile.input), (knows, input), "{version}");
            assert_eq!((profile.minimum_groups, profile.svg), (minimum, svg), "{version}");
        }
        assert_eq!(resolve(Some("v0.0.24")).ok().map(|r| r.profile), resolve(Some("v0.0.47")).ok().map(|r| r.profile));
        for never in ["v0.0.0", "v2", "v0.1.0", "v1.0.0", "v.0.0.30"] {
            assert!(resolve(Some(never)).is_err(), "{never}");
        }
        assert!(resolve(Some("v0.0.61")).is_ok_and(|r| r.warning.is_some_and(|w| w.starts_with("P315"))));
        assert!(resolve(None).is_ok_and(|r| r.version == "v0.0.47" && r.warning.is_none()));
    }
}
