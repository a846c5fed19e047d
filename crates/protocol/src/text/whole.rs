//! Whole numbers of messages, each a type with a least and a greatest value.
//! Spec protocol.md 3.1, 4.1, 4.5, 11.

/// A number outside the bounds of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {what}: {least} to {greatest} is allowed")]
pub struct OutOfBounds {
    what: &'static str,
    least: u64,
    greatest: u64,
}

macro_rules! whole {
    ($(#[$doc:meta])* $name:ident: $what:literal, $least:expr, $greatest:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl $name {
            /// The least value.
            pub const LEAST: Self = Self($least);

            /// The number as a number.
            pub fn get(self) -> u64 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = OutOfBounds;
            fn try_from(number: u64) -> Result<Self, OutOfBounds> {
                if ($least..=$greatest).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(OutOfBounds { what: $what, least: $least, greatest: $greatest })
                }
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> u64 {
                number.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let (least, greatest): (u64, u64) = ($least, $greatest);
                schemars::json_schema!({
                    "type": "integer", "minimum": least, "maximum": greatest, "x-what": $what
                })
            }
        }

        #[cfg(test)]
        impl $name {
            /// For tests: the number, which must be right.
            #[allow(dead_code, reason = "not every type is made by a test of this crate")]
            pub(crate) fn t(number: u64) -> Self {
                Self::try_from(number).unwrap()
            }
        }
    };
}

use crate::json::GREATEST;

whole!(/// A place in a backend's line of directives: dense from 1; 0 is "none yet".
    Cursor: "cursor", 0, GREATEST);
whole!(/// A stretch of a backend's facts, begun by its operator; from 1.
    Epoch: "epoch", 1, GREATEST);
whole!(/// A place in an epoch's chain of facts, dense from 1; 0 is "before the first".
    Seq: "sequence number", 0, GREATEST);
whole!(/// A revision of the roster.
    Revision: "revision", 0, GREATEST);
whole!(/// The public number of a request.
    RequestNumber: "request number", 1, GREATEST);
whole!(/// One try at running a job, from 1.
    AttemptNumber: "attempt", 1, 1_000_000);
whole!(/// Of a profile of a built-in action, from 1.
    ProfileRevision: "profile revision", 1, 1_000_000);
whole!(/// How many places of a pool a job takes.
    Weight: "weight", 1, 1000);
whole!(/// How many jobs, places or files there are.
    Count: "count", 0, 1_000_000_000);
whole!(/// A whole number of seconds, at most ten years.
    Seconds: "time in seconds", 0, 315_576_000);
whole!(/// Whole seconds since 1970.
    UnixSeconds: "time since 1970", 0, 253_402_300_799);
whole!(/// A whole number of MiB.
    Megabytes: "size in MiB", 0, 1_000_000_000);
whole!(/// Percent of one processor core.
    Percent: "percent", 0, 10_000_000);
whole!(/// Bytes of a released file.
    FileSize: "file size", 0, 16 * 1024 * 1024);
whole!(/// A place in a declared list, from 0.
    Index: "index", 0, 99_999);
whole!(/// A line or column of project.yaml, from 1.
    Place: "place", 1, 100_000_000);
whole!(/// A part of a long fact, from 1.
    PartNumber: "part", 1, 100);

macro_rules! rises {
    ($($name:ident),*) => {$(
        impl $name {
            /// The one after it. Beyond 2^53 - 1 there is none, and the greatest stays.
            #[must_use]
            pub fn next(self) -> Self {
                Self((self.0 + 1).min(GREATEST))
            }
        }
    )*};
}
rises!(Cursor, Seq, Epoch);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert!(Weight::try_from(0).is_err() && Weight::try_from(1).is_ok());
        assert!(Weight::try_from(1000).is_ok() && Weight::try_from(1001).is_err());
        assert!(serde_json::from_str::<Epoch>("0").is_err());
        assert!(serde_json::from_str::<Epoch>("-1").is_err());
        assert!(serde_json::from_str::<Epoch>("\"1\"").is_err());
        assert_eq!(Seq::t(GREATEST).next(), Seq::t(GREATEST));
        assert_eq!(Cursor::LEAST.next(), Cursor::t(1));
    }
}
