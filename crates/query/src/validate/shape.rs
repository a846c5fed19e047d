//! What is known of each node: of a frame its columns and lineage, of a series its type and the frame it belongs to.
//! Dimension rules: warehouse.md 5.1. A lineage is a table (or join, union, distinct) and one step per filter.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Code, Problem};
use crate::catalogue::Catalogue;
use crate::graph::{Frame, NodeId, Op, Series};
use crate::value::Type;

/// Longest chain of filters.
const LONGEST_LINEAGE: u32 = 1_000;

#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Frame(FrameShape),
    Series(SeriesShape),
    /// Faulty already; silent for all that rests on it.
    Broken,
}

#[derive(Debug, Clone)]
pub(crate) struct FrameShape {
    pub(crate) columns: Arc<[ColumnShape]>,
    /// Columns that are not listed may be asked for too; they are text.
    pub(crate) open: bool,
    /// `None`: one row per patient.
    pub(crate) lineage: Option<NodeId>,
    /// Rows that belong to no patient.
    pub(crate) reference: bool,
    pub(crate) sorted: bool,
    /// Joins on one another.
    pub(crate) joins: u32,
    pub(crate) label: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnShape {
    pub(crate) name: String,
    pub(crate) kind: Option<Type>,
}

#[derive(Debug, Clone)]
pub(crate) struct SeriesShape {
    pub(crate) kind: Option<Type>,
    pub(crate) set: bool,
    /// `None`: one value per patient.
    pub(crate) lineage: Option<NodeId>,
    /// Whether it depends on the patient, or is of a reference table or constant.
    pub(crate) patient: bool,
    pub(crate) reference: bool,
}

/// Shapes of the nodes so far.
#[derive(Debug)]
pub(crate) struct Shapes<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(crate) parameters: BTreeMap<String, Type>,
    shapes: Vec<Shape>,
    /// Of a filter, the lineage that it filters, with the length of the chain.
    parents: Vec<(Option<NodeId>, u32)>,
    /// Columns that joins have made so far.
    pub(super) joined_columns: usize,
}

pub(super) type Problems = Vec<Problem>;

impl<'a> Shapes<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue) -> Self {
        Shapes { catalogue, parameters: BTreeMap::new(), shapes: Vec::new(), parents: Vec::new(), joined_columns: 0 }
    }

    /// Adds the next node of the arena, telling what is wrong with it.
    pub(crate) fn push(&mut self, op: &Op, problems: &mut Problems) {
        let node = NodeId(u32::try_from(self.shapes.len()).unwrap_or(u32::MAX));
        self.parents.push((None, 0));
        let shape = if op.is_frame() {
            self.frame_shape(node, op, problems).map(Shape::Frame)
        } else {
            self.series_shape(op, problems).map(Shape::Series)
        };
        self.shapes.push(shape.unwrap_or(Shape::Broken));
    }

    pub(crate) fn frame(&self, frame: Frame) -> Option<&FrameShape> {
        match self.shapes.get(frame.0.0 as usize) {
            Some(Shape::Frame(shape)) => Some(shape),
            _ => None,
        }
    }

    pub(crate) fn series(&self, series: Series) -> Option<&SeriesShape> {
        match self.shapes.get(series.0.0 as usize) {
            Some(Shape::Series(shape)) => Some(shape),
            _ => None,
        }
    }

    /// A frame that must be there; a series in its place is D304.
    pub(super) fn need_frame(
        &self,
        frame: Frame,
        argument: &'static str,
        problems: &mut Problems,
    ) -> Option<FrameShape> {
        if let Some(shape) = self.frame(frame) {
            return Some(shape.clone());
        }
        self.misplaced(frame.0, argument, "frame", problems);
        None
    }

    /// A series that must be there; a frame in its place is D304.
    pub(super) fn need_series(
        &self,
        series: Series,
        argument: &'static str,
        problems: &mut Problems,
    ) -> Option<SeriesShape> {
        if let Some(shape) = self.series(series) {
            return Some(shape.clone());
        }
        self.misplaced(series.0, argument, "series", problems);
        None
    }

    fn misplaced(&self, node: NodeId, argument: &'static str, wanted: &str, problems: &mut Problems) {
        if !matches!(self.shapes.get(node.0 as usize), Some(Shape::Broken)) {
            problems.push(Problem::new(Code::D304, argument, format!("node {} is no {wanted} made before", node.0)));
        }
    }

    /// A column of a frame by its name in any case or by its second name.
    pub(crate) fn column(&self, frame: Frame, name: &str) -> Option<ColumnShape> {
        let shape = self.frame(frame)?;
        let find = |name: &str| shape.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name)).cloned();
        let alias = || {
            let (before, last) = name.rfind('.').map_or(("", name), |at| name.split_at(at + 1));
            find(&format!("{before}{}", self.catalogue.alias(last)?))
        };
        let open = || shape.open.then(|| ColumnShape { name: name.to_owned(), kind: Some(Type::Str) });
        find(name).or_else(alias).or_else(open)
    }

    /// A column that must be there; else D305 with the nearest names.
    pub(super) fn need_column(
        &self,
        frame: Frame,
        name: &str,
        argument: &'static str,
        problems: &mut Problems,
    ) -> Option<ColumnShape> {
        let found = self.column(frame, name).filter(|c| c.name == name || self.frame(frame).is_some_and(|f| f.open));
        if found.is_none() {
            let shape = self.frame(frame)?;
            let near = nearest(name, shape.columns.iter().map(|c| c.name.as_str()));
            problems.push(Problem::new(Code::D305, argument, format!("{} has no column {name}{near}", shape.label)));
        }
        found
    }

    pub(super) fn adopt(&mut self, child: NodeId, parent: NodeId, problems: &mut Problems) {
        let length = self.parents.get(parent.0 as usize).map_or(0, |p| p.1) + 1;
        if length > LONGEST_LINEAGE {
            problems.push(Problem::new(Code::D309, "frame", format!("over {LONGEST_LINEAGE} filters on one another")));
        }
        if let Some(entry) = self.parents.get_mut(child.0 as usize) {
            *entry = (Some(parent), length);
        }
    }

    /// Whether a lineage is a prefix of another: the same rows or more.
    pub(super) fn prefix(&self, prefix: NodeId, of: NodeId) -> bool {
        let mut at = Some(of);
        for _ in 0..=LONGEST_LINEAGE {
            match at {
                Some(node) if node == prefix => return true,
                Some(node) => at = self.parents.get(node.0 as usize).and_then(|p| p.0),
                None => return false,
            }
        }
        false
    }

    /// The label of the frame that begins or filters a lineage.
    pub(super) fn label(&self, lineage: NodeId) -> &str {
        self.frame(Frame(lineage)).map_or("a table", |f| &f.label)
    }
}

/// "; did you mean X or Y?", or nothing.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let lower = name.to_ascii_lowercase();
    let score = |other: &str| strsim::jaro_winkler(&lower, &other.to_ascii_lowercase());
    let mut near: Vec<(f64, &str)> = names.map(|n| (score(n), n)).filter(|(s, _)| *s > 0.8).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = near.into_iter().take(2).map(|(_, n)| n).collect();
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) }
}
