//! What is asked for besides rows of patients: sums over groups of them, and counts of rows (warehouse.md 5.6).
//! Measures and reports of codes need no row of any patient.

use serde::{Deserialize, Serialize};

use super::{Frame, NodeId, Series};

/// A series with the name of its column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Name of the column.
    pub name: String,
    /// Its values.
    pub series: Series,
}

/// Sums by group over the patients of the population whose denominator is TRUE or above 0; other patients are in no group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupedSum {
    /// Told apart by it.
    pub name: String,
    /// One value per patient each; NULL is a group. None: one group of all.
    pub group_by: Vec<Named>,
    /// Bool, int or float per patient; NULL adds nothing.
    pub numerators: Vec<Named>,
    /// The same kinds.
    pub denominator: Series,
}

/// Rows of a frame by group, or the different ones among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventCounts {
    /// Told apart by it.
    pub name: String,
    /// Whose rows.
    pub frame: Frame,
    /// Rows of one patient that are equal in all of these count once; none: every row counts.
    pub distinct: Vec<Series>,
    /// One value per row, or per patient, each; NULL is a group. None: one group of all.
    pub group_by: Vec<Named>,
    /// Bool per patient: whose rows count where it is TRUE. The population does not matter.
    pub patients: Series,
}

impl GroupedSum {
    /// The nodes that it needs.
    pub(crate) fn needs(&self) -> impl Iterator<Item = NodeId> {
        let named = self.group_by.iter().chain(&self.numerators).map(|named| named.series);
        named.chain([self.denominator]).map(NodeId::from)
    }
}

impl EventCounts {
    /// The nodes that it needs.
    pub(crate) fn needs(&self) -> impl Iterator<Item = NodeId> {
        let groups = self.group_by.iter().map(|named| named.series);
        let series = self.distinct.iter().copied().chain(groups).chain([self.patients]);
        series.map(NodeId::from).chain([self.frame.0])
    }
}
