//! Numbers as a report may show them: rows to a round number, counts to the nearest 5, small ones not at all.
//! Each comes with what a reader learns from it: the numbers it may stand for (actions.md 5.2).

/// What counts are rounded to.
pub(super) const BASE: u64 = 5;
/// A rounded count up to this is hidden.
pub(super) const HIDE: u64 = 5;
/// The smallest count that is shown; the next smaller ones round to [`HIDE`].
pub(super) const LEAST_SHOWN: u64 = 8;

/// Numbers from `low` to `high`, both included. `u64::MAX` is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) low: u64,
    pub(super) high: u64,
}

impl Range {
    pub(super) const ANY: Self = Self { low: 0, high: u64::MAX };

    pub(super) const fn new(low: u64, high: u64) -> Self {
        Self { low, high }
    }

    /// How many numbers it holds.
    pub(super) const fn len(self) -> u64 {
        if self.high < self.low { 0 } else { (self.high - self.low).saturating_add(1) }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }
}

/// To the nearest multiple; from the middle to the even one.
fn nearest(number: u64, base: u64) -> u64 {
    let (down, rest) = (number / base, number % base);
    let up = rest > base - rest || (rest == base - rest && down % 2 == 1);
    (down + u64::from(up)).saturating_mul(base)
}

/// A count as it is shown; `None` where it is hidden: 1 to 7. Nothing is counted as 0, so 0 never comes here.
pub(super) fn shown(count: u64) -> Option<u64> {
    Some(nearest(count, BASE)).filter(|rounded| *rounded > HIDE)
}

/// The counts that are shown as this one.
pub(super) const fn of_shown(rounded: u64) -> Range {
    Range::new(rounded.saturating_sub(BASE / 2), rounded.saturating_add(BASE / 2))
}

/// The counts that are hidden because they are small.
pub(super) const SMALL: Range = Range::new(1, LEAST_SHOWN - 1);

/// N*: rows to the nearest 100, or to two digits of larger numbers.
pub(super) fn round_rows(rows: u64) -> u64 {
    let digits = rows.checked_ilog10().map_or(1, |log| log + 1);
    nearest(rows, 10_u64.pow(digits.saturating_sub(2)).max(100))
}

/// The numbers of rows that are rounded to this one.
pub(super) fn of_rounded_rows(rounded: u64) -> Range {
    // Rounding never falls when rows grow, so both ends can be searched for.
    let first = |fits: &dyn Fn(u64) -> bool| {
        let (mut low, mut high) = (0, rounded.saturating_mul(2).saturating_add(200));
        while low < high {
            let middle = low + (high - low) / 2;
            if fits(middle) { high = middle } else { low = middle + 1 }
        }
        low
    };
    let low = first(&|rows| round_rows(rows) >= rounded);
    Range::new(low, first(&|rows| round_rows(rows) > rounded).saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of actions.md 13, by the words of the rule: the nearest of all multiples.
    #[test]
    fn counts_from_0_to_10_000() {
        for count in 1..=10_000_u64 {
            let multiples = (0..=2_001_u64).map(|times| times * 5);
            let nearest = multiples.min_by_key(|multiple| multiple.abs_diff(count)).unwrap();
            let expected = if nearest <= 5 { None } else { Some(nearest) };
            assert_eq!(shown(count), expected, "{count}");
            match expected {
                Some(rounded) => {
                    let range = of_shown(rounded);
                    assert!((range.low..=range.high).contains(&count) && range.len() == 5, "{count}");
                }
                None => assert!((SMALL.low..=SMALL.high).contains(&count), "{count}"),
            }
        }
        assert_eq!((1..=20).filter(|count| shown(*count).is_none()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!([8, 12, 13, 17, 18].map(shown), [Some(10), Some(10), Some(15), Some(15), Some(20)]);
    }

    #[test]
    fn rows_are_rounded_as_the_rule_says() {
        let rows = [
            (0, 0),
            (47, 0),
            (50, 0),
            (51, 100),
            (150, 200),
            (250, 200),
            (318, 300),
            (9_949, 9_900),
            (9_951, 10_000),
            (86_512, 87_000),
            (99_499, 99_000),
            (99_501, 100_000),
            (1_000_000, 1_000_000),
            (4_471_203, 4_500_000),
            (u64::MAX, 18_000_000_000_000_000_000),
        ];
        for (number, expected) in rows {
            assert_eq!(round_rows(number), expected, "{number}");
        }
    }

    #[test]
    fn what_rounded_rows_tell_is_what_rounds_to_them() {
        for rounded in (0..200_000).map(round_rows).collect::<std::collections::BTreeSet<_>>() {
            let Range { low, high } = of_rounded_rows(rounded);
            assert_eq!((round_rows(low), round_rows(high)), (rounded, rounded));
            assert!(low == 0 || round_rows(low - 1) < rounded, "{rounded}");
            assert!(round_rows(high + 1) > rounded, "{rounded}");
        }
        assert_eq!(of_rounded_rows(0), Range::new(0, 50));
        assert_eq!(of_rounded_rows(100), Range::new(51, 149));
        assert_eq!(of_rounded_rows(87_000), Range::new(86_501, 87_499));
    }
}
