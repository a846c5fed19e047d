//! How many people stand behind the values of a measure, where its file tells; kept only where evidence is wanted.
//! Over a limit all of it is given up: then it is not known, and nothing else changes.

/// Nobody knows how many.
const UNKNOWN: u32 = u32::MAX;

/// The people behind each value, by group and in the order of the values.
#[derive(Debug)]
pub(super) struct Behind {
    groups: Vec<Vec<(f64, u32)>>,
    held: usize,
    limit: usize,
}

impl Behind {
    /// `limit`: bytes of memory.
    pub(super) const fn new(limit: usize) -> Self {
        Self { groups: Vec::new(), held: 0, limit }
    }

    pub(super) fn push(&mut self, group: usize, value: f64, people: Option<u32>) {
        self.held += size_of::<(f64, u32)>();
        if self.held > self.limit {
            self.groups = Vec::new();
            return;
        }
        if self.groups.len() <= group {
            self.groups.resize_with(group + 1, Vec::new);
        }
        if let Some(values) = self.groups.get_mut(group) {
            values.push((value, people.unwrap_or(UNKNOWN)));
        }
    }

    /// The people behind the values of a group; it is empty after it.
    pub(super) fn take(&mut self, group: usize) -> People {
        let mut values = self.groups.get_mut(group).map(std::mem::take).unwrap_or_default();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        People(if self.held > self.limit { Vec::new() } else { values })
    }
}

/// The people behind each value of a group.
#[derive(Debug, Default)]
pub(super) struct People(Vec<(f64, u32)>);

impl People {
    /// Of the groups that have this value, the people of the smallest.
    pub(super) fn of(&self, value: f64) -> Option<u64> {
        let first = self.0.partition_point(|(other, _)| other.total_cmp(&value).is_lt());
        let (found, people) = self.0.get(first)?;
        (found.total_cmp(&value).is_eq() && *people != UNKNOWN).then_some(u64::from(*people))
    }
}

/// How many people a rate is about: its denominator, if the rate is really that of the two numbers.
pub(super) fn people(value: f64, (numerator, denominator): (f64, f64)) -> Option<u32> {
    let fits = (value * denominator - numerator).abs() <= 1e-6 * numerator.abs().max(1.0);
    let whole = denominator >= 1.0 && denominator < f64::from(UNKNOWN) && denominator.fract() == 0.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
    let people = denominator as u32;
    (fits && whole).then_some(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_of_equal_values_counts() {
        let mut behind = Behind::new(1000);
        for (value, people) in [(0.5, Some(20)), (0.25, None), (0.5, Some(8)), (0.5, None)] {
            behind.push(3, value, people);
        }
        let people = behind.take(3);
        assert_eq!([0.5, 0.25, 0.75].map(|value| people.of(value)), [Some(8), None, None]);
        assert_eq!(behind.take(3).of(0.5), None);
    }

    #[test]
    fn what_does_not_fit_is_not_known() {
        let mut behind = Behind::new(32);
        behind.push(0, 0.5, Some(8));
        behind.push(0, 0.6, Some(8));
        behind.push(1, 0.7, Some(8));
        behind.push(0, 0.5, Some(9));
        assert_eq!((behind.take(0).of(0.5), behind.take(1).of(0.7)), (None, None));
    }

    #[test]
    fn a_denominator_must_be_that_of_the_value() {
        assert_eq!(people(0.25, (1.0, 4.0)), Some(4));
        assert_eq!(people(0.3333333333, (1.0, 3.0)), Some(3));
        for (value, pair) in [(0.5, (1.0, 4.0)), (2.0, (1.0, 0.5)), (f64::NAN, (1.0, 1.0)), (1.0, (1e12, 1e12))] {
            assert_eq!(people(value, pair), None, "{value}");
        }
        assert_eq!(people(0.0, (0.0, 0.0)), None);
    }
}
