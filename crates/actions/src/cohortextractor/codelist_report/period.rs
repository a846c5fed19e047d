//! The days of a report, and the weeks they fall into: seven days each, from the weekday of the first one (actions.md 8.2).
//! Days and weeks count from 0.

use jiff::ToSpan as _;
use jiff::civil::Date;

/// From one day to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    start: Date,
    end: Date,
}

const WEEK: u32 = 7;

impl Period {
    /// `None` if the end is before the start.
    pub(crate) fn new(start: Date, end: Date) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    pub(crate) fn end(self) -> Date {
        self.end
    }

    /// How many days it has, at least 1.
    pub(crate) fn days(self) -> u32 {
        self.index(self.end).unwrap_or(0) + 1
    }

    pub(crate) fn contains(self, day: Date) -> bool {
        self.start <= day && day <= self.end
    }

    /// Which day of the period a day is; `None` outside.
    pub(crate) fn index(self, day: Date) -> Option<u32> {
        let span = self.contains(day).then(|| self.start.until(day).ok())??;
        u32::try_from(span.get_days()).ok()
    }

    /// A day of the period.
    pub(crate) fn day(self, index: u32) -> Date {
        self.start.saturating_add(i64::from(index).days())
    }

    /// The week of a day of the period.
    pub(crate) fn week(index: u32) -> u32 {
        index / WEEK
    }

    /// The day that names a week: its first one.
    pub(crate) fn first_day(self, week: u32) -> Date {
        self.day(week * WEEK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn weeks_begin_on_the_weekday_of_the_start() {
        let period = Period::new(date(2020, 1, 3), date(2020, 2, 20)).unwrap();
        let week = |day| period.index(day).map(|at| period.first_day(Period::week(at)));
        assert_eq!(week(date(2020, 1, 3)), Some(date(2020, 1, 3)));
        assert_eq!(week(date(2020, 1, 9)), Some(date(2020, 1, 3)));
        assert_eq!(week(date(2020, 1, 10)), Some(date(2020, 1, 10)));
        assert_eq!(week(date(2020, 1, 16)), Some(date(2020, 1, 10)));
        assert_eq!(week(date(2020, 1, 31)), Some(date(2020, 1, 31)));
        assert_eq!(week(date(2020, 1, 2)), None);
        assert_eq!(week(date(2020, 2, 21)), None);
    }

    #[test]
    fn a_period_may_be_one_day_or_all_days() {
        assert_eq!(Period::new(date(2020, 1, 2), date(2020, 1, 1)), None);
        assert_eq!(Period::new(date(2020, 1, 1), date(2020, 1, 1)).unwrap().days(), 1);
        let all = Period::new(date(1, 1, 1), date(9999, 12, 31)).unwrap();
        assert_eq!(all.days(), 3_652_059);
        assert_eq!(all.day(3_652_058), date(9999, 12, 31));
        assert_eq!(Period::new(date(2019, 9, 1), date(2022, 6, 15)).unwrap().days(), 1_019);
    }
}
