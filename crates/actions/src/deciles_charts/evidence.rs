//! How many practices stand behind each line of a table, for the disclosure checks alone (actions.md 9).
//! Kept small until all results have their names: many measures are made before that.

use std::io;
use std::path::{Path, PathBuf};

use crate::evidence::{CSV, Cell, MOST_CELLS, Made, Rule, Shown, Unit, Writer};
use crate::staged::Whole;

use super::options::Options;
use super::table::Deciles;

/// The column of the values.
const VALUE: u64 = 3;

/// A result that is whole but for its name.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) whole: Whole,
    pub(super) path: PathBuf,
    /// Of its bytes, where evidence is wanted.
    pub(super) hash: Option<io::Result<String>>,
}

/// What is known of a measure.
#[derive(Debug, Default)]
pub(super) struct Known {
    unit: Option<Unit>,
    minimum: u64,
    /// By date: values, and values that were left out.
    groups: Vec<(u64, u64)>,
    /// By line of the table.
    blanks: Vec<bool>,
    /// By line of the table, people.
    people: Vec<Option<u64>>,
    table: Option<PathBuf>,
    images: Vec<PathBuf>,
}

impl Known {
    pub(super) fn of_measure(deciles: &Deciles, options: &Options, done: &[Done]) -> Self {
        let (tables, images) = done.iter().map(|done| done.path.clone()).partition::<Vec<_>, _>(|path| is_table(path));
        Self {
            unit: Some(deciles.unit),
            minimum: options.config.minimum_groups,
            groups: deciles.groups.clone(),
            blanks: deciles.blanks().collect(),
            people: deciles.people.clone(),
            table: tables.into_iter().next(),
            images,
        }
    }

    /// What is known of one of the measure's results. Pictures have no cells; they say which file holds their numbers.
    pub(super) fn of(&self, path: &Path, writer: &Writer) -> Made {
        let mut made = Made::of(self.unit.unwrap_or(Unit::Groups));
        if self.minimum > 0 {
            made.rules.push(Rule::MinimumGroups { n: self.minimum });
        }
        if let Some(table) = &self.table {
            let images = self.images.iter().filter(|image| is_table(path) || *image == path);
            made.figures = images.filter_map(|image| writer.figure(image, table)).collect();
        }
        if is_table(path) {
            made.cells = self.cells();
        }
        made
    }

    fn cells(&self) -> Vec<Cell> {
        let width = self.blanks.len().checked_div(self.groups.len()).unwrap_or(0);
        let groups = self.groups.iter().flat_map(|groups| std::iter::repeat_n(*groups, width));
        let people = self.people.iter().copied().chain(std::iter::repeat(None));
        let lines = (1..).zip(groups.zip(&self.blanks).zip(people)).take(MOST_CELLS + 1);
        let cells = lines.map(|(row, (((n_groups, dropped), blank), n))| {
            let shown = if *blank { Shown::Hidden } else { Shown::Position };
            Cell { n, n_groups: Some(n_groups), n_missing: Some(dropped), ..Cell::at(CSV, row, VALUE, shown) }
        });
        cells.collect()
    }
}

fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "csv")
}
