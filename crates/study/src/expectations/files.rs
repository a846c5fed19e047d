//! What value files give to dummy data: their patients and columns, over which the other columns are made.
//! Spec study-definitions.md 7.4 and 10.1.

use arrow_array::ArrayRef;

use crate::model::VariableId;

/// The patients of all value files together, with a column for each variable that reads one.
#[derive(Debug, Clone)]
pub struct FileColumns {
    /// Ascending, each once.
    pub patients: Vec<i64>,
    /// One value per patient, of the variable's type; NULL where its file has none.
    pub columns: Vec<(VariableId, ArrayRef)>,
}
