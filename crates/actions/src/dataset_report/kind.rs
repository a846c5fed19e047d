//! Types as a Python reader names them, and how many bytes their values take there (actions.md 5.2).
//! Sizes are computed from a number of rows; whether that is rounded is not decided here.

use std::fmt;

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bits.
    Int(u8),
    UInt(u8),
    Float(u8),
    Bool,
    Object,
    /// How many categories there are, used or not.
    Category(u64),
    /// The time zone, if there is one.
    Time(Option<String>),
    Span,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(bits) => write!(f, "int{bits}"),
            Self::UInt(bits) => write!(f, "uint{bits}"),
            Self::Float(bits) => write!(f, "float{bits}"),
            Self::Bool => f.write_str("bool"),
            Self::Object => f.write_str("object"),
            Self::Category(_) => f.write_str("category"),
            Self::Time(None) => f.write_str("datetime64[ns]"),
            Self::Time(Some(zone)) => write!(f, "datetime64[ns, {zone}]"),
            Self::Span => f.write_str("timedelta64[ns]"),
        }
    }
}

impl Kind {
    /// Bytes of so many values.
    pub(super) fn bytes(&self, rows: u64) -> u128 {
        let (width, besides) = match self {
            Self::Int(bits) | Self::UInt(bits) | Self::Float(bits) => (u64::from(*bits) / 8, 0),
            Self::Bool => (1, 0),
            Self::Object | Self::Time(_) | Self::Span => (8, 0),
            // Codes are as small as fits; one code means none.
            Self::Category(count @ 0..=126) => (1, *count),
            Self::Category(count @ 127..=32_766) => (2, *count),
            Self::Category(count) => (4, *count),
        };
        u128::from(width) * u128::from(rows) + 8 * u128::from(besides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_rule() {
        let rows = [
            (Kind::Int(64), "int64", 800),
            (Kind::UInt(64), "uint64", 800),
            (Kind::Int(8), "int8", 100),
            (Kind::Float(32), "float32", 400),
            (Kind::Float(16), "float16", 200),
            (Kind::Bool, "bool", 100),
            (Kind::Object, "object", 800),
            (Kind::Time(None), "datetime64[ns]", 800),
            (Kind::Time(Some("UTC".to_owned())), "datetime64[ns, UTC]", 800),
            (Kind::Span, "timedelta64[ns]", 800),
            (Kind::Category(3), "category", 124),
            (Kind::Category(200), "category", 1_800),
            (Kind::Category(40_000), "category", 320_400),
        ];
        for (kind, name, bytes) in rows {
            assert_eq!((kind.to_string().as_str(), kind.bytes(100)), (name, bytes));
        }
        assert_eq!(Kind::Int(64).bytes(u64::MAX), 8 * u128::from(u64::MAX));
    }
}
