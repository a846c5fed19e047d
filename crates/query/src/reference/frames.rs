//! Frames: which rows a patient has, in which order (warehouse.md 5.1, 5.5).
//! Rows are shared, never copied: a filter or a sort holds the rows of the frame beneath.

use std::rc::Rc;

use foldhash::{HashMap, HashSet};

use super::patient::{Found, Held, Patient};
use super::prepare::Access;
use super::truth::plain;
use crate::graph::{Direction, Frame, JoinKind, NodeId, On, Op, Series};
use crate::run_code::RunCode;
use crate::value::Value;

/// Rows that joins and unions may make of one patient.
const ROWS: usize = 1_000_000;

/// One row.
#[derive(Debug)]
pub(crate) enum Row<'a> {
    /// Of a table or a file, where it stands.
    Stored(&'a [Value]),
    /// Of a union.
    Made(Vec<Value>),
    /// Of a join; no right side for a left row without match.
    Pair(Rc<Row<'a>>, Option<Rc<Row<'a>>>),
}

impl<'a> Patient<'a> {
    pub(super) fn make_rows(&mut self, frame: Frame) -> Found<Held<'a>> {
        let node = frame.0;
        let graph = self.prepared.graph;
        let Some(op) = graph.op(node) else { return self.unsound(node) };
        match op {
            Op::Table { table } => {
                let Some(table) = self.prepared.tables.table(table) else { return Ok(Rc::from([])) };
                let stored = &table.rows.rows;
                if table.belongs_to_nobody() {
                    return Ok(stored.iter().map(|cells| Rc::new(Row::Stored(cells))).collect());
                }
                Ok(table.of(self.id).iter().map(|at| Rc::new(Row::Stored(&stored[*at]))).collect())
            }
            Op::Inline(file) => {
                let Some(file) = self.prepared.tables.inline(file) else { return Ok(Rc::from([])) };
                let places = file.of(self.id);
                if places.len() > 1 {
                    return self.stop(RunCode::D511, node, "a patient stands more than once in the file");
                }
                Ok(places.iter().map(|at| Rc::new(Row::Stored(&file.rows.rows[*at]))).collect())
            }
            Op::Filter { frame, condition } => {
                let mut kept = Vec::new();
                for row in self.rows(*frame)?.iter() {
                    if self.value(*condition, Some(row))?.is_true() {
                        kept.push(Rc::clone(row));
                    }
                }
                Ok(kept.into())
            }
            Op::Sort { frame, by, direction } => {
                let rows = self.rows(*frame)?;
                self.sorted(&rows, &[(*by, *direction)], &[])
            }
            Op::PickFirst { frame, ties } | Op::PickLast { frame, ties } => {
                let rows = self.rows(*frame)?;
                let mut access = Vec::new();
                for column in ties {
                    // a tie column that was not supplied decides nothing
                    access.extend(self.prepared.access(*frame, column)?.ok());
                }
                let sorted = self.sorted(&rows, &self.sorts(*frame), &access)?;
                let end = if matches!(op, Op::PickFirst { .. }) { sorted.first() } else { sorted.last() };
                Ok(end.cloned().into_iter().collect())
            }
            Op::OneRow { frame } => {
                let rows = self.rows(*frame)?;
                if rows.len() > 1 {
                    return self.stop(RunCode::D511, node, "a patient has more than one row where one is expected");
                }
                Ok(rows)
            }
            Op::Join { left, right, on, kind, .. } => self.joined(node, *left, *right, on, *kind),
            Op::Union { branches, .. } => {
                let mut made = Vec::new();
                for branch in branches {
                    for row in self.rows(branch.frame)?.iter() {
                        let cells: Found<Vec<Value>> =
                            branch.values.iter().map(|value| self.value(*value, Some(row))).collect();
                        made.push(Rc::new(Row::Made(cells?)));
                        self.room(node)?;
                    }
                }
                Ok(made.into())
            }
            Op::Distinct { frame } => {
                let mut seen = HashSet::default();
                let rows = self.rows(*frame)?;
                Ok(rows.iter().filter(|row| seen.insert(row.cells())).cloned().collect())
            }
            _ => self.unsound(node),
        }
    }

    /// Joins and unions multiply rows: a hostile graph ends here, not with the memory.
    fn room(&mut self, node: NodeId) -> Found<()> {
        self.made += 1;
        if self.made > ROWS {
            return self.stop(RunCode::D309, node, format!("joins and unions make over {ROWS} rows of one patient"));
        }
        Ok(())
    }

    /// The keys of the sorts beneath a pick, the last applied first.
    fn sorts(&self, frame: Frame) -> Vec<(Series, Direction)> {
        let mut keys = Vec::new();
        let mut at = frame;
        loop {
            match self.prepared.graph.op(at) {
                Some(Op::Sort { frame, by, direction }) => {
                    keys.push((*by, *direction));
                    at = *frame;
                }
                Some(Op::Filter { frame, .. }) => at = *frame,
                _ => return keys,
            }
        }
    }

    /// Rows by keys, then by cells ascending, then as they were.
    fn sorted(&mut self, rows: &Held<'a>, keys: &[(Series, Direction)], ties: &[Access]) -> Found<Held<'a>> {
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            let values: Found<Vec<Value>> = keys.iter().map(|(by, _)| self.value(*by, Some(row))).collect();
            let ties: Vec<Value> = ties.iter().map(|access| row.cell(access)).collect();
            keyed.push((values?, ties, Rc::clone(row)));
        }
        keyed.sort_by(|a, b| {
            let by_key = |at: usize, direction: Direction| match direction {
                Direction::Asc => a.0[at].order(&b.0[at]),
                Direction::Desc => b.0[at].order(&a.0[at]),
            };
            let mut orders = keys.iter().enumerate().map(|(at, (_, direction))| by_key(at, *direction));
            let keys = orders.find(|order| order.is_ne());
            let mut ties = a.1.iter().zip(&b.1).map(|(a, b)| a.order(b));
            keys.or_else(|| ties.find(|order| order.is_ne())).unwrap_or(std::cmp::Ordering::Equal)
        });
        Ok(keyed.into_iter().map(|(_, _, row)| row).collect())
    }

    fn joined(&mut self, node: NodeId, left: Frame, right: Frame, on: &[On], kind: JoinKind) -> Found<Held<'a>> {
        let rights = self.rows(right)?;
        let mut ways = (Vec::new(), Vec::new());
        for pair in on {
            ways.0.extend(self.prepared.access(left, &pair.left)?.ok());
            ways.1.extend(self.prepared.access(right, &pair.right)?.ok());
        }
        let nobody = self.prepared.facts.get(right.0.0 as usize).is_some_and(|f| f.reference);
        let index = match self.indexes.remove(&node) {
            Some(index) => index,
            None => by_key(&rights, &ways.1),
        };
        let mut pairs = Vec::new();
        for row in self.rows(left)?.iter() {
            let places = key(row, &ways.0).and_then(|key| index.get(&key));
            for place in places.into_iter().flatten() {
                pairs.push(Rc::new(Row::Pair(Rc::clone(row), Some(Rc::clone(&rights[*place])))));
                self.room(node)?;
            }
            if places.is_none() && kind == JoinKind::Left {
                pairs.push(Rc::new(Row::Pair(Rc::clone(row), None)));
            }
        }
        if nobody {
            self.indexes.insert(node, index);
        }
        Ok(pairs.into())
    }
}

/// Places of rows by their key, in row order.
fn by_key(rows: &Held<'_>, ways: &[Access]) -> HashMap<Vec<Value>, Vec<usize>> {
    let mut index: HashMap<Vec<Value>, Vec<usize>> = HashMap::default();
    for (at, row) in rows.iter().enumerate() {
        if let Some(key) = key(row, ways) {
            index.entry(key).or_default().push(at);
        }
    }
    index
}

/// What a row is joined by; NULL joins nothing.
fn key(row: &Row<'_>, ways: &[Access]) -> Option<Vec<Value>> {
    let key: Vec<Value> = ways.iter().map(|access| plain(row.cell(access))).collect();
    (!key.iter().any(Value::is_null)).then_some(key)
}

impl Row<'_> {
    /// All cells, for the question whether two rows are equal.
    fn cells(&self) -> Vec<Value> {
        match self {
            Row::Stored(cells) => cells.iter().cloned().map(plain).collect(),
            Row::Made(cells) => cells.iter().cloned().map(plain).collect(),
            Row::Pair(left, right) => {
                let mut cells = left.cells();
                // a missing right side differs from one whose cells are NULL only where nobody can see it
                if let Some(right) = right {
                    cells.extend(right.cells());
                }
                cells
            }
        }
    }
}
