//! A folder of patient tables, counted by the rule: what a warehouse will be asked, over plain rows (actions.md 8.1).
//! For laptops and tests, like `generate_cohort --dummy-tables`.

use std::path::Path;

use query::PATIENT_ID;
use query::reference::{Tables, Value};
use warehouse::{Filter, Policy};

use crate::Context;
use crate::cohortextractor::cohort::of_tables;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::warn;
use crate::workspace::Workspace;

use super::codelist::Codelist;
use super::count::{self, Event, Patient, Registration, Report, Rows};
use super::options::Asked;

const EVENTS: &str = "CodedEvent_SNOMED";
const REGISTRATIONS: &str = "RegistrationHistory";

pub(crate) fn report(
    folder: &Path,
    codes: &Codelist,
    asked: &Asked,
    workspace: &Workspace,
    context: &mut Context<'_>,
) -> Result<Report, Vec<Fault>> {
    let inside = workspace.folder(folder, "--dummy-tables").map_err(|fault| vec![fault])?;
    let policy = if asked.keeps_opted_out { Policy::lifting(Filter::ALL) } else { Policy::default() };
    let tables = of_tables((&inside, folder), &policy, context)?;
    for name in [EVENTS, REGISTRATIONS, "Organisation", "Patient"] {
        if tables.get(name).is_none() {
            warn(context.stderr, &format!("{} has no table {name}, so no event is counted", folder.display()));
        }
    }
    let read = Read::of(&tables).map_err(|fault| vec![fault])?;
    let rows = Rows {
        events: read.events(),
        registrations: read.registrations(),
        patients: read.patients(),
        organisations: read.organisations.ids(0),
    };
    Ok(count::count(asked.period, codes, context.evidence.is_some(), rows))
}

/// The columns of a table that are looked at.
struct Columns<'t> {
    rows: &'t [Vec<Value>],
    places: Vec<usize>,
}

impl<'t> Columns<'t> {
    /// A table that is not there has no rows.
    fn of(tables: &'t Tables, table: &str, names: &[&str]) -> Result<Self, Fault> {
        let Some(found) = tables.get(table) else { return Ok(Self { rows: &[], places: Vec::new() }) };
        let place = |name: &&str| {
            found.columns.iter().position(|column| column == name).ok_or_else(|| {
                let message = format!("{table} has no column {name}, and a codelist report needs it");
                Fault::new(FaultCode::Study("D305"), Exit::DummyBad, message)
            })
        };
        Ok(Self { rows: &found.rows, places: names.iter().map(place).collect::<Result<_, _>>()? })
    }

    fn values<'s>(&'s self, row: &'t [Value], column: usize) -> &'t Value {
        self.places.get(column).and_then(|place| row.get(*place)).unwrap_or(&Value::Null)
    }

    fn rows<'s, T>(
        &'s self,
        made: impl Fn(&dyn Fn(usize) -> &'t Value) -> Option<T> + 's,
    ) -> impl Iterator<Item = T> + 's {
        self.rows.iter().filter_map(move |row| made(&|column| self.values(row, column)))
    }

    /// The numbers of a column.
    fn ids<'s>(&'s self, column: usize) -> impl Iterator<Item = i64> + 's {
        self.rows(move |value| value(column).int())
    }
}

/// What of a folder a report reads.
struct Read<'t> {
    events: Columns<'t>,
    registrations: Columns<'t>,
    patients: Columns<'t>,
    organisations: Columns<'t>,
}

impl<'t> Read<'t> {
    fn of(tables: &'t Tables) -> Result<Self, Fault> {
        Ok(Self {
            events: Columns::of(tables, EVENTS, &[PATIENT_ID, "ConceptId", "ConsultationDate"])?,
            registrations: Columns::of(
                tables,
                REGISTRATIONS,
                &[PATIENT_ID, "Registration_ID", "Organisation_ID", "StartDate", "EndDate"],
            )?,
            patients: Columns::of(tables, "Patient", &[PATIENT_ID, "DateOfDeath"])?,
            organisations: Columns::of(tables, "Organisation", &["Organisation_ID"])?,
        })
    }

    fn events(&self) -> impl Iterator<Item = Event<'t>> {
        self.events.rows(|value| {
            let Value::Str(code) = value(1) else { return None };
            Some(Event { patient: value(0).int()?, code, day: value(2).moment()?.date() })
        })
    }

    /// Rows without a practice belong to none.
    fn registrations(&self) -> impl Iterator<Item = Registration> {
        self.registrations.rows(|value| {
            Some(Registration {
                patient: value(0).int()?,
                id: value(1).int().unwrap_or(i64::MAX),
                organisation: value(2).int()?,
                start: value(3).moment(),
                end: value(4).moment(),
            })
        })
    }

    fn patients(&self) -> impl Iterator<Item = Patient> {
        self.patients
            .rows(|value| Some(Patient { id: value(0).int()?, died: value(1).moment().map(|moment| moment.date()) }))
    }
}
