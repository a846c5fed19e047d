//! The normal distribution by inversion: one word gives one number, the same on every machine.
//! Spec study-definitions.md 10.1.

/// A number strictly between 0 and 1 out of the upper 52 bits, symmetric about a half; with 53 bits the last would round to 1.
pub(crate) fn open_unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

/// The standard normal number at this place of its distribution.
pub(crate) fn standard(bits: u64) -> f64 {
    quantile(open_unit(bits))
}

fn polynomial(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The quantile function of the standard normal distribution for 0 < p < 1: Wichura's rational approximations
/// (algorithm AS 241, 1988), relative error about 1e-16. Only IEEE arithmetic and a software logarithm are used.
pub(crate) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(r, &MIDDLE.0) / polynomial(r, &MIDDLE.1);
    }
    let r = libm::sqrt(-libm::log(if q < 0.0 { p } else { 1.0 - p }));
    let (near, (above, below)) = if r <= 5.0 { (1.6, &SIDE) } else { (5.0, &FAR) };
    let size = polynomial(r - near, above) / polynomial(r - near, below);
    if q < 0.0 { -size } else { size }
}

type Fraction = ([f64; 8], [f64; 8]);

#[rustfmt::skip]
const MIDDLE: Fraction = (
    [3.387_132_872_796_366_5, 1.331_416_678_917_843_8e2, 1.971_590_950_306_551_3e3, 1.373_169_376_550_946e4,
     4.592_195_393_154_987e4, 6.726_577_092_700_87e4, 3.343_057_558_358_813e4, 2.509_080_928_730_122_7e3],
    [1.0, 4.231_333_070_160_091e1, 6.871_870_074_920_579e2, 5.394_196_021_424_751e3,
     2.121_379_430_158_659_7e4, 3.930_789_580_009_271e4, 2.872_908_573_572_194_3e4, 5.226_495_278_852_854e3],
);

#[rustfmt::skip]
const SIDE: Fraction = (
    [1.423_437_110_749_683_5, 4.630_337_846_156_546, 5.769_497_221_460_691, 3.647_848_324_763_204_5,
     1.270_458_252_452_368_4, 2.417_807_251_774_506e-1, 2.272_384_498_926_918_4e-2, 7.745_450_142_783_414e-4],
    [1.0, 2.053_191_626_637_759, 1.676_384_830_183_803_8, 6.897_673_349_851e-1,
     1.481_039_764_274_800_8e-1, 1.519_866_656_361_645_7e-2, 5.475_938_084_995_345e-4, 1.050_750_071_644_416_9e-9],
);

#[rustfmt::skip]
const FAR: Fraction = (
    [6.657_904_643_501_103, 5.463_784_911_164_114, 1.784_826_539_917_291_3, 2.965_605_718_285_048_7e-1,
     2.653_218_952_657_612_4e-2, 1.242_660_947_388_078_4e-3, 2.711_555_568_743_487_6e-5, 2.010_334_399_292_288_1e-7],
    [1.0, 5.998_322_065_558_88e-1, 1.369_298_809_227_358e-1, 1.487_536_129_085_061_5e-2,
     7.868_691_311_456_133e-4, 1.846_318_317_510_054_8e-5, 1.421_511_758_316_446e-7, 2.044_263_103_389_939_8e-15],
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the error function of another library: p = erfc(-z / sqrt 2) / 2.
    #[test]
    fn quantiles_undo_the_distribution() {
        let grid = (1..2000).map(|i| f64::from(i) / 2000.0);
        let tails = (3..17).map(|e| 10_f64.powi(-e));
        for p in grid.chain(tails) {
            let back = 0.5 * libm::erfc(-quantile(p) / std::f64::consts::SQRT_2);
            assert!((back / p - 1.0).abs() < 1e-13, "{p} became {back}");
        }
    }

    #[test]
    fn known_quantiles() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_984_540_054), (0.001, -3.090_232_306_167_813_5)] {
            assert!((quantile(p) - z).abs() < 1e-14, "{p}");
        }
    }

    #[test]
    fn the_ends_of_the_words_are_finite_and_mirror_images() {
        assert_eq!(standard(0), -standard(u64::MAX));
        assert!(standard(0) < -8.0 && standard(0) > -8.5);
    }
}
