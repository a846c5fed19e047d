//! Least and greatest of several columns.
//! Spec study-definitions.md 7.4.

use query::{Collation, Series};

use super::{Answer, Lowering, computed};
use crate::model::{ColumnType, Extreme, VariableId};

impl Lowering<'_> {
    /// Over the values that are not their type's default; none left gives a missing value.
    pub(super) fn aggregate(&mut self, which: Extreme, of: &[VariableId], kind: ColumnType) -> Answer {
        let values: Vec<Series> = of.iter().map(|id| self.told(*id)).collect();
        let value = match (kind, which) {
            // 0 is ignored as if missing, so only 1 is left, for both
            (ColumnType::Bool, _) => self.q.or(values),
            (_, Extreme::Minimum) => self.q.min_of(values, Collation::Ci),
            (_, Extreme::Maximum) => self.q.max_of(values, Collation::Ci),
        };
        Answer { raw: computed(kind, value), belongs: None, picked: None }
    }

    /// A value, NULL if it is the default of its type.
    fn told(&mut self, id: VariableId) -> Series {
        let (kind, filled) = (self.study[id].kind, self.done[id.0].filled);
        if kind == ColumnType::Bool {
            return filled;
        }
        let default = self.default_of(kind);
        let told = self.q.ne(filled, default);
        self.q.case([(told, filled)], None)
    }
}
