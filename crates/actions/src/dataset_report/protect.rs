//! Protection inside one file: no hidden count may follow from the others (actions.md 5.2).
//! Every table of a page counts the same rows, so what is shown in one bounds what is hidden in all.

use super::rounding::{LEAST_SHOWN, Range, SMALL, of_shown};

/// A hidden count must be one of at least so many numbers.
const FEWEST: u64 = 4;

/// What the page tells of one count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// Rounded.
    Shown(u64),
    /// Hidden because it is small.
    Small,
    /// Hidden so that others cannot be worked out.
    Guard,
    /// Not a count of the page, but the page tells that it lies there; may be withheld, which tells nothing.
    Between(Range),
}

impl Told {
    const fn range(self) -> Range {
        match self {
            Self::Shown(rounded) => of_shown(rounded),
            Self::Small => SMALL,
            // A reader may guess which of the hidden counts are small.
            Self::Guard => Range::new(LEAST_SHOWN, u64::MAX),
            Self::Between(range) => range,
        }
    }

    /// The count as the page has it.
    pub(super) const fn shown(self) -> Option<u64> {
        match self {
            Self::Shown(rounded) => Some(rounded),
            _ => None,
        }
    }

    const fn is_hidden(self) -> bool {
        matches!(self, Self::Small | Self::Guard)
    }

    /// What is left of it to hide; the smallest goes first.
    fn open(self) -> Option<u64> {
        match self {
            Self::Shown(rounded) => Some(rounded),
            Self::Between(range) if range != Range::ANY => Some(u64::MAX),
            _ => None,
        }
    }

    fn hide(&mut self) {
        *self = if matches!(self, Self::Between(_)) { Self::Between(Range::ANY) } else { Self::Guard };
    }
}

/// The counts of one table: together they are all rows of the file.
pub(super) type Cells = Vec<Told>;

/// The sum of the counts of a table: the smallest and the largest it can be.
#[derive(Debug, Clone, Copy)]
struct Sum {
    low: u64,
    /// Of the counts that have a largest.
    high: u64,
    /// How many have none.
    endless: usize,
}

impl Sum {
    fn of(cells: &[Told]) -> Self {
        let none = Self { low: 0, high: 0, endless: 0 };
        cells.iter().map(|cell| cell.range()).fold(none, |sum, cell| Self {
            low: sum.low.saturating_add(cell.low),
            high: if cell.high == u64::MAX { sum.high } else { sum.high.saturating_add(cell.high) },
            endless: sum.endless + usize::from(cell.high == u64::MAX),
        })
    }

    const fn range(self) -> Range {
        Range::new(self.low, if self.endless > 0 { u64::MAX } else { self.high })
    }

    /// The sum of all counts but one of them.
    const fn without(self, cell: Range) -> Range {
        let mine = cell.high == u64::MAX;
        let high = match (self.endless, mine) {
            (0, _) => self.high.saturating_sub(cell.high),
            (1, true) => self.high,
            _ => u64::MAX,
        };
        Range::new(self.low.saturating_sub(cell.low), high)
    }
}

/// What a reader learns about a count from its table and the rows of the file.
fn learnt(cell: Told, sum: Sum, rows: Range) -> Range {
    let others = sum.without(cell.range());
    let high = if rows.high == u64::MAX { u64::MAX } else { rows.high.saturating_sub(others.low) };
    cell.range().and(Range::new(rows.low.saturating_sub(others.high), high))
}

/// Which end of the rows makes a count too narrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Low,
    High,
}

/// A hidden count of a table that is one of too few numbers, if any, and through which end of the rows.
fn narrow(cells: &[Told], rows: Range) -> Option<End> {
    let sum = Sum::of(cells);
    cells.iter().filter(|cell| cell.is_hidden()).find_map(|cell| {
        let (own, learnt) = (cell.range(), learnt(*cell, sum, rows));
        (learnt.len() < FEWEST).then(|| if learnt.high < own.high { End::High } else { End::Low })
    })
}

/// Hides more counts until none that is hidden can be confined to fewer than four numbers; says whether it hid any.
/// `rows` is what the page tells about the number of rows apart from its tables.
///
/// The next count to go is the smallest of the same table; when it has none left, the smallest of the table that tells
/// most about the rows. It depends on nothing but what the page would show.
pub(super) fn protect(tables: &mut [Cells], rows: Range) -> bool {
    let mut hid = false;
    let mut totals: Vec<Range> = tables.iter().map(|cells| Sum::of(cells).range()).collect();
    for at in 0..tables.len() {
        loop {
            let known = totals.iter().fold(rows, |known, total| known.and(*total));
            let Some(end) = tables.get(at).and_then(|cells| narrow(cells, known)) else { break };
            let Some(from) = to_open(tables, &totals, at, known, end) else { break };
            let (Some(cells), Some(total_of)) = (tables.get_mut(from), totals.get_mut(from)) else { break };
            if let Some(cell) = cells.iter_mut().filter(|cell| cell.open().is_some()).min_by_key(|cell| cell.open()) {
                cell.hide();
            }
            *total_of = Sum::of(cells).range();
            hid = true;
        }
    }
    hid
}

/// The table of which a count is hidden next: the one itself, or one that bounds the rows at that end.
fn to_open(tables: &[Cells], totals: &[Range], at: usize, known: Range, end: End) -> Option<usize> {
    let can_open = |table: usize| tables.get(table).is_some_and(|cells| cells.iter().any(|cell| cell.open().is_some()));
    if can_open(at) {
        return Some(at);
    }
    let binds = |total: &Range| match end {
        End::Low => total.low == known.low,
        End::High => total.high == known.high,
    };
    (0..tables.len()).find(|table| can_open(*table) && totals.get(*table).is_some_and(binds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rounding::{of_rounded_rows, round_rows, shown};
    use super::*;

    /// What a page shows of these counts before protection.
    fn told(counts: &[u64]) -> Cells {
        counts.iter().map(|count| shown(*count).map_or(Told::Small, Told::Shown)).collect()
    }

    fn after(tables: &[&[u64]]) -> (Vec<Cells>, bool) {
        let mut cells: Vec<Cells> = tables.iter().map(|counts| told(counts)).collect();
        let rows = tables.first().map_or(0, |counts| counts.iter().sum());
        let hid = protect(&mut cells, of_rounded_rows(round_rows(rows)));
        (cells, hid)
    }

    #[test]
    fn one_hidden_count_beside_a_rounded_one_is_safe_alone() {
        // 84: shown 80 or hidden; rows are 51 to 149, so the hidden count may be any of 1 to 7.
        assert_eq!(after(&[&[81, 3]]), (vec![vec![Told::Shown(80), Told::Small]], false));
    }

    #[test]
    fn another_column_tells_the_rows_and_so_the_hidden_count() {
        // Column b: 93 to 97 rows. Column a: 88 to 92 and the hidden one, which is therefore at most 9 and at least 1.
        assert_eq!(after(&[&[91, 4], &[95]]).1, false);
        // Column a: 88 to 92; the rows are 88 to 92 by column b: the hidden count is 1 to 4.
        assert_eq!(after(&[&[90, 2], &[92]]).1, false);
        // Column a: 83 to 87 and a hidden one; the rows are 88 to 92: the hidden count is 1 to 7.
        assert_eq!(after(&[&[85, 4], &[89]]).1, false);
        // Column a: 78 to 82 and a hidden one; the rows are 88 to 92: it is 6 or 7. So 80 is hidden too.
        let (tables, hid) = after(&[&[82, 6], &[88]]);
        assert_eq!((tables, hid), (vec![vec![Told::Guard, Told::Small], vec![Told::Shown(90)]], true));
    }

    #[test]
    fn the_smallest_count_of_the_column_goes_first() {
        // Two pairs 40 + 40: 76 to 84, rows by the second column 88 to 92: the hidden one is 4 to 7. Safe.
        assert_eq!(after(&[&[42, 42, 4], &[88]]).1, false);
        // 38..42 + 23..27 = 61..69 and a hidden one; rows by the second column 73..77: 4 to 7. Safe.
        assert_eq!(after(&[&[42, 27, 7], &[76]]).1, false);
        // 38..42 + 18..22: 56..64; rows 68..72: it is 4 to 7; with rows 73..77 it would be 9: cannot be.
        // One count 60: 58..62; rows 68..72: 6, 7.
        assert_eq!(
            after(&[&[62, 6], &[38, 30], &[68]]).0,
            vec![vec![Told::Guard, Told::Small], vec![Told::Shown(40), Told::Shown(30)], vec![Told::Shown(70)]]
        );
        // 58..62 twice: 116..124; rows 128..132: the hidden one is 4 to 7. Safe.
        assert_eq!(after(&[&[7, 62, 62], &[131]]).1, false);
    }

    #[test]
    fn fewer_rows_than_50_are_known_and_count_too() {
        // 48 or more of at most 50: the hidden one is 1 or 2.
        assert_eq!(after(&[&[48, 1]]), (vec![vec![Told::Guard, Told::Small]], true));
    }

    #[test]
    fn when_a_column_has_nothing_left_the_one_that_tells_the_rows_gives_way() {
        // 13 to 17 rows by the second column: 7 + 6 can only be 6 or 7 each.
        let (tables, hid) = after(&[&[7, 6], &[13]]);
        assert_eq!((tables, hid), (vec![vec![Told::Small; 2], vec![Told::Guard]], true));
    }

    #[test]
    fn what_is_told_beside_counts_can_be_withheld() {
        // At least 100 values are there, rows by the second column 98 to 102: 1 or 2 are missing.
        let rows = of_rounded_rows(100);
        let mut tables = vec![vec![Told::Small, Told::Between(Range::new(100, u64::MAX))], vec![Told::Shown(100)]];
        assert!(protect(&mut tables, rows));
        assert_eq!(tables, vec![vec![Told::Small, Told::Between(Range::ANY)], vec![Told::Shown(100)]]);
    }

    /// Every number that a hidden count can be, by trying all counts of all tables that the page allows.
    fn candidates(tables: &[Cells], rows: Range, table: usize, cell: usize) -> usize {
        const MOST: u64 = 160;
        // For every table the sums it can have, by trying; of the one in question with the cell set.
        let sums = |cells: &[Told], set: Option<(usize, u64)>| -> Vec<bool> {
            let mut can = vec![false; MOST as usize + 1];
            can[0] = true;
            for (at, told) in cells.iter().enumerate() {
                let range = match set {
                    Some((cell, value)) if cell == at => Range::new(value, value),
                    _ => told.range(),
                };
                let mut next = vec![false; can.len()];
                for (sum, _) in can.iter().enumerate().filter(|(_, can)| **can) {
                    for value in range.low..=range.high.min(MOST) {
                        if let Some(to) = next.get_mut(sum + value as usize) {
                            *to = true;
                        }
                    }
                }
                can = next;
            }
            can
        };
        let own = tables[table][cell].range();
        let others: Vec<Vec<bool>> =
            (0..tables.len()).filter(|at| *at != table).map(|at| sums(&tables[at], None)).collect();
        (own.low..=own.high.min(MOST))
            .filter(|value| {
                let mine = sums(&tables[table], Some((cell, *value)));
                (rows.low..=rows.high.min(MOST)).any(|n| mine[n as usize] && others.iter().all(|sums| sums[n as usize]))
            })
            .count()
    }

    /// Tables of two or three counts of one number of rows.
    fn tables() -> impl Strategy<Value = Vec<Vec<u64>>> {
        (1_u64..140).prop_flat_map(|rows| {
            let small = 0..=rows.min(9);
            let one = prop_oneof![
                Just(vec![rows]),
                (0..=rows).prop_map(move |a| vec![a, rows - a]),
                small.clone().prop_map(move |a| vec![a, rows - a]),
                (small.clone(), small).prop_map(move |(a, b)| vec![a, b.min(rows - a), rows - a - b.min(rows - a)]),
            ];
            prop::collection::vec(one.prop_map(|counts| counts.into_iter().filter(|c| *c > 0).collect()), 1..5)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_hidden_count_is_one_of_fewer_than_four(counts in tables()) {
            let rows: u64 = counts[0].iter().sum();
            let known = of_rounded_rows(round_rows(rows));
            let before: Vec<Cells> = counts.iter().map(|counts| told(counts)).collect();
            let mut page = before.clone();
            let hid = protect(&mut page, known);
            prop_assert_eq!(hid, page != before);
            for (table, cells) in page.iter().enumerate() {
                for (cell, told) in cells.iter().enumerate() {
                    // Nothing that is small is shown again, and what is shown is what was.
                    match (told, before[table][cell]) {
                        (Told::Guard, Told::Shown(_)) => {}
                        (now, then) => prop_assert_eq!(*now, then),
                    }
                    if told.is_hidden() {
                        let found = candidates(&page, known, table, cell);
                        prop_assert!(found >= 4, "table {table} cell {cell}: {found} candidates in {page:?}");
                    }
                }
            }
        }

        #[test]
        fn what_the_arithmetic_learns_is_what_trying_finds(counts in tables()) {
            let rows: u64 = counts[0].iter().sum();
            let page: Vec<Cells> = counts.iter().map(|counts| told(counts)).collect();
            let known = of_rounded_rows(round_rows(rows));
            let all = page.iter().fold(known, |known, cells| known.and(Sum::of(cells).range()));
            for (table, cells) in page.iter().enumerate() {
                for (cell, told) in cells.iter().enumerate() {
                    let learnt = learnt(*told, Sum::of(cells), all);
                    prop_assert_eq!(learnt.len() as usize, candidates(&page, known, table, cell));
                    prop_assert!((learnt.low..=learnt.high).contains(&counts[table][cell]));
                }
            }
        }
    }
}
