//! A chart in words, for those who do not see it (actions.md 6.4).
//! It says no more than the chart shows.

use super::super::config::Labels;
use super::super::table::Deciles;

/// What stands in a chart without values.
pub(super) const NO_DATA: &str = "no data";

/// The name of a chart.
pub(super) fn title(deciles: &Deciles, labels: &Labels) -> String {
    match labels.title.trim() {
        "" => format!("Deciles of {} over time", deciles.id),
        title => title.to_owned(),
    }
}

/// Measure, dates, and how the median begins and ends.
pub(super) fn description(deciles: &Deciles, table: bool) -> String {
    let mut text = format!("Measure {}: ", deciles.id);
    let outer = deciles.percentiles.len() > 9;
    let which = if outer { "1st to 99th percentile" } else { "deciles" };
    text += &match (deciles.dates.as_slice(), deciles.is_empty()) {
        (_, true) => format!("{NO_DATA}."),
        ([only], false) => format!("{which} on {only}."),
        (dates, false) => {
            let (first, last) = (dates.first().copied().unwrap_or_default(), dates.last().copied().unwrap_or_default());
            format!("{which} from {first} to {last}.")
        }
    };
    let median = deciles.percentiles.iter().position(|percentile| percentile.label == 50);
    let values: Vec<f64> =
        median.into_iter().flat_map(|at| deciles.series(at)).map(|(_, v)| v).filter(|v| v.is_finite()).collect();
    if let ([first, ..], [.., last]) = (values.as_slice(), values.as_slice()) {
        text += &match values.len() {
            1 => format!(" The median is {}.", short(*first)),
            _ => format!(" The median is {} first and {} last.", short(*first), short(*last)),
        };
    }
    if table {
        text += &format!(" The file deciles_table_{}.csv holds the numbers.", deciles.id);
    }
    text
}

/// Three digits that count.
fn short(number: f64) -> String {
    let rounded = format!("{number:.2e}").parse().unwrap_or(number);
    let text = crate::text::float(rounded);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in
            [(0.123_456, "0.123"), (12.0, "12"), (98_765.0, "98800"), (0.0, "0"), (1.0 / 3.0, "0.333")]
        {
            assert_eq!(short(number), text);
        }
    }
}
