//! `small_number_suppression`: small sums are emptied, and with them as many others as would give them away.
//! Spec study-definitions.md 11.

use super::number::Number;

/// Sums up to this one are small.
const SMALL: f64 = 5.0;

/// What was done to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Nothing,
    /// Small sums were emptied.
    Small,
    /// Also the least of the larger ones, because the small ones were so few.
    SmallAndNext,
}

pub(crate) fn column(numbers: &mut [Option<Number>]) -> Done {
    let is_small = |number: Number| number.as_f64() > 0.0 && number.as_f64() <= SMALL;
    let mut sum = None;
    for slot in numbers.iter_mut() {
        if let Some(number) = slot.filter(|number| is_small(*number)) {
            *sum.get_or_insert(0.0) += number.as_f64();
            *slot = None;
        }
    }
    let Some(sum) = sum else { return Done::Nothing };
    if sum > SMALL {
        return Done::Small;
    }
    let larger = numbers.iter().flatten().map(|number| number.as_f64()).filter(|number| *number > SMALL);
    let Some(least) = larger.min_by(f64::total_cmp) else { return Done::Small };
    for slot in numbers.iter_mut() {
        #[allow(clippy::float_cmp, reason = "rows equal to the least one are meant")]
        if slot.is_some_and(|number| number.as_f64() == least) {
            *slot = None;
        }
    }
    Done::SmallAndNext
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emptied(numbers: &[i128]) -> (Vec<Option<i128>>, Done) {
        let mut column: Vec<Option<Number>> = numbers.iter().map(|n| Some(Number::Whole(*n))).collect();
        let done = super::column(&mut column);
        let left = column.iter().map(|n| n.map(|n| if let Number::Whole(n) = n { n } else { -1 })).collect();
        (left, done)
    }

    #[test]
    fn small_sums_and_what_would_tell_them() {
        type Row = (&'static [i128], &'static [Option<i128>], Done);
        let rows: &[Row] = &[
            (&[0, 6, 7], &[Some(0), Some(6), Some(7)], Done::Nothing),
            (&[3, 4, 20], &[None, None, Some(20)], Done::Small),
            (&[5, 6, 9, 6], &[None, None, Some(9), None], Done::SmallAndNext),
            (&[1, 4, 30, 0], &[None, None, None, Some(0)], Done::SmallAndNext),
            (&[2], &[None], Done::Small),
            (&[2, 0], &[None, Some(0)], Done::Small),
            (&[-3, 9], &[Some(-3), Some(9)], Done::Nothing),
            (&[], &[], Done::Nothing),
        ];
        for (numbers, expected, done) in rows {
            assert_eq!(emptied(numbers), (expected.to_vec(), *done), "{numbers:?}");
        }
    }
}
