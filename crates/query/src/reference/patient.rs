//! One patient and one binding: what each node is, found when it is first asked for.
//! Only what is asked for is computed, so a fault counts only where it is reached.

use std::collections::BTreeSet;
use std::rc::Rc;

use foldhash::{HashMap, HashSet};

use super::frames::Row;
use super::prepare::{Access, Prepared};
use super::{RunCode, RunFault};
use crate::graph::{Collation, Frame, NodeId, Op, Series};
use crate::value::Value;

pub(super) type Found<T> = Result<T, RunFault>;
/// Rows of a frame, in its order.
pub(super) type Held<'a> = Rc<[Rc<Row<'a>>]>;
/// A set with the form in which it is looked in.
pub(super) type Set = Rc<HashSet<Value>>;

pub(crate) struct Patient<'a> {
    pub(super) prepared: &'a Prepared<'a>,
    pub(super) id: i64,
    values: Vec<Option<Value>>,
    frames: Vec<Option<Held<'a>>>,
    /// Values of rows that several nodes read.
    cells: HashMap<(NodeId, *const Row<'a>), Value>,
    pub(super) sets: HashMap<(NodeId, Collation), Set>,
    /// Sets that are equal for all patients.
    pub(super) constants: HashMap<(NodeId, Collation), Set>,
    /// Frames that belong to nobody, and their rows by key.
    pub(super) references: HashMap<NodeId, Held<'a>>,
    pub(super) indexes: HashMap<NodeId, HashMap<Vec<Value>, Vec<usize>>>,
    /// By node; equal for all patients.
    pub(super) links: HashMap<NodeId, super::links::Links>,
    doubts: BTreeSet<NodeId>,
    /// Rows that joins and unions have made.
    pub(super) made: usize,
}

impl<'a> Patient<'a> {
    pub(super) fn new(prepared: &'a Prepared<'a>) -> Self {
        Patient {
            prepared,
            id: 0,
            values: Vec::new(),
            frames: Vec::new(),
            cells: HashMap::default(),
            sets: HashMap::default(),
            constants: HashMap::default(),
            references: HashMap::default(),
            indexes: HashMap::default(),
            links: HashMap::default(),
            doubts: BTreeSet::new(),
            made: 0,
        }
    }

    /// Forgets the patient before.
    pub(super) fn begin(&mut self, id: i64) {
        let nodes = self.prepared.graph.len();
        self.id = id;
        self.values.clear();
        self.values.resize(nodes, None);
        self.cells.clear();
        self.frames.clear();
        self.frames.resize(nodes, None);
        self.sets.clear();
        self.doubts.clear();
        self.made = 0;
    }

    /// Nodes without a value because the result is out of range.
    pub(super) fn doubts(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.doubts.iter().copied()
    }

    /// NULL for a result that is out of range (D501).
    pub(super) fn doubt(&mut self, node: NodeId) -> Value {
        self.doubts.insert(node);
        Value::Null
    }

    /// A variable of the answer; a fault on the way gets its name.
    pub(crate) fn variable(&mut self, name: &str, series: Series) -> Found<Value> {
        self.value(series, None).map_err(|fault| RunFault { variable: Some(name.to_owned()), ..fault })
    }

    pub(super) fn stop<T>(&self, code: RunCode, node: NodeId, message: impl Into<String>) -> Found<T> {
        let source_line = self.prepared.graph.source(node).map(str::to_owned);
        Err(RunFault { node: Some(node), source_line, ..RunFault::new(code, message) })
    }

    pub(super) fn unsound<T>(&self, node: NodeId) -> Found<T> {
        self.stop(RunCode::D304, node, format!("node {} is not valid", node.0))
    }

    /// Rows of a frame.
    pub(crate) fn rows(&mut self, frame: Frame) -> Found<Held<'a>> {
        let at = frame.0.0 as usize;
        if let Some(Some(rows)) = self.frames.get(at) {
            return Ok(Rc::clone(rows));
        }
        let reference = self.prepared.facts.get(at).is_some_and(|f| f.reference);
        let known = if reference { self.references.get(&frame.0).cloned() } else { None };
        let rows = match known {
            Some(rows) => rows,
            None => self.make_rows(frame)?,
        };
        if reference {
            self.references.insert(frame.0, Rc::clone(&rows));
        }
        if let Some(slot) = self.frames.get_mut(at) {
            *slot = Some(Rc::clone(&rows));
        }
        Ok(rows)
    }

    /// Value of a series for a row, or for the patient.
    pub(crate) fn value(&mut self, series: Series, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        let node = series.0;
        let Some(facts) = self.prepared.facts.get(node.0 as usize).copied() else { return self.unsound(node) };
        if facts.lineage.is_none() {
            if let Some(Some(value)) = self.values.get(node.0 as usize) {
                return Ok(value.clone());
            }
            let value = self.compute(node, None)?;
            self.values[node.0 as usize] = Some(value.clone());
            return Ok(value);
        }
        let Some(held) = row else { return self.unsound(node) };
        if !facts.shared {
            return self.compute(node, row);
        }
        let key = (node, Rc::as_ptr(held));
        if let Some(value) = self.cells.get(&key) {
            return Ok(value.clone());
        }
        let value = self.compute(node, row)?;
        self.cells.insert(key, value.clone());
        Ok(value)
    }

    fn compute(&mut self, node: NodeId, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        let graph = self.prepared.graph;
        let Some(op) = graph.op(node) else { return self.unsound(node) };
        match op {
            Op::Value { value } => Ok(value.clone()),
            Op::Null { .. } => Ok(Value::Null),
            Op::Parameter { name } => Ok(self.prepared.bindings.get(name).cloned().unwrap_or(Value::Null)),
            Op::Column { frame, .. } => self.column(node, *frame, row),
            Op::Exists { frame } => Ok(Value::Bool(!self.rows(*frame)?.is_empty())),
            Op::Count { frame } => {
                let rows = self.rows(*frame)?.len();
                Ok(i64::try_from(rows).map_or(Value::Null, Value::Int))
            }
            Op::Sample { percent } => Ok(Value::Bool(sampled(self.id, percent))),
            Op::Aggregate { .. }
            | Op::OneValue { .. }
            | Op::CountEpisodes { .. }
            | Op::MostFrequent { .. }
            | Op::SumOfGroupMax { .. } => self.aggregate(node, op),
            Op::Compare { .. }
            | Op::And { .. }
            | Op::Or { .. }
            | Op::Not { .. }
            | Op::IsNull { .. }
            | Op::In { .. }
            | Op::Case { .. }
            | Op::Coalesce { .. }
            | Op::Extreme { .. } => self.truth(node, op, row),
            Op::Arithmetic { .. } | Op::Neg { .. } | Op::Abs { .. } | Op::Cast { .. } | Op::RoundHalfAway { .. } => {
                self.number(node, op, row)
            }
            Op::Find { .. } | Op::Concat { .. } | Op::Replace { .. } | Op::Trim { .. } | Op::KnownParts { .. } => {
                self.text(node, op, row)
            }
            Op::Linked { .. } => self.linked(node, op, row),
            Op::DateAdd { .. }
            | Op::Difference { .. }
            | Op::YearBoundariesBetween { .. }
            | Op::DatePart { .. }
            | Op::PeriodEdge { .. }
            | Op::Day { .. } => self.date(node, op, row),
            _ => self.unsound(node),
        }
    }

    /// A cell of the row, or of the only row of the frame; NULL when there is none.
    fn column(&mut self, node: NodeId, frame: Frame, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        let prepared = self.prepared;
        let Some(Some(access)) = prepared.columns.get(node.0 as usize) else { return self.unsound(node) };
        if prepared.facts.get(node.0 as usize).is_some_and(|f| f.lineage.is_some()) {
            return Ok(row.map_or(Value::Null, |row| row.cell(access)));
        }
        let rows = self.rows(frame)?;
        if rows.len() > 1 {
            return self.stop(RunCode::D511, node, "a patient has more than one row where one is expected");
        }
        Ok(rows.first().map_or(Value::Null, |row| row.cell(access)))
    }
}

/// By a hash of the id alone, so that a sample is the same on every run, date and machine: the id, mixed by the
/// finalizer of splitmix64, as a fraction of 2^53, is below the share.
fn sampled(id: i64, percent: &Value) -> bool {
    let mut hash = id.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit in a double")]
    let fraction = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    matches!(percent, Value::Float(percent) if fraction * 100.0 < *percent)
}

impl Row<'_> {
    /// The cell at the end of a way; NULL in the missing right side of a pair.
    pub(super) fn cell(&self, access: &Access) -> Value {
        match (self, access) {
            (Row::Stored(cells), Access::Cell(at)) => cells.get(*at).cloned().unwrap_or(Value::Null),
            (Row::Made(cells), Access::Cell(at)) => cells.get(*at).cloned().unwrap_or(Value::Null),
            (Row::Pair(left, _), Access::Left(access)) => left.cell(access),
            (Row::Pair(_, Some(right)), Access::Right(access)) => right.cell(access),
            _ => Value::Null,
        }
    }
}
