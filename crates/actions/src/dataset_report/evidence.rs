//! The true counts behind a page, for the disclosure checks alone (actions.md 9).
//! Tables are numbered as they stand on the page; the first column of each is that of the labels.

use std::borrow::Cow;

use crate::evidence::{Cell, Made, Rule, Shown, Unit};

use super::protect::Told;
use super::report::{Body, Deciles, Report, Section};
use super::rounding::{BASE, HIDE};
use super::survey::{Counted, Numbers, Survey, Values};

/// Where the sizes stand in the summary.
const SIZE: u64 = 2;
const COUNT: u64 = 2;
const PERCENTAGE: u64 = 3;
const DECILE: u64 = 2;

/// What is known of a page.
pub(super) fn of(survey: &Survey, report: &Report) -> Made {
    let sizes = if report.manner.original { Shown::Exact } else { Shown::Rounded };
    let summary = (1..).zip(&survey.columns);
    let mut cells: Vec<Cell> =
        summary.map(|(row, _)| Cell::of(Cow::Borrowed("table[1]"), (row, SIZE), survey.rows, sizes)).collect();
    let told = survey.columns.iter().filter_map(|column| column.told.as_ref());
    let mut number = 2;
    for (counted, section) in told.zip(&report.sections) {
        let table = format!("table[{number}]");
        let before = cells.len();
        match counted {
            Counted::Values(values) => counts(values, section, &table, &mut cells),
            Counted::Numbers(numbers) => deciles(numbers, section, &table, &mut cells),
        }
        // A section without rows has no table on the page.
        number += u64::from(cells.len() > before);
    }
    let rules = vec![Rule::Round { base: BASE }, Rule::HideAtMost { n: HIDE }];
    Made { rules, cells, ..Made::of(Unit::Patients) }
}

fn counts(values: &Values, section: &Section, table: &str, cells: &mut Vec<Cell>) {
    let rows = || (1..).zip(values.rows.iter().zip(&section.cells));
    let shown = rows().filter(|(_, (_, told))| told.shown().is_some());
    let base: u64 = shown.map(|(_, ((_, count), _))| count).sum();
    for (row, ((_, count), told)) in rows() {
        let (how, percentage) = match told {
            Told::Shown(_) => (Shown::Rounded, Shown::Derived),
            Told::Guard => (Shown::HiddenSecond, Shown::HiddenSecond),
            Told::Small | Told::Between(_) => (Shown::Hidden, Shown::Hidden),
        };
        cells.push(Cell::of(named(table), (row, COUNT), *count, how));
        let percentage = Cell::of(named(table), (row, PERCENTAGE), *count, percentage);
        // A hidden percentage has no base: it was never made.
        cells.push(match told.shown() {
            Some(_) => Cell { numerator: Some(*count), denominator: Some(base), ..percentage },
            None => percentage,
        });
    }
}

fn deciles(numbers: &Numbers, section: &Section, table: &str, cells: &mut Vec<Cell>) {
    let Body::Numbers { deciles: Deciles::Shown(shown), .. } = &section.body else { return };
    cells.extend((1..).zip(shown).map(|(row, _)| Cell {
        n_missing: Some(numbers.missing),
        ..Cell::of(named(table), (row, DECILE), numbers.present, Shown::Position)
    }));
}

fn named(table: &str) -> Cow<'static, str> {
    Cow::Owned(table.to_owned())
}
