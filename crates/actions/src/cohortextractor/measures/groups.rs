//! Patients of one file put into groups, for every measure at once, in one pass over the file.
//! Measures with the same `group_by` share their groups (study-definitions.md 11).

use std::collections::{BTreeSet, HashMap};

use arrow_array::ArrayRef;
use study::model::{Measure, MeasureGroups};

use crate::fault::{Exit, Fault, FaultCode};

use super::keys::{Keys, MISSING};
use super::number::Number;
use super::sums::{NoNumber, Sums};
use super::table::{Cells, PatientFile};

/// The column of ones.
pub(crate) const POPULATION: &str = "population";

/// Most rows of one measure for one date; a product of many columns soon means nothing.
const MOST_ROWS: u64 = 20_000_000;

/// The columns of a file that a measure needs.
pub(crate) fn needed(measure: &Measure) -> BTreeSet<&str> {
    let by: &[String] = if let MeasureGroups::Columns(columns) = &measure.groups { columns } else { &[] };
    let columns = by.iter().chain([&measure.numerator, &measure.denominator]);
    columns.map(String::as_str).filter(|name| *name != POPULATION).collect()
}

/// One set of groups and the sums over them.
struct Set {
    grouping: MeasureGroups,
    /// Codes of the group columns; the place is the group.
    tuples: Vec<Box<[u32]>>,
    /// Group of each combination, one map for each column after the first.
    pairs: Vec<HashMap<(u32, u32), u32, foldhash::fast::RandomState>>,
    /// By column.
    sums: Vec<(String, Sums)>,
}

/// The labels of rows, and the group of each; `None`: nobody is in it.
type Labelled = (Vec<Vec<String>>, Vec<Option<u32>>);

/// All groups of one file.
pub(crate) struct Groups {
    keys: Vec<(String, Keys)>,
    sets: Vec<Set>,
    rows: u64,
    pub(crate) cells: Cells,
}

impl Groups {
    /// Reads the file once.
    pub(crate) fn read(file: &mut dyn PatientFile, what: &str, measures: &[Measure]) -> Result<Self, Fault> {
        let columns: BTreeSet<&str> = measures.iter().flat_map(needed).collect();
        let mut wanted = Vec::new();
        for name in &columns {
            wanted.extend(file.columns().iter().position(|column| column == name));
        }
        let mut groups = Self::start(measures, file.cells());
        let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
        // Nothing but `population` is asked for: the first column tells how many rows there are.
        if wanted.is_empty() {
            wanted.push(0);
        }
        file.read(&wanted, &mut |arrays| groups.add(&columns, arrays, what))?;
        Ok(groups)
    }

    fn start(measures: &[Measure], cells: Cells) -> Self {
        let mut keys: Vec<(String, Keys)> = Vec::new();
        let mut sets: Vec<Set> = Vec::new();
        for measure in measures {
            let grouping = measure.groups.clone();
            if let MeasureGroups::Columns(columns) = &grouping {
                for column in columns {
                    if !keys.iter().any(|(known, _)| known == column) {
                        keys.push((column.clone(), Keys::default()));
                    }
                }
            }
            let at = sets.iter().position(|set| set.grouping == grouping).unwrap_or_else(|| {
                let more = if let MeasureGroups::Columns(columns) = &grouping { columns.len() - 1 } else { 0 };
                let pairs = (0..more).map(|_| HashMap::default()).collect();
                sets.push(Set { grouping, tuples: Vec::new(), pairs, sums: Vec::new() });
                sets.len() - 1
            });
            if let Some(set) = sets.get_mut(at) {
                for column in [&measure.numerator, &measure.denominator] {
                    if !set.sums.iter().any(|(known, _)| known == column) {
                        set.sums.push((column.clone(), Sums::default()));
                    }
                }
            }
        }
        Self { keys, sets, rows: 0, cells }
    }

    fn add(&mut self, columns: &[String], arrays: &[ArrayRef], what: &str) -> Result<(), Fault> {
        let rows = arrays.first().map_or(0, |array| array.len());
        let array = |name: &str| columns.iter().position(|column| column == name).and_then(|at| arrays.get(at));
        let mut codes: Vec<(&str, Vec<u32>)> = Vec::with_capacity(self.keys.len());
        for (name, keys) in &mut self.keys {
            let found = match array(name) {
                Some(array) => keys.codes(array),
                None => Ok(keys.constant(1, rows)),
            };
            let found = found.map_err(|kind| cannot_group(what, name, &kind))?;
            codes.push((name, found));
        }
        for set in &mut self.sets {
            let groups = set.groups(&codes, self.rows, rows);
            for (column, sums) in &mut set.sums {
                match array(column) {
                    Some(array) => {
                        sums.add(&groups, array, self.cells).map_err(|why| no_number(what, column, self.rows, &why))?
                    }
                    None => sums.add_ones(&groups),
                }
            }
        }
        self.rows += rows as u64;
        Ok(())
    }

    /// The rows of a measure before suppression: labels of its groups, numerator, denominator.
    pub(crate) fn result(&self, measure: &Measure, what: &str) -> Result<Outcome<'_>, Fault> {
        let grouping = measure.groups.clone();
        let set = self.sets.iter().find(|set| set.grouping == grouping);
        let sums =
            |column: &str| set.and_then(|set| set.sums.iter().find(|(known, _)| known == column)).map(|(_, s)| s);
        let (Some(set), Some(numerator), Some(denominator)) =
            (set, sums(&measure.numerator), sums(&measure.denominator))
        else {
            return Ok(Outcome {
                labels: Vec::new(),
                groups: Vec::new(),
                patients: 0,
                numerator: None,
                denominator: None,
            });
        };
        let (labels, groups) = match &grouping {
            MeasureGroups::Patient => (Vec::new(), (0..self.rows).map(|row| u32::try_from(row).ok()).collect()),
            MeasureGroups::Population => (Vec::new(), vec![Some(0)]),
            MeasureGroups::Columns(columns) => self.labelled(set, columns, what)?,
        };
        Ok(Outcome { labels, groups, patients: self.rows, numerator: Some(numerator), denominator: Some(denominator) })
    }

    /// The rows of a set in the order of their labels.
    fn labelled(&self, set: &Set, columns: &[String], what: &str) -> Result<Labelled, Fault> {
        let keys: Vec<&Keys> = columns
            .iter()
            .filter_map(|name| self.keys.iter().find(|(known, _)| known == name).map(|(_, k)| k))
            .collect();
        let orders: Vec<Vec<u32>> = keys.iter().map(|keys| keys.ordered()).collect();
        let known: HashMap<&[u32], u32> = (0..).zip(&set.tuples).map(|(group, tuple)| (&**tuple, group)).collect();
        let every = self.cells == Cells::Text || keys.iter().any(|keys| keys.is_categorical());
        let mut rows: Vec<(Vec<u32>, Option<u32>)> = Vec::new();
        if every {
            let count = orders.iter().fold(1_u64, |count, order| count.saturating_mul(order.len() as u64));
            if count > MOST_ROWS {
                let message =
                    format!("{what}: {} together have more than {MOST_ROWS} combinations", columns.join(", "));
                let fault = Fault::new(FaultCode::TooLarge, Exit::Data, message);
                return Err(fault.help("group by fewer columns, or by columns with fewer values"));
            }
            let mut at = vec![0_usize; orders.len()];
            for _ in 0..count {
                let tuple: Vec<u32> =
                    orders.iter().zip(&at).filter_map(|(order, at)| order.get(*at).copied()).collect();
                let group = known.get(tuple.as_slice()).copied();
                rows.push((tuple, group));
                for (place, order) in at.iter_mut().zip(&orders).rev() {
                    *place += 1;
                    if *place < order.len() {
                        break;
                    }
                    *place = 0;
                }
            }
        } else {
            let rank = |order: &[u32]| {
                let mut rank = vec![0_usize; order.len()];
                for (place, code) in order.iter().enumerate() {
                    rank[*code as usize] = place;
                }
                rank
            };
            let ranks: Vec<Vec<usize>> = orders.iter().map(|order| rank(order)).collect();
            rows.extend((0..).zip(&set.tuples).map(|(group, tuple)| (tuple.to_vec(), Some(group))));
            rows.sort_by_cached_key(|(tuple, _)| {
                tuple.iter().zip(&ranks).map(|(code, rank)| rank.get(*code as usize).copied()).collect::<Vec<_>>()
            });
        }
        let label = |tuple: &[u32]| tuple.iter().zip(&keys).map(|(code, keys)| keys.label(*code)).collect();
        Ok(rows.into_iter().map(|(tuple, group)| (label(&tuple), group)).unzip())
    }
}

impl Set {
    /// The group of each row; `MISSING` where a group column is.
    fn groups(&mut self, codes: &[(&str, Vec<u32>)], before: u64, rows: usize) -> Vec<u32> {
        let columns = match &self.grouping {
            MeasureGroups::Patient => {
                let first = u32::try_from(before).unwrap_or(MISSING);
                return (0..rows).map(|row| first.saturating_add(u32::try_from(row).unwrap_or(MISSING))).collect();
            }
            MeasureGroups::Population => return vec![0; rows],
            MeasureGroups::Columns(columns) => columns,
        };
        let of = |name: &String| codes.iter().find(|(known, _)| known == name).map(|(_, codes)| codes.as_slice());
        let columns: Vec<&[u32]> = columns.iter().filter_map(of).collect();
        let Some((first, others)) = columns.split_first() else { return vec![MISSING; rows] };
        if others.is_empty() {
            let known = first.iter().filter(|code| **code != MISSING).max().map_or(0, |code| code + 1);
            for code in u32::try_from(self.tuples.len()).unwrap_or(MISSING)..known {
                self.tuples.push(Box::new([code]));
            }
            return first.to_vec();
        }
        let mut groups = first.to_vec();
        let last = others.len() - 1;
        for (at, (codes, pairs)) in others.iter().zip(&mut self.pairs).enumerate() {
            for (row, (group, code)) in groups.iter_mut().zip(*codes).enumerate() {
                if *group == MISSING || *code == MISSING {
                    *group = MISSING;
                    continue;
                }
                let next = u32::try_from(pairs.len()).unwrap_or(MISSING);
                *group = *pairs.entry((*group, *code)).or_insert_with(|| {
                    if at == last {
                        let tuple = columns.iter().map(|codes| codes.get(row).copied().unwrap_or(MISSING));
                        self.tuples.push(tuple.collect());
                    }
                    next
                });
            }
        }
        groups
    }
}

/// The rows of one measure.
pub(crate) struct Outcome<'a> {
    /// Empty when the measure has no group columns.
    pub(crate) labels: Vec<Vec<String>>,
    groups: Vec<Option<u32>>,
    patients: u64,
    pub(crate) numerator: Option<&'a Sums>,
    pub(crate) denominator: Option<&'a Sums>,
}

impl Outcome<'_> {
    /// Rows of the file.
    pub(crate) fn patients(&self) -> u64 {
        self.patients
    }

    pub(crate) fn numbers(&self, sums: Option<&Sums>) -> Vec<Option<Number>> {
        self.groups.iter().map(|group| sums.map(|sums| sums.of(*group))).collect()
    }
}

fn cannot_group(what: &str, column: &str, kind: &str) -> Fault {
    let message = format!("{what}: column {column} is of the type {kind}, which cannot be grouped by");
    Fault::new(FaultCode::Study("SD701"), Exit::Data, message).help("group by text, numbers, dates or truth values")
}

fn no_number(what: &str, column: &str, before: u64, why: &NoNumber) -> Fault {
    let message = match why {
        // The value itself may tell about a patient.
        NoNumber::Cell { row, empty } => {
            let line = before + *row as u64 + 2;
            let cell = if *empty { "is empty" } else { "is not a number" };
            format!("{what}: row {line} of column {column} {cell}, so the column cannot be summed")
        }
        NoNumber::Type(kind) => format!("{what}: column {column} is of the type {kind}, which cannot be summed"),
    };
    let fault = Fault::new(FaultCode::Study("SD704"), Exit::Data, message);
    fault.help("numerator and denominator of a measure are columns of numbers or of 0 and 1")
}
