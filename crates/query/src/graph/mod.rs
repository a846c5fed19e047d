//! A question about patients as an arena of hash-consed nodes; a node only refers to earlier ones, so there is no cycle.
//! Built by [`crate::Builder`] or read by [`Graph::from_json`]; checked by [`crate::validate`].

mod children;
mod needed;
mod op;
mod totals;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use op::*;
pub use totals::*;

use crate::catalogue::Catalogue;
use crate::value::Type;

/// A node by its place in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// A node that is a frame: some rows per patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Frame(pub NodeId);

/// A node that is a series: one value per patient, or per row of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Series(pub NodeId);

impl From<Frame> for NodeId {
    fn from(frame: Frame) -> Self {
        frame.0
    }
}

impl From<Series> for NodeId {
    fn from(series: Series) -> Self {
        series.0
    }
}

/// How picks end where their keys are equal (warehouse.md 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ties {
    /// By the keys as lowered, then row order.
    V1,
    /// By the columns selected from the pick, by name.
    Ehrql,
    /// By all columns in catalogue order.
    Table,
}

/// Which patients are asked about (warehouse.md 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Universe {
    /// Rows of the catalogue's patient table.
    Patients,
    /// Patients with a row in any table that the population reads.
    Population,
}

/// A list of codes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codelist {
    /// Coding system as the study names it.
    pub system: String,
    /// Codes, ordered and without repeats.
    pub items: Vec<String>,
}

/// One variable of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Name of the column.
    pub name: String,
    /// One value per patient.
    pub series: Series,
    /// Hidden ones are checked, not delivered.
    pub hidden: bool,
}

/// What is delivered: a row for each patient whose population is TRUE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Bool per patient.
    pub population: Series,
    /// In delivery order.
    pub variables: Vec<Variable>,
}

/// A whole question.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    pub(crate) nodes: Vec<Op>,
    pub(crate) ties: Ties,
    pub(crate) universe: Universe,
    pub(crate) parameters: BTreeMap<String, Type>,
    pub(crate) codelists: BTreeMap<String, Codelist>,
    pub(crate) sources: BTreeMap<NodeId, String>,
    pub(crate) dataset: Dataset,
    pub(crate) grouped_sums: Vec<GroupedSum>,
    pub(crate) event_counts: Vec<EventCounts>,
    pub(crate) catalogue: String,
}

impl Graph {
    /// The operation of a node, if there is such a node.
    pub fn op(&self, node: impl Into<NodeId>) -> Option<&Op> {
        self.nodes.get(node.into().0 as usize)
    }

    /// All nodes; each refers only to earlier ones.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Op)> {
        (0..).map(NodeId).zip(&self.nodes)
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How picks end.
    pub fn ties(&self) -> Ties {
        self.ties
    }

    /// Which patients.
    pub fn universe(&self) -> Universe {
        self.universe
    }

    /// Names and types that each binding must give.
    pub fn parameters(&self) -> &BTreeMap<String, Type> {
        &self.parameters
    }

    /// Lists of codes by the sha256 of their canonical JSON.
    pub fn codelists(&self) -> &BTreeMap<String, Codelist> {
        &self.codelists
    }

    /// `file:line` of the study that a node comes from.
    pub fn source(&self, node: impl Into<NodeId>) -> Option<&str> {
        self.sources.get(&node.into()).map(String::as_str)
    }

    /// What is delivered.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Sums over groups of patients.
    pub fn grouped_sums(&self) -> &[GroupedSum] {
        &self.grouped_sums
    }

    /// Counts of rows.
    pub fn event_counts(&self) -> &[EventCounts] {
        &self.event_counts
    }

    /// Every node that something asked for names, with the name of what names it; a node may come several times.
    pub(crate) fn roots(&self) -> impl Iterator<Item = (&str, NodeId)> {
        let data = &self.dataset;
        let variables = data.variables.iter().map(|v| (v.name.as_str(), v.series.0));
        let sums = self.grouped_sums.iter().flat_map(|sum| sum.needs().map(|node| (sum.name.as_str(), node)));
        let counts =
            self.event_counts.iter().flat_map(|counts| counts.needs().map(|node| (counts.name.as_str(), node)));
        variables.chain([("population", data.population.0)]).chain(sums).chain(counts)
    }

    /// The files of the study that are read, each once.
    pub fn inlines(&self) -> Vec<&Inline> {
        let mut found: Vec<&Inline> = self
            .nodes
            .iter()
            .filter_map(|op| match op {
                Op::Inline(inline) => Some(inline),
                _ => None,
            })
            .collect();
        found.sort();
        found.dedup();
        found
    }

    /// The tables of the catalogue that are read, each once.
    pub fn tables(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .nodes
            .iter()
            .filter_map(|op| match op {
                Op::Table { table } => Some(table.as_str()),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The permissions that a run over real data needs, each with the tables it is for (warehouse.md 9).
    pub fn permissions<'a>(&'a self, catalogue: &'a Catalogue) -> BTreeMap<&'a str, Vec<&'a str>> {
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in self.tables() {
            if let Some(permission) = catalogue.table(name).and_then(|table| table.permission.as_deref()) {
                found.entry(permission).or_default().push(name);
            }
        }
        found
    }
}
