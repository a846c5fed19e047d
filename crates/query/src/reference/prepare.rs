//! What is found out about a graph once, before the first patient: where each column lies, which nodes have a value per
//! row, which rows belong to nobody. Nodes only refer to earlier ones, so one pass does.

use std::collections::BTreeSet;

use super::Bindings;
use super::{RunCode, RunFault};
use crate::graph::{Frame, Graph, NodeId, Op, Universe};
use crate::tables::Tables;
use crate::validate::{DEPTH, depths};

pub(super) struct Prepared<'a> {
    pub(super) graph: &'a Graph,
    pub(super) tables: &'a Tables,
    pub(super) bindings: &'a Bindings,
    pub(super) depth: u32,
    pub(super) facts: Vec<Facts>,
    /// Of each column node its cell.
    pub(super) columns: Vec<Option<Access>>,
}

/// What holds of a node for every patient.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    /// The frame whose rows it has a value for; `None`: one value, or one row, per patient.
    pub(super) lineage: Option<NodeId>,
    /// Rows that belong to nobody.
    pub(super) reference: bool,
    /// Read by more than one node.
    pub(super) shared: bool,
}

/// Way from a row to a cell.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// Cell of a stored or made row.
    Cell(usize),
    /// In the left row of a pair.
    Left(Box<Access>),
    /// In the right row of a pair.
    Right(Box<Access>),
    /// The table is not there, so it has no row; or the column is not, and nobody needs it.
    Nowhere,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(graph: &'a Graph, tables: &'a Tables, bindings: &'a Bindings) -> Result<Self, RunFault> {
        for (name, kind) in graph.parameters() {
            let given = bindings.get(name);
            if !given.is_some_and(|v| v.is_null() || v.kind() == Some(*kind)) {
                return Err(RunFault::unsound(format!("the binding gives no {kind} for {name}")));
            }
        }
        let depth = depths(graph).iter().map(|d| d.1).max().unwrap_or(0);
        if depth > DEPTH {
            return Err(RunFault::unsound(format!("nodes lie {depth} deep, at most {DEPTH} are taken")));
        }
        let mut prepared = Prepared { graph, tables, bindings, depth, facts: Vec::new(), columns: Vec::new() };
        let mut lost = BTreeSet::new();
        let mut seen = vec![false; graph.len()];
        for (node, op) in graph.nodes() {
            for child in op.children() {
                match seen.get_mut(child.0 as usize) {
                    Some(known) if child < node => {
                        // a cell is as quickly read as remembered
                        if std::mem::replace(known, true) && !matches!(graph.op(child), Some(Op::Column { .. })) {
                            prepared.facts[child.0 as usize].shared = true;
                        }
                    }
                    _ => return Err(RunFault::unsound(format!("node {} reads a later one", node.0))),
                }
            }
            let facts = prepared.facts_of(node, op);
            prepared.facts.push(facts);
            prepared.columns.push(None);
        }
        for (node, needed) in (0..).map(NodeId).zip(graph.needed()) {
            let Some(op) = graph.op(node) else { continue };
            let mut absent = BTreeSet::new();
            prepared.locate(node, op, if needed { &mut lost } else { &mut absent })?;
        }
        if lost.is_empty() {
            return Ok(prepared);
        }
        let lost: Vec<String> = lost.into_iter().collect();
        Err(RunFault::new(RunCode::D305, format!("not supplied: {}", lost.join(", "))))
    }

    fn facts_of(&self, node: NodeId, op: &Op) -> Facts {
        let of = |node: NodeId| self.facts[node.0 as usize];
        let many = |yes: bool| yes.then_some(node);
        let (lineage, reference) = match op {
            Op::Table { table } => {
                let nobody = self.tables.table(table).is_some_and(crate::tables::Indexed::belongs_to_nobody);
                (many(table != self.tables.universe()), nobody)
            }
            Op::Inline(_) | Op::PickFirst { .. } | Op::PickLast { .. } | Op::OneRow { .. } => (None, false),
            Op::Filter { frame, .. } | Op::Distinct { frame } => {
                (many(of(frame.0).lineage.is_some()), of(frame.0).reference)
            }
            Op::Sort { frame, .. } | Op::Column { frame, .. } => (of(frame.0).lineage, of(frame.0).reference),
            Op::Join { left, right, .. } => {
                (many(of(left.0).lineage.is_some() || of(right.0).lineage.is_some()), false)
            }
            Op::Union { branches, .. } => (many(true), branches.first().is_some_and(|b| of(b.frame.0).reference)),
            Op::Exists { .. } | Op::Count { .. } | Op::Aggregate { .. } | Op::OneValue { .. } => (None, false),
            Op::CountEpisodes { .. } | Op::MostFrequent { .. } | Op::SumOfGroupMax { .. } => (None, false),
            Op::Linked { of: series, .. } => (of(series.0).lineage, false),
            _ => (op.children().into_iter().find_map(|c| of(c).lineage), false),
        };
        Facts { lineage, reference, shared: false }
    }

    /// Finds the cell of a column, and the columns by which rows are joined or picked.
    fn locate(&mut self, node: NodeId, op: &Op, lost: &mut BTreeSet<String>) -> Result<(), RunFault> {
        match op {
            Op::Column { frame, column } => {
                self.columns[node.0 as usize] = Some(self.access(*frame, column)?.unwrap_or_else(|missing| {
                    lost.insert(missing);
                    Access::Nowhere
                }));
            }
            Op::Join { left, right, on, .. } => {
                for pair in on {
                    lost.extend(self.access(*left, &pair.left)?.err());
                    lost.extend(self.access(*right, &pair.right)?.err());
                }
            }
            Op::Linked { frame, id, previous, .. } => {
                for column in [id, previous] {
                    lost.extend(self.access(*frame, column)?.err());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The cell of a column in the rows of a frame; the inner error names a column that was not supplied.
    pub(super) fn access(&self, frame: Frame, column: &str) -> Result<Result<Access, String>, RunFault> {
        let unsound = || RunFault::unsound(format!("node {} is no frame that has a column {column}", frame.0.0));
        let (mut at, mut name) = (frame, column);
        // from the outermost pair inwards: true is right
        let mut turns = Vec::new();
        let cell = loop {
            match self.graph.op(at).ok_or_else(unsound)? {
                Op::Table { table } => match self.tables.table(table) {
                    None => break Access::Nowhere,
                    Some(rows) => match rows.column(name) {
                        Some(cell) => break Access::Cell(cell),
                        None => return Ok(Err(format!("{table}.{name}"))),
                    },
                },
                Op::Inline(file) => match self.tables.inline(file) {
                    None => return Ok(Err(file.file.clone())),
                    Some(rows) => match rows.column(name) {
                        Some(cell) => break Access::Cell(cell),
                        None => return Ok(Err(format!("{}: {name}", file.file))),
                    },
                },
                Op::Union { columns, .. } => {
                    break Access::Cell(columns.iter().position(|c| c == name).ok_or_else(unsound)?);
                }
                Op::Join { left, right, name: side, .. } => {
                    match name.strip_prefix(side.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                        Some(rest) => {
                            turns.push(true);
                            (at, name) = (*right, rest);
                        }
                        None => {
                            turns.push(false);
                            at = *left;
                        }
                    }
                }
                Op::Filter { frame, .. } | Op::Sort { frame, .. } | Op::Distinct { frame } => at = *frame,
                Op::PickFirst { frame, .. } | Op::PickLast { frame, .. } | Op::OneRow { frame } => at = *frame,
                _ => return Err(unsound()),
            }
        };
        let wrap = |inner, right| if right { Access::Right(Box::new(inner)) } else { Access::Left(Box::new(inner)) };
        Ok(Ok(turns.into_iter().rev().fold(cell, wrap)))
    }

    /// The patients asked about, ids ascending (warehouse.md 5.1).
    pub(super) fn universe(&self) -> BTreeSet<i64> {
        if self.graph.universe() == Universe::Patients {
            return self.tables.ids(self.tables.universe());
        }
        let mut ids = BTreeSet::new();
        let mut open = vec![self.graph.dataset.population.0];
        let mut seen = BTreeSet::new();
        while let Some(node) = open.pop() {
            let Some(op) = self.graph.op(node).filter(|_| seen.insert(node)) else { continue };
            if let Op::Table { table } = op {
                ids.extend(self.tables.ids(table));
            }
            open.extend(op.children());
        }
        ids
    }
}
