//! The versions of sqlrunner, and in what they differ (actions.md 2.1, 2.3).
//! A change that alters any output byte of a profile must raise that profile's revision.

use crate::version::{Pin, Series, pin};

/// Names that always mean the newest version.
pub(crate) const MOVING: &[&str] = &["v1", "latest", "dev"];

/// Every version that was published.
pub(crate) const KNOWN: &[Series] = &[
    Series { first: pin(0, 0, 1), last_patch: 21 },
    Series { first: pin(0, 1, 0), last_patch: 19 },
    Series { first: pin(0, 2, 0), last_patch: 6 },
    Series { first: pin(0, 3, 0), last_patch: 44 },
    Series { first: pin(0, 4, 0), last_patch: 37 },
];

/// What a version asks of the SQL about type 1 opt-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum T1ooRule {
    Nothing,
    /// The name of the table of opted-out patients, anywhere.
    DissentAnywhere,
    /// The name of the table of allowed patients, anywhere.
    AllowedAnywhere,
    /// The rule of actions.md 7.5.
    Declared,
}

/// One way to behave, shared by a run of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The first version of the run.
    pub(crate) first: Pin,
    pub(crate) name: &'static str,
    pub(crate) revision: u32,
    pub(crate) t1oo: T1ooRule,
    /// The dummy data file is copied byte for byte.
    pub(crate) byte_copy: bool,
    /// Without dummy data the header is made from the SQL.
    pub(crate) makes_header: bool,
    /// `--include-statistics` is an option.
    pub(crate) statistics: bool,
}

const BASE: Profile = Profile {
    first: pin(0, 0, 1),
    name: "v0.0.1",
    revision: 2,
    t1oo: T1ooRule::Nothing,
    byte_copy: true,
    makes_header: false,
    statistics: false,
};
const WITH_RULE: Profile =
    Profile { first: pin(0, 1, 5), name: "v0.1.5", t1oo: T1ooRule::DissentAnywhere, makes_header: true, ..BASE };

static PROFILES: [Profile; 7] = [
    BASE,
    WITH_RULE,
    Profile { first: pin(0, 1, 10), name: "v0.1.10", statistics: true, ..WITH_RULE },
    Profile { first: pin(0, 1, 13), name: "v0.1.13", statistics: true, byte_copy: false, ..WITH_RULE },
    Profile { first: pin(0, 1, 17), name: "v0.1.17", byte_copy: false, ..WITH_RULE },
    Profile { first: pin(0, 2, 0), name: "v0.2.0", byte_copy: false, t1oo: T1ooRule::AllowedAnywhere, ..WITH_RULE },
    Profile { first: pin(0, 3, 0), name: "v0.3.0", byte_copy: false, t1oo: T1ooRule::Declared, ..WITH_RULE },
];

/// The profile of a known version.
pub(crate) fn of(version: Pin) -> &'static Profile {
    let [oldest, ..] = &PROFILES;
    PROFILES.iter().rev().find(|profile| profile.first <= version).unwrap_or(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of actions.md 2.3, each at both of its ends.
    #[test]
    fn every_row_begins_and_ends_where_the_table_says() {
        use T1ooRule::{AllowedAnywhere, Declared, DissentAnywhere, Nothing};
        let rows = [
            (pin(0, 0, 1), Nothing, true, false, false),
            (pin(0, 0, 21), Nothing, true, false, false),
            (pin(0, 1, 4), Nothing, true, false, false),
            (pin(0, 1, 5), DissentAnywhere, true, true, false),
            (pin(0, 1, 9), DissentAnywhere, true, true, false),
            (pin(0, 1, 10), DissentAnywhere, true, true, true),
            (pin(0, 1, 12), DissentAnywhere, true, true, true),
            (pin(0, 1, 13), DissentAnywhere, false, true, true),
            (pin(0, 1, 16), DissentAnywhere, false, true, true),
            (pin(0, 1, 17), DissentAnywhere, false, true, false),
            (pin(0, 1, 19), DissentAnywhere, false, true, false),
            (pin(0, 2, 0), AllowedAnywhere, false, true, false),
            (pin(0, 2, 6), AllowedAnywhere, false, true, false),
            (pin(0, 3, 0), Declared, false, true, false),
            (pin(0, 4, 37), Declared, false, true, false),
        ];
        for (version, t1oo, byte_copy, makes_header, statistics) in rows {
            let profile = of(version);
            assert_eq!(
                (profile.t1oo, profile.byte_copy, profile.makes_header, profile.statistics),
                (t1oo, byte_copy, makes_header, statistics),
                "{version}"
            );
        }
    }
}
