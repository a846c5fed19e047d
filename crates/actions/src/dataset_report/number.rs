//! The cells of one column of a table as text: alike in the number of decimals, never cut short, never with an exponent.
//! Six decimals at most, less the zeros that all cells of a column end with, but always one (actions.md 5.3).

/// Decimals before zeros are cut.
const DECIMALS: usize = 6;

/// Millionths, each exact: sizes in MB from bytes.
pub(super) fn millionths(numbers: &[u128]) -> Vec<String> {
    let text = |number: &u128| format!("{}.{:06}", number / 1_000_000, number % 1_000_000);
    alike(numbers.iter().map(text).collect())
}

/// Numbers of which some are not shown.
pub(super) fn decimals(numbers: &[Option<f64>], hidden: &str) -> Vec<String> {
    let shown: Vec<String> = numbers.iter().flatten().map(|number| format!("{number:.DECIMALS$}")).collect();
    let mut shown = alike(shown).into_iter();
    numbers.iter().map(|number| number.and_then(|_| shown.next()).unwrap_or_else(|| hidden.to_owned())).collect()
}

/// Cuts the zeros that all end with.
fn alike(mut texts: Vec<String>) -> Vec<String> {
    let zeros = |text: &String| text.bytes().rev().take_while(|byte| *byte == b'0').count();
    let cut = texts.iter().map(zeros).min().unwrap_or(0).min(DECIMALS - 1);
    for text in &mut texts {
        text.truncate(text.len() - cut);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_column_have_the_same_decimals() {
        assert_eq!(millionths(&[696_000]), ["0.696"]);
        assert_eq!(millionths(&[8_000_000, 24]), ["8.000000", "0.000024"]);
        assert_eq!(millionths(&[0, 0]), ["0.0", "0.0"]);
        assert_eq!(millionths(&[12_000_000_000_000]), ["12000000.0"]);
        assert_eq!(millionths(&[696_000, 87_000]), ["0.696", "0.087"]);
        let none: [String; 0] = [];
        assert_eq!(millionths(&[]), none);
    }

    #[test]
    fn hidden_cells_do_not_matter_to_the_others() {
        assert_eq!(decimals(&[Some(75.0), Some(25.0)], "NaN"), ["75.0", "25.0"]);
        assert_eq!(decimals(&[Some(100.0 / 3.0), Some(200.0 / 3.0)], "NaN"), ["33.333333", "66.666667"]);
        assert_eq!(decimals(&[Some(37.5), None, Some(62.5)], "NaN"), ["37.5", "NaN", "62.5"]);
        assert_eq!(decimals(&[None, None], "[REDACTED]"), ["[REDACTED]", "[REDACTED]"]);
        assert_eq!(decimals(&[Some(10.0), None], "NaN"), ["10.0", "NaN"]);
    }
}
