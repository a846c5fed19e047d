//! Which percentiles are asked for, and what they are for sorted values (actions.md 6.3).
//! The order of operations is part of the rule: results are equal to the last bit.

/// One percentile of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Percentile {
    /// What the table and the chart call it.
    pub(super) label: u8,
    /// The share of values below it.
    pub(super) q: f64,
}

/// The percentiles in the order of the table: deciles, then with `outer` 1 to 9 and 91 to 99.
pub(super) fn asked(outer: bool) -> Vec<Percentile> {
    let outer_labels = (1..10).chain(91..100).filter(|_| outer);
    let labels = (1..10).map(|k| k * 10).chain(outer_labels);
    labels.map(|label| Percentile { label, q: f64::from(label) / 100.0 }).collect()
}

/// The same as the library of 2022 had them: steps added up, labels cut off, so that the 7th is called 6.
pub(super) fn asked_2022(outer: bool) -> Vec<Percentile> {
    let steps = |first: f64, step: f64| (0..9_u8).map(move |k| first + f64::from(k) * step);
    let outer_steps = steps(0.01, 0.01).chain(steps(0.91, 0.01)).filter(|_| outer);
    let label = |q: f64| {
        // Truncation is the rule here.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let label = (q * 100.0) as u8;
        label
    };
    steps(0.1, 0.1).chain(outer_steps).map(|q| Percentile { label: label(q), q }).collect()
}

/// Where a percentile lies among `n` sorted values: the value below it, and how far on to the next.
pub(super) fn place(q: f64, n: u64) -> (u64, f64) {
    #[allow(clippy::cast_precision_loss, reason = "n is at most 500 million")]
    let t = q * (n.saturating_sub(1) as f64);
    let below = t.floor();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
    let index = below as u64;
    (index, t - below)
}

/// The percentile itself; `at` gives the sorted value of a rank.
pub(super) fn between(place: (u64, f64), at: impl Fn(u64) -> f64) -> f64 {
    let (index, share) = place;
    let low = at(index);
    if share == 0.0 { low } else { low + (at(index + 1) - low) * share }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64], label: u8) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let q = f64::from(label) / 100.0;
        between(place(q, sorted.len() as u64), |rank| sorted[rank as usize])
    }

    /// The example of actions.md 6.3, and more by hand.
    #[test]
    fn percentiles_worked_by_hand() {
        // Four values: 0.1 · 3 = 0.30000000000000004, so 1 + (2 − 1) · 0.30000000000000004.
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0], 10), 1.3);
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0], 50), 2.5);
        assert_eq!(of(&[4.0, 1.0, 3.0, 2.0], 90), 3.7);
        assert_eq!(of(&[7.0], 1), 7.0);
        assert_eq!(of(&[7.0], 99), 7.0);
        // Eleven values: ranks are whole, nothing is interpolated.
        let eleven: Vec<f64> = (0..11).map(f64::from).collect();
        assert_eq!(
            (1..10).map(|k| of(&eleven, k * 10)).collect::<Vec<_>>(),
            (1..10).map(f64::from).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_order_is_that_of_the_table() {
        let labels = |asked: Vec<Percentile>| asked.iter().map(|p| p.label).collect::<Vec<_>>();
        assert_eq!(labels(asked(false)), [10, 20, 30, 40, 50, 60, 70, 80, 90]);
        let outer = labels(asked(true));
        assert_eq!(outer[9..], [1, 2, 3, 4, 5, 6, 7, 8, 9, 91, 92, 93, 94, 95, 96, 97, 98, 99]);
        let old = labels(asked_2022(true));
        assert_eq!(old[..9], [10, 20, 30, 40, 50, 60, 70, 80, 90]);
        assert_eq!(old[9..18], [1, 2, 3, 4, 5, 6, 6, 8, 9], "two 6 and no 7");
        assert_eq!(old[18..], [91, 92, 93, 94, 95, 96, 97, 98, 99]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// With whole values and numbers of values of one more than a hundred, a percentile is a plain rank.
        #[test]
        fn one_hundred_and_one_values_have_plain_ranks(seed in prop::collection::vec(-1000_i32..1000, 101), label in 1_u8..100) {
            let values: Vec<f64> = seed.iter().copied().map(f64::from).collect();
            let mut sorted = seed.clone();
            sorted.sort_unstable();
            // q · 100 can miss a whole number by one unit in the last place: then it is off by at most that share.
            let found = of(&values, label);
            prop_assert!((found - f64::from(sorted[usize::from(label)])).abs() < 1e-9);
        }

        #[test]
        fn order_of_rows_changes_nothing_and_values_scale(mut values in prop::collection::vec(0.0_f64..1.0, 1..40), label in 1_u8..100) {
            let found = of(&values, label);
            values.reverse();
            prop_assert_eq!(found.to_bits(), of(&values, label).to_bits());
            let doubled: Vec<f64> = values.iter().map(|v| v * 2.0).collect();
            prop_assert_eq!((found * 2.0).to_bits(), of(&doubled, label).to_bits());
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            prop_assert!(found >= low && found <= high + 1e-15);
        }
    }
}
