//! Values from files of the workspace.
//! Spec study-definitions.md 7.4. The files are read by whoever runs the graph.

use std::collections::BTreeMap;

use query::Type;

use super::{Answer, Lowering, Raw};
use crate::model::ColumnType;

impl Lowering<'_> {
    pub(super) fn value_from_file(&mut self, path: &str, column: &str, kind: ColumnType) -> Answer {
        let (read, date) = match kind {
            ColumnType::Bool => (Type::Bool, false),
            ColumnType::Int | ColumnType::IntCategory { .. } => (Type::Int, false),
            ColumnType::Float => (Type::Float, false),
            ColumnType::Str => (Type::Str, false),
            ColumnType::Date(_) => (Type::Date, true),
        };
        let rows = self.q.inline(path, BTreeMap::from([(column.to_owned(), read)]));
        let value = self.q.column(rows, column);
        let raw = if date { Raw::Day(value) } else { Raw::Value(value) };
        Answer { raw, belongs: None, picked: None }
    }

    pub(super) fn in_file(&mut self, path: &str) -> Answer {
        let rows = self.q.inline(path, BTreeMap::new());
        Answer::value(self.q.exists(rows))
    }
}
