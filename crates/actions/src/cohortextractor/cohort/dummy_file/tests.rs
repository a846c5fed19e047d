//! Cells of each type in each format, by the table of study-definitions.md 9.3.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int8Array, Int64Array, StringArray,
    TimestampNanosecondArray,
};
use cohorts::{DatePrecision, Format};

use super::cell::{Expected, Verdict, check};

fn csv(text: &str, expected: Expected) -> Verdict {
    let array: ArrayRef = Arc::new(BinaryArray::from(vec![text.as_bytes()]));
    check(&array, 0, expected, Format::Csv)
}

#[test]
fn cells_of_csv() {
    use DatePrecision::{Day, Month, Year};
    let good: &[(Expected, &[&str])] = &[
        (Expected::Date(Year), &["2020", "2020.0", "", "0"]),
        (Expected::Date(Month), &["2020-01", "2020-1", "2020-12"]),
        (Expected::Date(Day), &["2020-02-29", "2020-2-9", "", "False"]),
        (Expected::Truth, &["0", "1", "True", "False", "", "1.0"]),
        (Expected::Whole, &["7", "-7", "7.0", "1e3", ""]),
        (Expected::Float, &["7", "7.25", "-1e-5", "0"]),
        (Expected::Text, &["anything", "", "0"]),
    ];
    let bad: &[(Expected, &[&str])] = &[
        (Expected::Date(Year), &["20", "2020-01", "year", "2020.5", "0000"]),
        (Expected::Date(Month), &["2020", "2020-13", "2020-01-01", "2020-00"]),
        (Expected::Date(Day), &["2020-02-30", "2020-01", "01/02/2020", "2020-01-01T00:00", "20-01-01"]),
        (Expected::Truth, &["2", "yes", "-1", "T"]),
        (Expected::Whole, &["a", "1,000", "nan", "inf"]),
        (Expected::Float, &["a", "1.2.3", "NaN"]),
        (Expected::Patient, &["", "1.0", "a", "99999999999999999999"]),
    ];
    for (expected, texts) in good {
        for text in *texts {
            assert_eq!(csv(text, *expected), Verdict::Good, "{expected:?} {text}");
        }
    }
    for (expected, texts) in bad {
        for text in *texts {
            assert_eq!(csv(text, *expected), Verdict::Bad((*text).to_owned()), "{expected:?} {text}");
        }
    }
    assert_eq!(csv("7.5", Expected::Whole), Verdict::Fraction);
    assert_eq!(csv("12", Expected::Patient), Verdict::Patient(12));
}

#[test]
fn cells_with_types() {
    use DatePrecision::{Day, Month, Year};
    const DAY: i64 = 86_400_000_000_000;
    // 2020-01-01, 2020-02-01, 2020-02-02: days 18262, 18293 and 18294 from 1970.
    let days: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![18_262 * DAY, 18_293 * DAY, 18_294 * DAY]));
    let verdicts = |array: &ArrayRef, expected, format| {
        (0..array.len()).map(|at| check(array, at, expected, format) == Verdict::Good).collect::<Vec<_>>()
    };
    let feather = Format::Feather;
    assert_eq!(verdicts(&days, Expected::Date(Year), feather), [true, false, false]);
    assert_eq!(verdicts(&days, Expected::Date(Month), feather), [true, true, false]);
    assert_eq!(verdicts(&days, Expected::Date(Day), feather), [true, true, true]);
    let stata: ArrayRef = Arc::new(Date32Array::from(vec![Some(18_293), None]));
    assert_eq!(verdicts(&stata, Expected::Date(Month), Format::Dta), [true, true]);
    let whole: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), Some(1), Some(2), None]));
    assert_eq!(verdicts(&whole, Expected::Truth, feather), [true, true, false, true]);
    assert_eq!(verdicts(&whole, Expected::Whole, feather), [true; 4]);
    assert_eq!(verdicts(&whole, Expected::Text, feather), [true, false, false, true]);
    assert_eq!(verdicts(&whole, Expected::Float, feather), [true, false, false, true]);
    assert_eq!(verdicts(&whole, Expected::Date(Day), feather), [true, false, false, true]);
    let float: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 1.0, 2.5, f64::NAN]));
    assert_eq!(verdicts(&float, Expected::Float, feather), [true; 4]);
    assert_eq!(verdicts(&float, Expected::Whole, feather), [true, false, false, true]);
    assert_eq!(verdicts(&float, Expected::Whole, Format::Dta), [true, true, false, true]);
    let truth: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
    assert_eq!(verdicts(&truth, Expected::Truth, feather), [true, true]);
    assert_eq!(verdicts(&truth, Expected::Whole, feather), [false, true]);
    let byte: ArrayRef = Arc::new(Int8Array::from(vec![1, 0, 2]));
    assert_eq!(verdicts(&byte, Expected::Truth, Format::Dta), [true, true, false]);
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), Some(""), None]));
    assert_eq!(verdicts(&text, Expected::Text, feather), [true; 3]);
    assert_eq!(verdicts(&text, Expected::Whole, feather), [false, true, true]);
    assert_eq!(check(&text, 2, Expected::Patient, feather), Verdict::Bad(String::new()));
    assert_eq!(check(&whole, 2, Expected::Patient, feather), Verdict::Patient(2));
}
