//! Moments and durations as people read them: the exact UTC text, how many days ago that was, and `HH:MM:SS`.
//! Spec site.md 2.4 (formats) and 3 (times).

use std::fmt::{self, Display};

use jiff::Timestamp;

use crate::html::Html;

/// A moment, in microseconds since the epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At(pub i64);

impl At {
    /// The exact text, such as `4 Mar 2027 09:15:07 UTC`. A moment that no calendar has is told by its number.
    pub fn exact(self) -> String {
        match Timestamp::from_microsecond(self.0) {
            Ok(at) => at.strftime("%-d %b %Y %H:%M:%S UTC").to_string(),
            Err(_) => format!("{} µs since 1970", self.0),
        }
    }

    /// The day alone, such as `4 Mar 2027`.
    pub fn day(self) -> String {
        match Timestamp::from_microsecond(self.0) {
            Ok(at) => at.strftime("%-d %b %Y").to_string(),
            Err(_) => self.exact(),
        }
    }

    /// For programs: RFC 3339 in whole seconds, as the attribute `datetime` has it.
    pub fn machine(self) -> String {
        match Timestamp::from_microsecond(self.0) {
            Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Err(_) => String::new(),
        }
    }

    /// How long before `now` this was, in one unit, such as `3 minutes ago` or `in 2 days`.
    pub fn beside(self, now: At) -> String {
        let seconds = now.0.saturating_sub(self.0) / 1_000_000;
        let (value, unit) = match seconds.unsigned_abs() {
            0..=4 => return "just now".into(),
            s @ 5..60 => (s, "second"),
            s @ 60..3_600 => (s / 60, "minute"),
            s @ 3_600..86_400 => (s / 3_600, "hour"),
            s @ 86_400..2_592_000 => (s / 86_400, "day"),
            s @ 2_592_000..31_536_000 => (s / 2_592_000, "month"),
            s => (s / 31_536_000, "year"),
        };
        let many = if value == 1 { "" } else { "s" };
        if seconds < 0 { format!("in {value} {unit}{many}") } else { format!("{value} {unit}{many} ago") }
    }

    /// How many days before `now` this was, in UTC: `today`, `yesterday`, `5 days ago`. It changes at midnight alone, so that
    /// a page that does not change stays the same page for a day.
    pub fn days(self, now: At) -> String {
        let day = |at: i64| at.div_euclid(86_400_000_000);
        match day(now.0) - day(self.0) {
            0 => "today".into(),
            1 => "yesterday".into(),
            -1 => "tomorrow".into(),
            -29..=29 => At(day(self.0) * 86_400_000_000).beside(At(day(now.0) * 86_400_000_000)),
            _ => self.beside(now),
        }
    }

    /// The element that shows this moment, and how many days ago it was at `now`. On a live page the script says it to the
    /// minute.
    pub fn shown(self, now: At) -> Html {
        Html::trusted(format!(
            "<time datetime={}>{}</time> <span class=ago>{}</span>",
            self.machine_quoted(),
            self.exact(),
            self.days(now)
        ))
    }

    /// The element that shows this moment, and how long ago it was at `now`: for pages that are drawn for one person.
    pub fn told(self, now: At) -> Html {
        Html::trusted(format!("{} <span class=ago>{}</span>", self.plain().as_str(), self.beside(now)))
    }

    /// The element that shows this moment alone.
    pub fn plain(self) -> Html {
        Html::trusted(format!("<time datetime={}>{}</time>", self.machine_quoted(), self.exact()))
    }

    /// The element that shows the day, with the exact moment as its title.
    pub fn short(self, now: At) -> Html {
        Html::trusted(format!(
            "<time datetime={} title=\"{}\">{}</time>",
            self.machine_quoted(),
            self.exact(),
            self.beside(now)
        ))
    }

    /// The attribute needs no quotes unless it is empty.
    fn machine_quoted(self) -> String {
        let machine = self.machine();
        if machine.is_empty() { "\"\"".into() } else { machine }
    }
}

/// A duration as `HH:MM:SS`: whole seconds, hours at least two digits and unbounded; `-` for one that never began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hms(pub Option<i64>);

impl Hms {
    /// Seconds; less than none counts as none.
    pub fn seconds(seconds: i64) -> Self {
        Self(Some(seconds))
    }

    /// What lies between two moments.
    pub fn between(from: At, to: At) -> Self {
        Self(Some(to.0.saturating_sub(from.0) / 1_000_000))
    }
}

impl Display for Hms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seconds) = self.0 else { return f.write_str("-") };
        let seconds = seconds.max(0);
        write!(f, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;
    /// 4 March 2027 09:15:07 UTC: 20,881 days after the epoch.
    const MARCH: At = At((20_881 * 86_400 + 9 * 3_600 + 15 * 60 + 7) * SECOND + 250_000);

    #[test]
    fn moments_read_as_the_spec_says() {
        assert_eq!(MARCH.exact(), "4 Mar 2027 09:15:07 UTC");
        assert_eq!(MARCH.machine(), "2027-03-04T09:15:07Z");
        assert_eq!(MARCH.day(), "4 Mar 2027");
        assert_eq!(At(i64::MAX).machine(), "");
        assert!(At(i64::MIN).shown(At(0)).as_str().contains("datetime=\"\""));
    }

    #[test]
    fn how_long_ago_has_one_unit() {
        for (seconds, words) in [
            (0, "just now"),
            (5, "5 seconds ago"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (45 * 86_400, "1 month ago"),
            (800 * 86_400, "2 years ago"),
            (-3_600, "in 1 hour"),
        ] {
            assert_eq!(MARCH.beside(At(MARCH.0 + seconds * SECOND)), words);
        }
    }

    #[test]
    fn a_day_ends_at_midnight() {
        // 09:15:07 in the morning: 14 h 44 min 53 s are left of the day.
        for (seconds, words) in [
            (0, "today"),
            (53_092, "today"),
            (53_093, "yesterday"),
            (-33_307, "today"),
            (-33_308, "yesterday"),
            (2 * 86_400, "2 days ago"),
            (45 * 86_400, "1 month ago"),
        ] {
            let (then, now) =
                if seconds < 0 { (MARCH.0 + seconds * SECOND, MARCH.0) } else { (MARCH.0, MARCH.0 + seconds * SECOND) };
            assert_eq!(At(then).days(At(now)), words, "{seconds}");
        }
        assert_eq!(MARCH.days(At(MARCH.0 - 86_400 * SECOND)), "tomorrow");
        assert_eq!(MARCH.days(At(MARCH.0 - 3 * 86_400 * SECOND)), "in 3 days");
    }

    #[test]
    fn durations_have_unbounded_hours() {
        for (seconds, text) in
            [(5, "00:00:05"), (187_200, "52:00:00"), (412_345, "114:32:25"), (0, "00:00:00"), (-3, "00:00:00")]
        {
            assert_eq!(Hms::seconds(seconds).to_string(), text);
        }
        assert_eq!(Hms(None).to_string(), "-");
    }

    proptest! {
        #[test]
        fn every_moment_can_be_shown(at in any::<i64>(), now in any::<i64>()) {
            prop_assert!(!At(at).shown(At(now)).is_empty());
            prop_assert!(!At(at).days(At(now)).is_empty());
            prop_assert!(!Hms::between(At(at), At(now)).to_string().starts_with('-'));
        }
    }
}
