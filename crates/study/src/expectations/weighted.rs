//! Choices by weight: categories, ages of a population, small Poisson means. One word gives one choice.
//! Spec study-definitions.md 10.1.

/// Places 0, 1, … with their shares of all words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighted {
    /// Words below `ends[i]`, and not below the end before, mean `i`.
    ends: Vec<u64>,
    /// The first place that words with this upper byte can mean.
    guide: Box<[u32; 256]>,
    /// The last place with a weight: it takes what rounding leaves.
    last: usize,
}

impl Weighted {
    /// `None` unless all weights are numbers from 0 up, with a finite sum above 0.
    pub(crate) fn new(weights: &[f64]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        if !(total.is_finite() && total > 0.0) || weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            return None;
        }
        let last = weights.iter().rposition(|w| *w > 0.0)?;
        let mut sum = 0.0;
        let mut ends: Vec<u64> = Vec::with_capacity(weights.len());
        for weight in weights {
            sum += weight;
            ends.push((sum / total * 18_446_744_073_709_551_616.0) as u64);
        }
        let mut guide = Box::new([0_u32; 256]);
        for (byte, first) in guide.iter_mut().enumerate() {
            let word = (byte as u64) << 56;
            *first = ends.partition_point(|end| *end <= word).min(last) as u32;
        }
        Some(Self { ends, guide, last })
    }

    /// The place that this word means.
    pub(crate) fn pick(&self, bits: u64) -> usize {
        let mut place = self.guide[(bits >> 56) as usize] as usize;
        while place < self.last && bits >= self.ends[place] {
            place += 1;
        }
        place
    }
}

/// Numbers of people in thousands by bands of five years from 0, the last one for 100 and above.
const BANDS: [f64; 21] = [
    3914.0, 4139.0, 3859.0, 3669.0, 4185.0, 4527.0, 4463.0, 4372.0, 3993.0, 4507.0, 4674.0, 4294.0, 3673.0, 3396.0,
    3252.0, 2236.0, 1673.0, 1024.0, 448.0, 123.0, 13.0,
];

/// Shares of the ages 0 to 109: a band's share over five for each of its years, the tenfold use of the last band taken off
/// the first of the most frequent ages.
pub(crate) fn population_ages() -> Vec<f64> {
    let total: f64 = BANDS.iter().sum();
    let mut ages: Vec<f64> = (0..110).map(|age| BANDS[(age / 5_usize).min(20)] / total / 5.0).collect();
    let excess = ages.iter().sum::<f64>() - 1.0;
    if let Some(most) = (0..ages.len()).max_by(|a, b| ages[*a].total_cmp(&ages[*b]).then(b.cmp(a))) {
        ages[most] -= excess;
    }
    ages
}

/// Poisson numbers of one mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Poisson {
    /// Mean up to 10,000: every number whose weight is above 1e-20 of the greatest, from the first on.
    Table(u64, Weighted),
    /// Beyond: the normal number with the first corrections for skewness, whose error is below 1 / mean.
    Large(f64),
}

impl Poisson {
    /// `None` for a mean below 0 or no number.
    pub(crate) fn new(mean: f64) -> Option<Self> {
        if !mean.is_finite() || mean < 0.0 {
            return None;
        }
        if mean > 10_000.0 {
            return Some(Self::Large(mean));
        }
        let mode = mean.floor();
        let enough = |weight: &f64| *weight > 1e-20;
        let down = std::iter::successors(Some((mode, 1.0)), |(k, w)| (*k > 0.0).then(|| (k - 1.0, w * k / mean)));
        let mut weights: Vec<f64> = down.map(|(_, w)| w).take_while(enough).collect();
        weights.reverse();
        let first = mode as u64 + 1 - weights.len() as u64;
        let up = std::iter::successors(Some((mode, 1.0)), |(k, w)| Some((k + 1.0, w * mean / (k + 1.0))));
        weights.extend(up.map(|(_, w)| w).skip(1).take_while(enough));
        Some(Self::Table(first, Weighted::new(&weights)?))
    }

    pub(crate) fn draw(&self, bits: u64) -> i64 {
        match self {
            Self::Table(first, weighted) => (*first + weighted.pick(bits) as u64) as i64,
            Self::Large(mean) => {
                let z = super::normal::standard(bits);
                let root = libm::sqrt(*mean);
                let number = mean + root * z + (z * z - 1.0) / 6.0 + (z - z * z * z) / (72.0 * root);
                (number + 0.5).floor().max(0.0) as i64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shared_out_by_weight() {
        let thirds = Weighted::new(&[1.0, 0.0, 2.0, 0.0]).unwrap();
        let third = u64::MAX / 3;
        assert_eq!([0, third - 4096, third + 4096, u64::MAX].map(|word| thirds.pick(word)), [0, 0, 2, 2]);
        for weights in [&[][..], &[0.0], &[-1.0, 2.0], &[f64::NAN], &[f64::INFINITY]] {
            assert_eq!(Weighted::new(weights), None);
        }
    }

    #[test]
    fn the_guide_changes_nothing() {
        let weights: Vec<f64> = (0..1000).map(|i| f64::from(i % 7)).collect();
        let weighted = Weighted::new(&weights).unwrap();
        for word in (0..100_000_u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            let slow = weighted.ends.partition_point(|end| *end <= word);
            assert_eq!(weighted.pick(word), slow);
        }
    }

    /// 50 to 54 is the largest band (4,674 of 66,434 thousand), and age 50 gives up the second five years of "100 and above".
    #[test]
    fn ages_are_bands_over_five() {
        let ages = population_ages();
        assert_eq!(ages.len(), 110);
        assert!((ages.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((ages[0] - 3914.0 / 66_434.0 / 5.0).abs() < 1e-15);
        assert!((ages[109] - 13.0 / 66_434.0 / 5.0).abs() < 1e-15);
        assert!((ages[50] - (4674.0 - 13.0 * 5.0) / 66_434.0 / 5.0).abs() < 1e-12);
        assert!((ages[51] - 4674.0 / 66_434.0 / 5.0).abs() < 1e-15);
    }

    /// Mean and variance over a fine grid of words are the mean asked for, in the table and beyond it.
    #[test]
    fn poisson_numbers_have_their_mean_and_variance() {
        for mean in [0.3, 1.0, 8.5, 250.0, 9_999.5, 10_001.0, 1e6] {
            let poisson = Poisson::new(mean).unwrap();
            let grid = 200_000_u64;
            let draws = (0..grid).map(|i| poisson.draw((u64::MAX / grid) * i + u64::MAX / grid / 2) as f64);
            let (sum, squares) = draws.fold((0.0, 0.0), |(s, q), x| (s + (x - mean), q + (x - mean) * (x - mean)));
            let (bias, variance) = (sum / grid as f64, squares / grid as f64);
            assert!(bias.abs() < 1e-3 * mean.sqrt(), "{mean}: off by {bias}");
            assert!((variance / mean - 1.0).abs() < 2e-3, "{mean}: variance {variance}");
        }
        assert_eq!(Poisson::new(0.0).unwrap().draw(u64::MAX), 0);
        assert_eq!(Poisson::new(-1.0), None);
        assert_eq!(Poisson::new(f64::NAN), None);
    }
}
