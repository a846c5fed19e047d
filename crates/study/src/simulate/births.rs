//! When people are born: evenly over a century and a half, from the seed alone. A study takes of them those whose ages
//! are as it expects, so nobody has two birthdays. Spec study-definitions.md 10.2.1.

use jiff::civil::{Date, date};

use super::dice::Purpose;
use crate::expectations::draw::Draw;
use crate::expectations::weighted::population_ages;

/// The first and the last year in which people are born.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2049;

/// Words that stand for a whole distribution.
const WORDS: u64 = 1 << 14;

/// Ages that are told apart.
const AGES: usize = 121;

/// Whom a study takes.
#[derive(Debug, Clone)]
pub(crate) struct Births {
    purpose: Purpose,
    reference: Date,
    /// By age at the reference: how likely such a person is taken.
    taken: Vec<f64>,
}

impl Births {
    /// `ages` as drawn for the reference, else those of the country.
    pub(crate) fn new(seed: u64, reference: Date, ages: Option<&Draw>) -> Self {
        let mut shares = ages.and_then(histogram).unwrap_or_else(population_ages);
        shares.resize(AGES, 0.0);
        let reached = |age: usize| YEARS.contains(&reference.year().saturating_sub(age as i16));
        let greatest = (0..AGES).filter(|age| reached(*age)).map(|age| shares[age]).fold(0.0, f64::max);
        let taken = shares.iter().map(|share| if greatest > 0.0 { share / greatest } else { 1.0 }).collect();
        Self { purpose: Purpose::new(seed, "birth"), reference, taken }
    }

    /// The first of a month, for the person with this key; `None` for one that the study does not take.
    pub(crate) fn of(&self, key: u64) -> Option<Date> {
        self.taken(self.purpose.of(key))
    }

    /// The same for a person that the study has to take.
    pub(crate) fn of_listed(&self, key: u64) -> Date {
        let tries = (0..20_000).find_map(|nth| self.taken(self.purpose.nth(key, nth)));
        tries.unwrap_or(date(1980, 1, 1))
    }

    fn taken(&self, mut dice: super::dice::Dice) -> Option<Date> {
        let years = u64::from(YEARS.end().abs_diff(*YEARS.start())) + 1;
        let month = dice.below(years * 12);
        let born = date(YEARS.start() + (month / 12) as i16, (month % 12) as i8 + 1, 1);
        let share = usize::try_from(age(born, self.reference)).ok().and_then(|age| self.taken.get(age));
        share.is_some_and(|share| dice.unit() < *share).then_some(born)
    }
}

/// Whole years from a birth on the first of a month to a day.
pub(crate) fn age(born: Date, day: Date) -> i64 {
    let before = (day.month(), day.day()) < (born.month(), born.day());
    i64::from(day.year()) - i64::from(born.year()) - i64::from(before)
}

/// Shares of the ages that words give: one word gives one age, so evenly spread words give the distribution.
fn histogram(ages: &Draw) -> Option<Vec<f64>> {
    let mut shares = vec![0.0; AGES];
    for word in 0..WORDS {
        let bits = (word << 50) | (1 << 49);
        let age = ages.number(bits)?.clamp(0.0, AGES as f64 - 1.0) as usize;
        shares[age] += 1.0;
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_whole_years() {
        let born = date(1980, 3, 1);
        for (day, years) in [((2021, 3, 1), 41), ((2021, 2, 28), 40), ((1980, 3, 1), 0), ((1979, 3, 1), -1)] {
            assert_eq!(age(born, date(day.0, day.1, day.2)), years);
        }
    }

    /// Two studies that look at different years take people with the same birthdays, most of them both.
    #[test]
    fn nobody_has_two_birthdays() {
        let [early, late] = [2019, 2021].map(|year| Births::new(0, date(year, 9, 1), None));
        let (mut both, mut one) = (0, 0);
        for key in 0..20_000 {
            match (early.of(key), late.of(key)) {
                (Some(a), Some(b)) => {
                    assert_eq!(a, b);
                    both += 1;
                }
                (None, None) => {}
                _ => one += 1,
            }
        }
        assert!(both > 8_000 && one < both / 5, "{both} {one}");
    }
}
