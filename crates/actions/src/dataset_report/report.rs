//! What of a survey a page may show: rounded, hidden where small, and hidden where something small would follow from it.
//! Behind this module no exact count is known any more (actions.md 5.2, 5.5).

use super::detail::LEAST_FOR_DECILES;
use super::kind::Kind;
use super::number::{decimals, millionths};
use super::protect::{Cells, Told, protect};
use super::rounding::{self, Range, of_rounded_rows, round_rows};
use super::survey::{Column, Counted, Distinct, Label, Numbers, Survey, Values};
use crate::text::{about, float};

/// How a page is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// Sizes of the exact number of rows, and no protection besides rounding: as the original, on dummy data.
    pub(super) original: bool,
    /// Whole numbers stay whole beside a hidden one.
    pub(super) whole: bool,
}

impl Manner {
    /// What stands where a count is hidden.
    pub(super) const fn hidden(self) -> &'static str {
        if self.whole { "[REDACTED]" } else { "NaN" }
    }
}

/// A page, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) manner: Manner,
    /// N*; nothing if sizes are exact.
    pub(super) rows: Option<u64>,
    pub(super) columns: Vec<Line>,
    pub(super) sections: Vec<Section>,
    /// More is hidden than small counts.
    pub(super) guarded: bool,
}

/// A row of the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) size: String,
    pub(super) kind: String,
    pub(super) empty: bool,
}

/// What is told of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) body: Body,
    /// What has become of each of its counts, in their order.
    pub(super) cells: Cells,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    Counts {
        rows: Vec<CountRow>,
        /// How many different values there are, in words.
        distinct: Option<String>,
    },
    Numbers {
        /// The count of missing ones; nothing if there are none.
        missing: Option<String>,
        deciles: Deciles,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CountRow {
    pub(super) label: Label,
    pub(super) count: String,
    pub(super) percentage: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deciles {
    /// 10 to 90.
    Shown(Vec<String>),
    TooFew,
    TooMany,
    Hidden,
}

pub(super) fn report(survey: &Survey, manner: Manner) -> Report {
    let rounded = round_rows(survey.rows);
    let told: Vec<(&Column, &Counted)> =
        survey.columns.iter().filter_map(|column| Some((column, column.told.as_ref()?))).collect();
    let mut cells: Vec<Cells> = told.iter().map(|(_, counted)| cells_of(counted)).collect();
    let guarded = !manner.original && protect(&mut cells, of_rounded_rows(rounded));
    let sections = told.into_iter().zip(cells).map(|((column, counted), cells)| Section {
        name: column.name.clone(),
        body: match counted {
            Counted::Values(values) => counts(values, &cells, manner),
            Counted::Numbers(numbers) => numbers_body(numbers, &cells, &column.kind, manner),
        },
        cells,
    });
    Report {
        manner,
        rows: (!manner.original).then_some(rounded),
        columns: lines(survey, if manner.original { survey.rows } else { rounded }),
        sections: sections.collect(),
        guarded,
    }
}

fn lines(survey: &Survey, rows: u64) -> Vec<Line> {
    let bytes = |column: &Column| if survey.rows == 0 { 0 } else { column.kind.bytes(rows) };
    let sizes = millionths(&survey.columns.iter().map(bytes).collect::<Vec<_>>());
    let line = |(column, size): (&Column, String)| Line {
        name: column.name.clone(),
        size,
        kind: column.kind.to_string(),
        empty: column.empty,
    };
    survey.columns.iter().zip(sizes).map(line).collect()
}

fn told_of(count: u64) -> Told {
    rounding::shown(count).map_or(Told::Small, Told::Shown)
}

/// The counts of a column, and what else the page tells about how many values there are.
fn cells_of(counted: &Counted) -> Cells {
    match counted {
        Counted::Values(values) => {
            let mut cells: Cells = values.rows.iter().map(|(_, count)| told_of(*count)).collect();
            if values.distinct == Some(Distinct::Many) {
                cells.push(Told::Between(Range::ANY));
            }
            cells
        }
        Counted::Numbers(numbers) => {
            let present = match numbers.present {
                0 => Range::new(0, 0),
                1..LEAST_FOR_DECILES => Range::new(1, LEAST_FOR_DECILES - 1),
                _ => Range::new(LEAST_FOR_DECILES, u64::MAX),
            };
            let missing = (numbers.missing > 0).then(|| told_of(numbers.missing));
            missing.into_iter().chain([Told::Between(present)]).collect()
        }
    }
}

fn counts(values: &Values, cells: &[Told], manner: Manner) -> Body {
    let shown: Vec<Option<u64>> = values.rows.iter().zip(cells).map(|(_, told)| told.shown()).collect();
    let sum: u64 = shown.iter().flatten().sum();
    let whole = manner.whole || shown.iter().all(Option::is_some);
    let counts = match whole {
        true => shown.iter().map(|count| count.map_or(manner.hidden().to_owned(), |count| count.to_string())).collect(),
        false => {
            decimals(&shown.iter().map(|count| count.map(|count| count as f64)).collect::<Vec<_>>(), manner.hidden())
        }
    };
    let percentage = |count: &Option<u64>| count.map(|count| 100.0 * (count as f64) / (sum as f64));
    let percentages = decimals(&shown.iter().map(percentage).collect::<Vec<_>>(), manner.hidden());
    let rows = values.rows.iter().zip(counts.into_iter().zip(percentages));
    let rows = rows.map(|((label, _), (count, percentage))| CountRow { label: label.clone(), count, percentage });
    let distinct = values.distinct.map(|distinct| match distinct {
        Distinct::Exactly(count) => about(count),
        Distinct::Many => "many".to_owned(),
    });
    Body::Counts { rows: rows.collect(), distinct }
}

fn numbers_body(numbers: &Numbers, cells: &[Told], kind: &Kind, manner: Manner) -> Body {
    let missing = cells.first().filter(|_| numbers.missing > 0);
    let missing = missing.map(|told| told.shown().map_or(manner.hidden().to_owned(), |count| count.to_string()));
    let whole = matches!(kind, Kind::Int(_) | Kind::UInt(_));
    let text = |number: &f64| {
        let text = float(*number);
        if whole { text.strip_suffix(".0").map_or(text.clone(), str::to_owned) } else { text }
    };
    let withheld = matches!(cells.last(), Some(Told::Between(range)) if *range == Range::ANY);
    let deciles = match &numbers.deciles {
        _ if withheld => Deciles::Hidden,
        Some(deciles) => Deciles::Shown(deciles.iter().map(text).collect()),
        None if numbers.present < LEAST_FOR_DECILES => Deciles::TooFew,
        None => Deciles::TooMany,
    };
    Body::Numbers { missing, deciles }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset_report::survey::pair;

    const SAFE: Manner = Manner { original: false, whole: false };

    fn column(name: &str, missing: u64, no: u64, yes: u64) -> Column {
        let kind = if missing > 0 { Kind::Float(64) } else { Kind::Int(64) };
        Column { name: name.to_owned(), told: Some(pair(&kind, missing, no, yes)), kind, empty: false }
    }

    fn table(report: &Report, at: usize) -> Vec<(String, String, String)> {
        let Body::Counts { rows, .. } = &report.sections[at].body else { panic!("counts") };
        rows.iter().map(|row| (row.label.text().to_owned(), row.count.clone(), row.percentage.clone())).collect()
    }

    fn rows(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        rows.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
    }

    #[test]
    fn percentages_are_of_what_is_shown() {
        let survey = Survey { rows: 318, columns: vec![column("a", 0, 212, 106), column("b", 3, 236, 79)] };
        let report = report(&survey, SAFE);
        assert_eq!(report.rows, Some(300));
        // 210 and 105 of 315.
        assert_eq!(table(&report, 0), rows(&[("0", "210", "66.666667"), ("1", "105", "33.333333")]));
        // 235 and 80 of 315.
        let expected = [("NaN", "NaN", "NaN"), ("0.0", "235.0", "74.603175"), ("1.0", "80.0", "25.396825")];
        assert_eq!(table(&report, 1), rows(&expected));
        assert_eq!(report.columns[0].size, "0.0024");
        assert!(!report.guarded);
    }

    #[test]
    fn own_version_keeps_whole_numbers() {
        let survey = Survey { rows: 103, columns: vec![column("b", 3, 60, 40)] };
        let report = report(&survey, Manner { original: false, whole: true });
        let expected = [("NaN", "[REDACTED]", "[REDACTED]"), ("0.0", "60", "60.0"), ("1.0", "40", "40.0")];
        assert_eq!(table(&report, 0), rows(&expected));
    }

    #[test]
    fn a_hidden_count_that_follows_takes_another_with_it_but_not_in_the_original() {
        // 88 is shown as 90 by column a: rows are 88 to 92. Column b: 78 to 82, so the hidden one would be 6 or 7.
        let survey = Survey { rows: 88, columns: vec![column("a", 0, 88, 0), column("b", 0, 82, 6)] };
        let safe = report(&survey, SAFE);
        assert!(safe.guarded);
        assert_eq!(table(&safe, 1), rows(&[("0", "NaN", "NaN"), ("1", "NaN", "NaN")]));
        let original = report(&survey, Manner { original: true, whole: false });
        assert!(!original.guarded);
        assert_eq!(table(&original, 1), rows(&[("0", "80.0", "100.0"), ("1", "NaN", "NaN")]));
        assert_eq!((original.rows, original.columns[0].size.as_str()), (None, "0.000704"));
    }

    #[test]
    fn numbers_are_told_by_their_deciles() {
        let counted = |missing, present, deciles| {
            let numbers = Numbers { missing, present, deciles };
            let column = Column {
                name: "n".to_owned(),
                kind: Kind::Int(64),
                empty: false,
                told: Some(Counted::Numbers(numbers)),
            };
            report(&Survey { rows: missing + present, columns: vec![column] }, SAFE).sections.remove(0).body
        };
        let deciles = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1230.0];
        let shown = ["1", "2", "3", "4", "5", "6", "7", "8", "1230"].map(str::to_owned).to_vec();
        assert_eq!(
            counted(0, 200, Some(deciles)),
            Body::Numbers { missing: None, deciles: Deciles::Shown(shown.clone()) }
        );
        let body = Body::Numbers { missing: Some("15".to_owned()), deciles: Deciles::Shown(shown) };
        assert_eq!(counted(14, 200, Some(deciles)), body);
        assert_eq!(counted(0, 99, None), Body::Numbers { missing: None, deciles: Deciles::TooFew });
        // 51 to 149 rows, 100 present at least: what is hidden may be any of 1 to 7.
        assert_eq!(counted(3, 120, None), Body::Numbers { missing: Some("NaN".to_owned()), deciles: Deciles::TooMany });
    }
}
