//! The people behind each number of a report, for the disclosure checks alone (actions.md 9).
//! Cells are numbered as their lines stand in the files; all numbers there are exact.

use crate::evidence::{CSV, Cell, MOST_CELLS, Made, Shown, Unit};

use super::count::{People, Report};
use super::write::File;

/// What is known of one of the files.
pub(crate) fn of(file: File, report: &Report) -> Made {
    let nobody = People::default();
    let people = report.people.as_ref().unwrap_or(&nobody);
    let (unit, organisation_level) = match file {
        File::PerCode => (Unit::Events, false),
        File::PerWeek => (Unit::Events, true),
        File::ListSizes => (Unit::Patients, true),
        File::Patients => (Unit::Patients, false),
    };
    let cells = match file {
        File::PerCode => column(2, report.per_code.keys().map(|code| people.per_code.get(code).copied())),
        File::PerWeek => {
            let weeks = || report.weeks().into_iter().flatten();
            let lines = report.per_week.keys().flat_map(|practice| {
                let counts = people.per_week.get(practice);
                weeks().map(move |week| counts.and_then(|counts| counts.get(&week)).copied())
            });
            column(3, lines)
        }
        File::ListSizes => column(2, report.list_sizes.keys().map(|practice| people.list_sizes.get(practice).copied())),
        File::Patients => column(1, std::iter::once(Some(report.patients))),
    };
    Made { organisation_level, cells, ..Made::of(unit) }
}

/// A column of numbers, line by line; one more than a sidecar may have is enough to tell that there are too many.
fn column(col: u64, people: impl Iterator<Item = Option<u64>>) -> Vec<Cell> {
    let lines = (1..).zip(people).take(MOST_CELLS + 1);
    lines.map(|(row, n)| Cell::of(CSV, (row, col), n.unwrap_or(0), Shown::Exact)).collect()
}
