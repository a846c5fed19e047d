//! Measures against a model that looks at every row for every line of the result, over small random files.
//! The model follows study-definitions.md 11 line by line and shares nothing with what it tests but the printing of floats.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, DictionaryArray, Int8Array, Int64Array, StringArray};
use cohorts::Format;
use proptest::prelude::*;
use study::model::{Measure, MeasureGroups};
use study::recording::SourceId;

use super::groups::Groups;
use super::number::Era;
use super::table::{Cells, Each, PatientFile, Table};
use super::write;
use crate::fault::Fault;
use crate::text::float;

/// A patient: two texts, a category, a number that may be missing, three flags and an amount.
#[derive(Debug, Clone)]
struct Row {
    text: Option<&'static str>,
    category: Option<usize>,
    whole: Option<i64>,
    flags: [bool; 2],
    amount: i64,
}

/// In dictionary order, which is not the order of text; the last is never used.
const CATEGORIES: [&str; 4] = ["z", "b", "a", "unused"];

fn row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![Just(None), Just(Some("x")), Just(Some("10")), Just(Some("9")), Just(Some("a,b"))];
    let category = prop_oneof![Just(None), (0..3_usize).prop_map(Some)];
    let whole = prop_oneof![Just(None), (-2..12_i64).prop_map(Some)];
    (text, category, whole, any::<[bool; 2]>(), 0..4_i64).prop_map(|(text, category, whole, flags, amount)| Row {
        text,
        category,
        whole,
        flags,
        amount,
    })
}

const GROUPS: [&str; 4] = ["text", "category", "whole", "population"];
const SUMMED: [&str; 4] = ["flag_a", "flag_b", "amount", "population"];

fn measure() -> impl Strategy<Value = Measure> {
    let group_by = prop_oneof![
        Just(vec![]),
        Just(vec!["population".to_owned()]),
        proptest::sample::subsequence(GROUPS.to_vec(), 1..=3)
            .prop_shuffle()
            .prop_map(|names| names.into_iter().map(str::to_owned).collect::<Vec<_>>()),
    ];
    (group_by, 0..4_usize, 0..4_usize, any::<bool>()).prop_map(|(group_by, numerator, denominator, suppression)| {
        Measure {
            id: "m".to_owned(),
            numerator: SUMMED[numerator].to_owned(),
            denominator: SUMMED[denominator].to_owned(),
            groups: match group_by.as_slice() {
                [] => MeasureGroups::Patient,
                [one] if one == "population" => MeasureGroups::Population,
                _ => MeasureGroups::Columns(group_by),
            },
            small_number_suppression: suppression,
            src: SourceId(0),
        }
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Csv,
    Typed(Era),
}

/// A cell of a group column: where it stands among the others, and its text; `None` is missing.
fn cell(row: &Row, column: &str, form: Form) -> Option<(i64, String)> {
    let (place, text) = match column {
        "text" => (Some(0), row.text.map(str::to_owned)),
        "category" => (row.category.map(|at| at as i64), row.category.map(|at| CATEGORIES[at].to_owned())),
        "whole" => (row.whole, row.whole.map(|number| number.to_string())),
        _ => (Some(1), Some("1".to_owned())),
    };
    match form {
        Form::Csv => Some((0, text.unwrap_or_default())),
        Form::Typed(_) => place.zip(text),
    }
}

fn amount(row: &Row, column: &str) -> i64 {
    match column {
        "flag_a" => i64::from(row.flags[0]),
        "flag_b" => i64::from(row.flags[1]),
        "amount" => row.amount,
        _ => 1,
    }
}

fn printed(number: Option<i64>, column: &str, form: Form, any_emptied: bool) -> String {
    let Some(number) = number else { return String::new() };
    let whole = match (form, column) {
        _ if any_emptied => false,
        (_, "population") => true,
        (Form::Csv, _) => false,
        (Form::Typed(era), "flag_a" | "flag_b") => era == Era::Y2022,
        (Form::Typed(_), _) => true,
    };
    if whole { number.to_string() } else { float(number as f64) }
}

fn emptied(numbers: &[i64]) -> Vec<Option<i64>> {
    let small = |n: &i64| (1..=5).contains(n);
    let sum: i64 = numbers.iter().filter(|n| small(n)).sum();
    let least = numbers.iter().filter(|n| **n > 5).min();
    let also = if sum > 0 && sum <= 5 { least } else { None };
    numbers.iter().map(|n| (!small(n) && Some(n) != also).then_some(*n)).collect()
}

/// The columns that a study writes as `group_by`.
fn group_by(measure: &Measure) -> Vec<String> {
    match &measure.groups {
        MeasureGroups::Patient => vec![],
        MeasureGroups::Population => vec!["population".to_owned()],
        MeasureGroups::Columns(columns) => columns.clone(),
    }
}

/// The file as the specification says it.
fn expected(rows: &[Row], measure: &Measure, form: Form) -> String {
    let group_by = group_by(measure);
    let by: Vec<&str> = group_by.iter().map(String::as_str).collect();
    let everybody = by == ["population"];
    let mut groups: Vec<(Vec<String>, Vec<&Row>)> = Vec::new();
    if by.is_empty() {
        groups.extend(rows.iter().map(|row| (Vec::new(), vec![row])));
    } else if everybody {
        groups.push((Vec::new(), rows.iter().collect()));
    } else {
        let categorical = form != Form::Csv && by.contains(&"category");
        let values: Vec<BTreeSet<(i64, String)>> = by
            .iter()
            .map(|column| {
                let seen = rows.iter().filter_map(|row| cell(row, column, form));
                let all = (0..).zip(CATEGORIES).map(|(at, name)| (at, name.to_owned()));
                let whole_dictionary = form != Form::Csv && *column == "category" && !rows.is_empty();
                if whole_dictionary { seen.chain(all).collect() } else { seen.collect() }
            })
            .collect();
        let mut product: Vec<Vec<(i64, String)>> = vec![Vec::new()];
        for values in &values {
            product = product
                .iter()
                .flat_map(|head| values.iter().map(move |v| [head.clone(), vec![v.clone()]].concat()))
                .collect();
        }
        for tuple in product {
            let mine = |row: &&Row| {
                by.iter().zip(&tuple).all(|(column, value)| cell(row, column, form).as_ref() == Some(value))
            };
            let found: Vec<&Row> = rows.iter().filter(mine).collect();
            if form == Form::Csv || categorical || !found.is_empty() {
                groups.push((tuple.into_iter().map(|(_, text)| text).collect(), found));
            }
        }
    }
    let sums = |column: &str| -> Vec<i64> {
        groups.iter().map(|(_, rows)| rows.iter().map(|row| amount(row, column)).sum()).collect()
    };
    let fold = |numbers: Vec<i64>| match measure.small_number_suppression {
        true => emptied(&numbers),
        false => numbers.into_iter().map(Some).collect(),
    };
    let (above, below) = (fold(sums(&measure.numerator)), fold(sums(&measure.denominator)));
    let gone = |numbers: &[Option<i64>]| numbers.iter().any(Option::is_none);
    let mut header: Vec<String> = if everybody { vec![] } else { group_by.clone() };
    let mut names = vec![measure.numerator.clone(), measure.denominator.clone()];
    if everybody {
        names.push("population".to_owned());
    }
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    header.extend(distinct.clone());
    header.push("value".to_owned());
    let mut out = quoted(&header);
    for (at, (labels, members)) in groups.iter().enumerate() {
        let mut line = labels.clone();
        for name in &distinct {
            let (number, any) = if *name == measure.numerator {
                (above[at], gone(&above))
            } else if *name == measure.denominator {
                (below[at], gone(&below))
            } else {
                (Some(members.len() as i64), false)
            };
            line.push(printed(number, name, form, any));
        }
        line.push(match (above[at], below[at]) {
            (Some(0), Some(0)) | (None, _) | (_, None) => String::new(),
            (Some(_), Some(0)) => "inf".to_owned(),
            (Some(above), Some(below)) => float(above as f64 / below as f64),
        });
        out += &quoted(&line);
    }
    out
}

fn quoted(fields: &[String]) -> String {
    let quote = |field: &String| if field.contains(',') { format!("\"{field}\"") } else { field.clone() };
    fields.iter().map(quote).collect::<Vec<_>>().join(",") + "\n"
}

/// The rows as a typed file, some at a time.
struct Typed {
    columns: Vec<String>,
    rows: Vec<Row>,
    batch: usize,
}

impl PatientFile for Typed {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn cells(&self) -> Cells {
        Cells::Typed
    }

    fn read(&mut self, wanted: &[usize], each: &mut Each<'_>) -> Result<(), Fault> {
        for rows in self.rows.chunks(self.batch) {
            let array = |at: &usize| -> ArrayRef {
                match self.columns[*at].as_str() {
                    "text" => Arc::new(StringArray::from_iter(rows.iter().map(|row| row.text))),
                    "category" => {
                        let keys: Int8Array = rows.iter().map(|row| row.category.map(|at| at as i8)).collect();
                        Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(CATEGORIES.to_vec()))))
                    }
                    "whole" => Arc::new(rows.iter().map(|row| row.whole).collect::<Int64Array>()),
                    "flag_a" => Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.flags[0])))),
                    "flag_b" => Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.flags[1])))),
                    _ => Arc::new(rows.iter().map(|row| Some(row.amount)).collect::<Int64Array>()),
                }
            };
            let arrays: Vec<ArrayRef> = wanted.iter().map(array).collect();
            each(&arrays)?;
        }
        Ok(())
    }
}

const COLUMNS: [&str; 6] = ["text", "category", "whole", "flag_a", "flag_b", "amount"];

fn typed(rows: &[Row], batch: usize) -> Box<dyn PatientFile> {
    let columns = COLUMNS.map(str::to_owned).to_vec();
    Box::new(Typed { columns, rows: rows.to_vec(), batch })
}

fn text(rows: &[Row]) -> Box<dyn PatientFile> {
    let mut file = tempfile::tempfile().unwrap();
    writeln!(file, "{}", COLUMNS.join(",")).unwrap();
    for row in rows {
        let group = |column| cell(row, column, Form::Csv).unwrap().1;
        let flags = row.flags.map(i64::from);
        writeln!(
            file,
            "\"{}\",{},{},{},{},{}",
            group("text"),
            group("category"),
            group("whole"),
            flags[0],
            flags[1],
            row.amount
        )
        .unwrap();
    }
    std::io::Seek::rewind(&mut file).unwrap();
    Box::new(Table::open(file, Format::Csv, "input.csv".to_owned()).unwrap())
}

fn found(mut file: Box<dyn PatientFile>, measures: &[Measure], era: Era) -> Vec<String> {
    let groups = Groups::read(file.as_mut(), "input", measures).unwrap();
    let render = |measure: &Measure| {
        let outcome = groups.result(measure, "input").unwrap();
        String::from_utf8(write::render(&outcome, measure, groups.cells, era).0).unwrap()
    };
    measures.iter().map(render).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn measures_are_what_the_model_says(
        rows in proptest::collection::vec(row(), 1..40),
        measures in proptest::collection::vec(measure(), 1..5),
        batch in 1..20_usize,
    ) {
        let say = |form| measures.iter().map(|measure| expected(&rows, measure, form)).collect::<Vec<_>>();
        prop_assert_eq!(found(text(&rows), &measures, Era::Y2021), say(Form::Csv));
        for era in [Era::Y2021, Era::Y2022] {
            prop_assert_eq!(found(typed(&rows, batch), &measures, era), say(Form::Typed(era)));
        }
    }
}

/// Most drawn files are not trivial, or the property would show little.
#[test]
fn the_model_draws_what_matters() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut suppressed, mut several, mut missing) = (0, 0, 0);
    for _ in 0..300 {
        let rows = proptest::collection::vec(row(), 1..40).new_tree(&mut runner).unwrap().current();
        let measure = measure().new_tree(&mut runner).unwrap().current();
        let file = expected(&rows, &measure, Form::Typed(Era::Y2021));
        suppressed += i32::from(measure.small_number_suppression && file.contains(",,"));
        several += i32::from(group_by(&measure).len() > 1 && file.lines().count() > 3);
        missing +=
            i32::from(rows.iter().any(|row| row.whole.is_none()) && group_by(&measure).contains(&"whole".to_owned()));
    }
    assert!(suppressed > 30 && several > 50 && missing > 25, "{suppressed} {several} {missing}");
}
