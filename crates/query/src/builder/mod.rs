//! Makes a graph: one constructor per operation of warehouse.md 5.1; equal nodes become one.
//! Constructors never fail: what is wrong with a graph is told at once by [`crate::validate`].

mod dates;
mod frames;
mod numbers;
mod series;
mod text;

use std::collections::{BTreeMap, HashMap};

pub use frames::{Joined, SortKey, Then};

use crate::catalogue::Catalogue;
use crate::graph::{
    Codelist, Dataset, EventCounts, Frame, Graph, GroupedSum, NodeId, Op, Series, Ties, Universe, Variable,
};
use crate::validate::Shapes;
use crate::value::Type;

/// A graph in the making.
#[derive(Debug)]
pub struct Builder<'a> {
    catalogue: &'a Catalogue,
    shapes: Shapes<'a>,
    nodes: Vec<Op>,
    known: HashMap<Op, NodeId>,
    ties: Ties,
    universe: Universe,
    parameters: BTreeMap<String, Type>,
    codelists: BTreeMap<String, Codelist>,
    sources: BTreeMap<NodeId, String>,
    source: Option<String>,
    variables: Vec<Variable>,
    grouped_sums: Vec<GroupedSum>,
    event_counts: Vec<EventCounts>,
}

impl<'a> Builder<'a> {
    /// An empty graph over the tables of a catalogue. v1 studies: [`Ties::V1`], [`Universe::Patients`].
    pub fn new(catalogue: &'a Catalogue, ties: Ties, universe: Universe) -> Self {
        Builder {
            catalogue,
            shapes: Shapes::new(catalogue),
            nodes: Vec::new(),
            known: HashMap::new(),
            ties,
            universe,
            parameters: BTreeMap::new(),
            codelists: BTreeMap::new(),
            sources: BTreeMap::new(),
            source: None,
            variables: Vec::new(),
            grouped_sums: Vec::new(),
            event_counts: Vec::new(),
        }
    }

    /// Where in the study the nodes made from now on come from, as `file:line`. A node keeps the first place.
    pub fn at(&mut self, source: Option<String>) {
        self.source = source;
    }

    /// Names a series as a variable of the answer; hidden ones are checked, not delivered.
    pub fn variable(&mut self, name: impl Into<String>, series: Series, hidden: bool) {
        self.variables.push(Variable { name: name.into(), series, hidden });
    }

    /// Asks for sums over groups of patients, too.
    pub fn grouped_sum(&mut self, sum: GroupedSum) {
        self.grouped_sums.push(sum);
    }

    /// Asks for counts of rows, too.
    pub fn event_counts(&mut self, counts: EventCounts) {
        self.event_counts.push(counts);
    }

    /// The graph: one row for each patient of the universe for whom the population is TRUE.
    pub fn finish(mut self, population: Series) -> Graph {
        if self.ties == Ties::Ehrql {
            self.end_picks_by_selected_columns();
        }
        Graph {
            nodes: self.nodes,
            ties: self.ties,
            universe: self.universe,
            parameters: self.parameters,
            codelists: self.codelists,
            sources: self.sources,
            dataset: Dataset { population, variables: self.variables },
            grouped_sums: self.grouped_sums,
            event_counts: self.event_counts,
            catalogue: self.catalogue.sha256().to_owned(),
        }
    }

    /// Type of a series, as far as the graph is sound so far.
    pub fn type_of(&self, series: Series) -> Option<Type> {
        self.shapes.series(series).and_then(|s| s.kind)
    }

    /// The table, join, union or filter whose rows a series has values for; `None`: one value per patient.
    pub fn rows_of(&self, series: Series) -> Option<Frame> {
        self.shapes.series(series).and_then(|s| s.lineage).map(Frame)
    }

    /// Names of all columns of a frame in catalogue order; those of the right side of a join as `<name>.<column>`.
    pub fn columns(&self, frame: Frame) -> Vec<String> {
        self.shapes.frame(frame).map_or_else(Vec::new, |f| f.columns.iter().map(|c| c.name.clone()).collect())
    }

    pub(crate) fn frame(&mut self, op: Op) -> Frame {
        Frame(self.push(op))
    }

    pub(crate) fn series(&mut self, op: Op) -> Series {
        Series(self.push(op))
    }

    fn push(&mut self, op: Op) -> NodeId {
        if let Some(node) = self.known.get(&op) {
            return *node;
        }
        // a graph of more than 2^32 nodes would not fit in memory; validation refuses over a million
        let node = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.shapes.push(&op, &mut Vec::new());
        self.known.insert(op.clone(), node);
        self.nodes.push(op);
        if let Some(source) = &self.source {
            self.sources.insert(node, source.clone());
        }
        node
    }

    /// ehrQL: what decides between rows that its sorts leave equal is the columns that are selected from the pick.
    fn end_picks_by_selected_columns(&mut self) {
        let mut selected: HashMap<NodeId, Vec<String>> = HashMap::new();
        for op in &self.nodes {
            if let Op::Column { frame, column } = op {
                selected.entry(frame.0).or_default().push(column.clone());
            }
        }
        for (node, op) in (0..).map(NodeId).zip(&mut self.nodes) {
            if let Op::PickFirst { ties, .. } | Op::PickLast { ties, .. } = op {
                *ties = selected.remove(&node).unwrap_or_default();
                ties.sort();
                ties.dedup();
            }
        }
    }
}
