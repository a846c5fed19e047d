//! Values lie as their expectations say.

use study::model::ColumnType::{self, Bool, Float, Int, Str};

use crate::support::*;

/// Chi-square of counts against shares; bins with less than 5 expected are put together.
fn chi_square(counts: &[usize], shares: &[f64]) -> (f64, usize) {
    let total: usize = counts.iter().sum();
    let (mut sum, mut bins, mut rest) = (0.0, 0, (0.0, 0.0));
    for (count, share) in counts.iter().zip(shares) {
        rest = (rest.0 + *count as f64, rest.1 + share * total as f64);
        if rest.1 >= 5.0 {
            sum += (rest.0 - rest.1).powi(2) / rest.1;
            bins += 1;
            rest = (0.0, 0.0);
        }
    }
    (sum, bins - 1)
}

/// The value that chi-square exceeds once in a million times (Wilson and Hilferty's approximation, z = 4.7534).
fn limit(degrees: usize) -> f64 {
    let k = degrees as f64;
    k * (1.0 - 2.0 / (9.0 * k) + 4.7534 * (2.0 / (9.0 * k)).sqrt()).powi(3)
}

fn assert_shares(counts: &[usize], shares: &[f64]) {
    let (chi, degrees) = chi_square(counts, shares);
    assert!(chi < limit(degrees), "chi-square {chi} with {degrees} degrees");
}

fn count(values: impl Iterator<Item = i64>, bins: usize) -> Vec<usize> {
    let mut counts = vec![0; bins];
    for value in values {
        counts[usize::try_from(value).unwrap().min(bins - 1)] += 1;
    }
    counts
}

/// Kolmogorov and Smirnov: the greatest distance times the root of n is above 2.7 less than once in a million times.
fn assert_lies(mut values: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let gap = |(rank, x): (usize, &f64)| (cdf(*x) - rank as f64 / n).abs().max((cdf(*x) - (rank + 1) as f64 / n).abs());
    let most = values.iter().enumerate().map(gap).fold(0.0, f64::max);
    assert!(most * n.sqrt() < 2.7, "{most}");
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

fn universal(kind: ColumnType, part: study::recording::Value, patients: u64) -> Vec<Cell> {
    let study::recording::Value::Map(mut entries) = part else { panic!() };
    entries.push((study::recording::Value::Str("rate".into()), study::recording::Value::Str("universal".into())));
    draw(kind, study::recording::Value::Map(entries), patients)
}

/// int((1 - incidence) * N) in doubles: (1 - 0.9) * 10 is 0.9999999999999998, so nobody is emptied.
#[test]
fn exactly_so_many_rows_are_emptied() {
    for (incidence, patients, emptied) in [
        (0.9, 10, 0),
        (0.8, 10, 1),
        (0.5, 1001, 500),
        (0.37, 1000, 630),
        (0.0, 100, 100),
        (1.0, 100, 0),
        (0.25, 20_000, 15_000),
    ] {
        let values = draw(Bool, py!({"incidence": incidence}), patients);
        assert_eq!(values.iter().filter(|cell| cell.is_empty()).count(), emptied, "{incidence} of {patients}");
        let dates = draw(
            DAY,
            py!({"incidence": incidence, "date": {"earliest": "2020-01-01", "latest": "2021-01-01"}}),
            patients,
        );
        assert_eq!(dates.iter().filter(|cell| **cell == Cell::Missing).count(), emptied);
    }
}

#[test]
fn nothing_is_emptied_at_the_universal_rate() {
    assert!(draw(Bool, py!({"rate": "universal", "incidence": 0.1}), 100).iter().all(|cell| *cell == Cell::Bool(true)));
}

/// Days before the latest: int(Exp(mean 0.1) * E), at most E. E = 100: the chance of d is
/// (e^(-d/10) - e^(-(d+1)/10)) / (1 - e^(-10.1)).
#[test]
fn dates_grow_exponentially_towards_the_latest() {
    let dates = draw(DAY, py!({"incidence": 1, "date": {"earliest": "2021-01-01", "latest": "2021-04-11"}}), 50_000);
    let latest = f64::from(day(2021, 4, 11));
    let counts = count(dates.iter().map(|cell| (latest - cell.number()) as i64), 101);
    let shares: Vec<f64> = (0..101)
        .map(|d| ((-f64::from(d) / 10.0).exp() - (-f64::from(d + 1) / 10.0).exp()) / (1.0 - (-10.1_f64).exp()))
        .collect();
    assert_shares(&counts, &shares);
}

/// int(U[0,1) * E) days before the latest: the latest occurs, the earliest never does.
#[test]
fn uniform_dates_are_uniform() {
    let expectations =
        py!({"incidence": 1, "rate": "uniform", "date": {"earliest": "2021-01-01", "latest": "2021-01-21"}});
    let dates = draw(DAY, expectations, 50_000);
    let latest = f64::from(day(2021, 1, 21));
    assert_shares(&count(dates.iter().map(|cell| (latest - cell.number()) as i64), 20), &[0.05; 20]);
    assert!(dates.iter().all(|cell| cell.number() > f64::from(day(2021, 1, 1))));
}

#[test]
fn one_day_is_one_day() {
    for rate in ["uniform", "exponential_increase"] {
        let expectations =
            py!({"incidence": 1, "rate": rate, "date": {"earliest": "2021-01-01", "latest": "2021-01-01"}});
        assert!(draw(DAY, expectations, 100).iter().all(|cell| *cell == Cell::Day(day(2021, 1, 1))));
    }
}

#[test]
fn floats_are_normal() {
    let values = universal(Float, py!({"float": {"distribution": "normal", "mean": 25, "stddev": 4.5}}), 50_000);
    assert_lies(values.iter().map(Cell::number).collect(), |x| normal_cdf((x - 25.0) / 4.5));
}

/// Cut towards zero: 0 takes everything from -1 to 1, k > 0 from k to k + 1, negative ones stay.
#[test]
fn whole_normal_numbers_are_cut_towards_zero() {
    let values = universal(Int, py!({"int": {"distribution": "normal", "mean": 1, "stddev": 2}}), 50_000);
    let cdf = |x: f64| normal_cdf((x - 1.0) / 2.0);
    let share = |k: i32| match k {
        0 => cdf(1.0) - cdf(-1.0),
        k if k > 0 => cdf(f64::from(k) + 1.0) - cdf(f64::from(k)),
        k => cdf(f64::from(k)) - cdf(f64::from(k) - 1.0),
    };
    let shares: Vec<f64> = (-8..=9).map(share).collect();
    assert_shares(&count(values.iter().map(|cell| cell.number() as i64 + 8), 18), &shares);
}

#[test]
fn poisson_numbers() {
    let values = universal(Int, py!({"int": {"distribution": "poisson", "mean": 3}}), 50_000);
    let shares: Vec<f64> = (0..20)
        .scan((-3.0_f64).exp(), |p, k| {
            let now = *p;
            *p = now * 3.0 / f64::from(k + 1);
            Some(now)
        })
        .collect();
    assert_shares(&count(values.iter().map(|cell| cell.number() as i64), 20), &shares);
}

/// Bands of five years of 66,434 thousand people; nine in ten of the last band's thirteen thousand are counted for the
/// ages above 104 and taken off age 50.
#[test]
fn ages_of_a_population() {
    let values = universal(Int, py!({"int": {"distribution": "population_ages"}}), 100_000);
    let mut bands = vec![
        3914.0,
        4139.0,
        3859.0,
        3669.0,
        4185.0,
        4527.0,
        4463.0,
        4372.0,
        3993.0,
        4507.0,
        4674.0 - 13.0,
        4294.0,
        3673.0,
        3396.0,
        3252.0,
        2236.0,
        1673.0,
        1024.0,
        448.0,
        123.0,
        13.0,
        13.0,
    ];
    bands.iter_mut().for_each(|people| *people /= 66_434.0);
    assert_shares(&count(values.iter().map(|cell| cell.number() as i64 / 5), 22), &bands);
}

#[test]
fn categories_have_their_ratios() {
    let values =
        universal(Str, py!({"category": {"ratios": {"M": 0.48, "": 0.02, "F": 0.4, "None": 0.1, "I": 0}}}), 50_000);
    let place = |cell: &Cell| match cell {
        Cell::Text(label) if label == "M" => 0,
        Cell::Text(label) if label.is_empty() => 1,
        Cell::Text(label) if label == "F" => 2,
        Cell::Missing => 3,
        other => panic!("{other:?}"),
    };
    assert_shares(&count(values.iter().map(place), 4), &[0.48, 0.02, 0.4, 0.1]);
}

/// Two columns of the same expectations have nothing to do with each other, neither in who has a value nor in which:
/// the correlation of 40,000 independent pairs lies within 5 / sqrt(40,000) = 0.025.
#[test]
fn columns_are_independent() {
    let expectations = || py!({"incidence": 0.5, "float": {"distribution": "normal", "mean": 3, "stddev": 1}});
    let study = study(vec![column("a", Float, expectations()), column("b", Float, expectations())]);
    let cells = cells(&cohort(&study, &settings(40_000)));
    let correlation = |a: Vec<f64>, b: Vec<f64>| {
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (ma, mb) = (mean(&a), mean(&b));
        let sum = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
        sum(&|i| (a[i] - ma) * (b[i] - mb)) / (sum(&|i| (a[i] - ma).powi(2)) * sum(&|i| (b[i] - mb).powi(2))).sqrt()
    };
    let present = |name: &str| cells[name].iter().map(|cell| f64::from(u8::from(!cell.is_empty()))).collect();
    let found = correlation(present("a"), present("b"));
    assert!(found.abs() < 0.025, "{found}");
    let both: Vec<usize> =
        (0..40_000).filter(|row| !cells["a"][*row].is_empty() && !cells["b"][*row].is_empty()).collect();
    let values = |name: &str| both.iter().map(|row| cells[name][*row].number()).collect();
    let found = correlation(values("a"), values("b"));
    assert!(found.abs() < 5.0 / (both.len() as f64).sqrt(), "{found}");
    let next = correlation(
        cells["a"][1..].iter().map(Cell::number).collect(),
        cells["a"][..39_999].iter().map(Cell::number).collect(),
    );
    assert!(next.abs() < 0.025, "{next}");
}
