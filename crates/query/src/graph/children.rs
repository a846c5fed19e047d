//! Which nodes a node refers to, in the order in which they are read.
//! The one list that walks of a graph rest on: validation, depth, serialised form.

use crate::graph::{NodeId, Op};

impl Op {
    /// The nodes it refers to.
    pub fn children(&self) -> Vec<NodeId> {
        match self {
            Op::Table { .. } | Op::Inline(_) | Op::Value { .. } | Op::Null { .. } | Op::Values { .. } => Vec::new(),
            Op::Codelist { .. } | Op::Parameter { .. } | Op::Sample { .. } => Vec::new(),
            Op::Filter { frame, condition } => vec![frame.0, condition.0],
            Op::Sort { frame, by, .. } => vec![frame.0, by.0],
            Op::PickFirst { frame, .. } | Op::PickLast { frame, .. } | Op::OneRow { frame } => vec![frame.0],
            Op::Distinct { frame } | Op::Column { frame, .. } | Op::Exists { frame } | Op::Count { frame } => {
                vec![frame.0]
            }
            Op::Join { left, right, .. } => vec![left.0, right.0],
            Op::Union { branches, .. } => {
                branches.iter().flat_map(|b| std::iter::once(b.frame.0).chain(b.values.iter().map(|v| v.0))).collect()
            }
            Op::Aggregate { of, .. } | Op::OneValue { of } | Op::CountEpisodes { of, .. } => vec![of.0],
            Op::MostFrequent { of, .. } | Op::Not { of } | Op::IsNull { of } | Op::Neg { of } | Op::Abs { of } => {
                vec![of.0]
            }
            Op::SumOfGroupMax { group, of } => vec![group.0, of.0],
            Op::Compare { left, right, .. } | Op::In { left, right, .. } => vec![left.0, right.0],
            Op::Arithmetic { left, right, .. } | Op::Difference { left, right, .. } => vec![left.0, right.0],
            Op::And { of } | Op::Or { of } | Op::Coalesce { of } | Op::Concat { of } => {
                of.iter().map(|s| s.0).collect()
            }
            Op::Extreme { of, .. } => of.iter().map(|s| s.0).collect(),
            Op::Case { cases, default } => {
                let cases = cases.iter().flat_map(|c| [c.when.0, c.then.0]);
                cases.chain(default.iter().map(|d| d.0)).collect()
            }
            Op::Cast { of, .. } | Op::RoundHalfAway { of, .. } | Op::Trim { of } => vec![of.0],
            Op::DatePart { of, .. } | Op::PeriodEdge { of, .. } | Op::Day { of } => vec![of.0],
            Op::Find { of, text, .. } => vec![of.0, text.0],
            Op::Replace { of, from, to, .. } => vec![of.0, from.0, to.0],
            Op::KnownParts { of, known, .. } => vec![of.0, known.0],
            Op::Linked { of, set, frame, .. } => vec![of.0, set.0, frame.0],
            Op::DateAdd { of, n, .. } => vec![of.0, n.0],
            Op::YearBoundariesBetween { from, to } => vec![from.0, to.0],
        }
    }

    /// Whether it is a frame rather than a series.
    pub fn is_frame(&self) -> bool {
        matches!(
            self,
            Op::Table { .. }
                | Op::Inline(_)
                | Op::Filter { .. }
                | Op::Sort { .. }
                | Op::PickFirst { .. }
                | Op::PickLast { .. }
                | Op::OneRow { .. }
                | Op::Join { .. }
                | Op::Union { .. }
                | Op::Distinct { .. }
        )
    }
}
