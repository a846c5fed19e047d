//! A moment as messages write it: RFC 3339 in UTC with exactly six decimals and `Z`.
//! Spec protocol.md 10, 4.5 (moments of study code are floored to whole seconds).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::BadText;

/// A moment, in microseconds since 1970, between the years 0 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(Timestamp);

const PATTERN: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$";
const BAD: BadText = BadText { what: "moment", form: "`YYYY-MM-DDThh:mm:ss.ffffffZ`, in UTC" };

impl Moment {
    /// The beginning of 1970.
    pub const BEGIN: Self = Self(Timestamp::UNIX_EPOCH);

    /// The moment so many microseconds after 1970 began.
    ///
    /// # Errors
    /// Beyond the year 9999 or before the year 0.
    pub fn from_microseconds(microseconds: i64) -> Result<Self, BadText> {
        let moment = Self(Timestamp::from_microsecond(microseconds).map_err(|_| BAD)?);
        if moment.to_string().len() == 27 { Ok(moment) } else { Err(BAD) }
    }

    /// Microseconds since 1970.
    pub fn microseconds(self) -> i64 {
        self.0.as_microsecond()
    }

    /// The whole second at or before it.
    #[must_use]
    pub fn floored(self) -> Self {
        let whole = self.microseconds().div_euclid(1_000_000).saturating_mul(1_000_000);
        Self::from_microseconds(whole).unwrap_or(self)
    }

    /// Whether nothing is behind the second.
    pub fn is_whole_second(self) -> bool {
        self.microseconds().rem_euclid(1_000_000) == 0
    }

    /// The moment so many seconds later, or the last one there is.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let later = self.microseconds().saturating_add(seconds.saturating_mul(1_000_000));
        Self::from_microseconds(later).unwrap_or(self)
    }
}

impl FromStr for Moment {
    type Err = BadText;
    fn from_str(text: &str) -> Result<Self, BadText> {
        let moment = Self::from_microseconds(text.parse::<Timestamp>().map_err(|_| BAD)?.as_microsecond())?;
        // Only the one spelling of each moment: no offset, no leap second, no other count of decimals.
        if moment.to_string() == text { Ok(moment) } else { Err(BAD) }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl TryFrom<String> for Moment {
    type Error = BadText;
    fn try_from(text: String) -> Result<Self, BadText> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

impl schemars::JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "maxLength": 27, "pattern": PATTERN, "x-what": "moment", "x-source": "clock"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_spelling() {
        let text = "2027-03-04T09:15:02.104000Z";
        let moment: Moment = text.parse().unwrap();
        assert_eq!(moment.to_string(), text);
        // 2027-03-04 is day 20,881 after 1970-01-01: 57 years with 14 leap days, then 31 + 28 + 3.
        assert_eq!(moment.microseconds(), ((20_881 * 24 + 9) * 3600 + 15 * 60 + 2) * 1_000_000 + 104_000);
        assert_eq!(moment.floored().to_string(), "2027-03-04T09:15:02.000000Z");
        for bad in [
            "2027-03-04T09:15:02Z",
            "2027-03-04T09:15:02.104Z",
            "2027-03-04T09:15:02.1040000Z",
            "2027-02-29T00:00:00.000000Z",
            "2027-03-04T09:15:02.104000+00:00",
            "2027-03-04 09:15:02.104000Z",
            "2027-03-04T09:15:60.000000Z",
            "",
            "-000001-03-04T09:15:02.104000Z",
            "2027-03-04t09:15:02.104000z",
            "2027-03-04T24:00:00.000000Z",
        ] {
            assert!(bad.parse::<Moment>().is_err(), "{bad}");
        }
        assert!(Moment::from_microseconds(i64::MAX).is_err());
        assert_eq!(Moment::from_microseconds(-1).unwrap().floored().to_string(), "1969-12-31T23:59:59.000000Z");
    }

    proptest! {
        #[test]
        fn text_order_is_time_order(a in 0i64..4_000_000_000_000_000, b in 0i64..4_000_000_000_000_000) {
            let (one, two) = (Moment::from_microseconds(a).unwrap(), Moment::from_microseconds(b).unwrap());
            prop_assert_eq!(one.to_string().cmp(&two.to_string()), a.cmp(&b));
            prop_assert_eq!(one.to_string().parse::<Moment>().unwrap(), one);
            prop_assert!(one.floored() <= one && one.floored().is_whole_second());
        }
    }
}
