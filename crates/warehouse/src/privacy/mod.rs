//! Whom and what a question may see: patients who did not opt out, GP rows of practices that take part (warehouse.md 9).
//! A filter works where its table is supplied; nothing of a study says which ones do.

mod activation;
mod policy;

use std::collections::HashSet;

use query::reference::{Rows, Tables};
use query::{Catalogue, Class, Value};

pub use policy::{Filter, Policy};

use crate::fault::{Code, Fault, Faults};
use activation::Activation;

/// What the filters took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hidden {
    /// Patients that no question sees.
    pub patients: u64,
    /// Rows of patients who are seen.
    pub rows: u64,
}

/// Takes from the tables what the policy hides.
///
/// # Errors
/// D401: a column is missing by which a filter decides. No filter was applied then.
pub(crate) fn apply(policy: &Policy, catalogue: &Catalogue, tables: &mut Tables) -> Result<Hidden, Faults> {
    let shown = Shown::of(policy, tables)?;
    let known = tables.ids(tables.universe());
    let mut hidden =
        Hidden { patients: known.iter().filter(|patient| !shown.patient(**patient)).count() as u64, rows: 0 };
    for table in catalogue.tables().iter().filter(|table| table.class != Class::Reference) {
        tables.retain(&table.name, |patient, _| patient.is_some_and(|patient| shown.patient(patient)));
    }
    if let Some(activation) = &shown.activation {
        hidden.rows = activation.apply(tables);
    }
    Ok(hidden)
}

/// The lists that decide; `None` where a list was not supplied or its filter is lifted.
#[derive(Debug, Default)]
struct Shown {
    dissent: Option<HashSet<i64>>,
    allowed: Option<HashSet<i64>>,
    national: Option<HashSet<i64>>,
    activation: Option<Activation>,
}

impl Shown {
    fn of(policy: &Policy, tables: &Tables) -> Result<Self, Faults> {
        let list = |filter, table: &str| {
            if policy.lifts(filter) { None } else { tables.get(table).map(|_| tables.ids(table).into_iter().collect()) }
        };
        Ok(Self {
            dissent: list(Filter::TypeOneOptOut, "PatientsWithTypeOneDissent"),
            allowed: list(Filter::TypeOneOptOut, "AllowedPatientsWithTypeOneDissent"),
            national: list(Filter::NationalOptOut, "PatientsWithoutNDOO"),
            activation: if policy.lifts(Filter::GpActivation) { None } else { Activation::of(tables)? },
        })
    }

    fn patient(&self, patient: i64) -> bool {
        let is_in = |list: &Option<HashSet<i64>>| list.as_ref().is_none_or(|list| list.contains(&patient));
        let dissents = self.dissent.as_ref().is_some_and(|list| list.contains(&patient));
        !dissents
            && is_in(&self.allowed)
            && is_in(&self.national)
            && self.activation.as_ref().is_none_or(|activation| activation.knows(patient))
    }
}

/// Where a column by which a filter decides lies.
fn place(table: &str, rows: &Rows, column: &str) -> Result<usize, Faults> {
    rows.columns.iter().position(|name| name == column).ok_or_else(|| {
        let message = format!("has no column {column}, and a privacy filter decides by it");
        Faults::one(Fault::of_file(Code::D401, table, message))
    })
}

fn number(row: &[Value], at: usize) -> Option<i64> {
    row.get(at)?.int()
}
