//! A sum of floats without any loss, as floats that do not overlap, and the float that is nearest to it.
//! After J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic", Discrete & Computational Geometry 18 (1997).

/// The sum so far: parts of growing size, none of which has a bit where another has one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Exact(Vec<f64>);

/// The float nearest to the sum of two, and what it lacks; exact as long as nothing overflows.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let (large, small) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
    let sum = large + small;
    (sum, small - (sum - large))
}

impl Exact {
    /// Adds a finite float.
    pub(super) fn add(&mut self, number: f64) {
        let mut rest = number;
        let mut parts = Vec::with_capacity(self.0.len() + 1);
        for part in &self.0 {
            let (sum, lost) = two_sum(rest, *part);
            if lost != 0.0 {
                parts.push(lost);
            }
            rest = sum;
        }
        parts.push(rest);
        self.0 = parts;
    }

    /// The nearest float, of two that are equally near the even one; `None` if it is beyond them all.
    pub(super) fn nearest(&self) -> Option<f64> {
        let mut parts = self.0.iter().rev().copied();
        let mut sum = parts.next().unwrap_or(0.0);
        while let Some(part) = parts.next() {
            let (next, lost) = two_sum(sum, part);
            sum = next;
            if lost != 0.0 {
                // Half way between two floats, what lies below decides.
                let below = parts.find(|part| *part != 0.0).unwrap_or(0.0);
                if (lost < 0.0 && below < 0.0) || (lost > 0.0 && below > 0.0) {
                    let twice = lost * 2.0;
                    let other = sum + twice;
                    if other - sum == twice {
                        sum = other;
                    }
                }
                break;
            }
        }
        sum.is_finite().then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(numbers: &[f64]) -> Option<f64> {
        let mut exact = Exact::default();
        numbers.iter().for_each(|number| exact.add(*number));
        exact.nearest()
    }

    #[test]
    fn nothing_is_lost() {
        assert_eq!(sum(&[]), Some(0.0));
        assert_eq!(sum(&[0.1; 10]), Some(1.0));
        assert_eq!(sum(&[1e16, 1.0, -1e16]), Some(1.0));
        // 2^53 + 1 lies half way between two floats: the even one; any more, and it is the next.
        let half = 9_007_199_254_740_992.0;
        assert_eq!(sum(&[half, 1.0]), Some(half));
        assert_eq!(sum(&[half, 1.0, 1e-30]), Some(half + 2.0));
        assert_eq!(sum(&[f64::MAX, f64::MAX]), None);
    }

    proptest! {
        /// Multiples of 2^-20 below 2^30 in number and size are exact in 128 bits.
        #[test]
        fn it_is_the_sum_of_whole_numbers(numbers in prop::collection::vec(-(1_i64 << 52)..1 << 52, 0..60), turn in 0..60_usize) {
            let scale = 2_f64.powi(-20);
            let mut floats: Vec<f64> = numbers.iter().map(|number| *number as f64 * scale).collect();
            let whole: i128 = numbers.iter().map(|number| i128::from(*number)).sum();
            // A conversion rounds to the nearest float, of two to the even one.
            let expected = whole as f64 * scale;
            prop_assert_eq!(sum(&floats), Some(expected));
            if !floats.is_empty() {
                let at = turn % floats.len();
                floats.rotate_left(at);
            }
            prop_assert_eq!(sum(&floats), Some(expected));
        }
    }
}
