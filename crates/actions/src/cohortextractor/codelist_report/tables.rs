//! A folder of patient tables, counted by the rule: what a warehouse will be asked, over plain rows (actions.md 8.1).
//! For laptops and tests, like `generate_cohort --dummy-tables`.

use std::collections::HashSet;
use std::path::Path;

use jiff::civil::DateTime;
use query::reference::{Tables, Value};
use query::{Catalogue, PATIENT_ID};

use crate::Context;
use crate::cohortextractor::cohort::of_tables;
use crate::fault::{Exit, Fault, FaultCode};
use crate::text::{about, warn};
use crate::workspace::Workspace;

use super::codelist::Codelist;
use super::count::{self, Event, Patient, Registration, Report, Rows};
use super::options::Asked;
use super::privacy::{Privacy, Stay};

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
    let tables = of_tables(warehouse::open(&inside, Catalogue::tpp()), folder, context)?;
    for name in [EVENTS, REGISTRATIONS, "Organisation", "Patient"] {
        if tables.get(name).is_none() {
            warn(context.stderr, &format!("{} has no table {name}, so no event is counted", folder.display()));
        }
    }
    let read = Read::of(&tables).map_err(|fault| vec![fault])?;
    let privacy = if asked.keeps_opted_out { Privacy::default() } else { read.privacy() };
    let hidden = read.patients().filter(|patient| !privacy.shows_patient(patient.id)).count();
    if hidden > 0 {
        context.log(&format!("note: {} patients opted out, or have no practice that takes part", about(hidden as u64)));
    }
    let rows = Rows {
        events: read
            .events()
            .filter(|event| privacy.shows_patient(event.patient) && privacy.shows_event(event.patient, event.day)),
        registrations: read
            .registrations()
            .filter(|row| privacy.shows_patient(row.patient) && privacy.shows_practice(row.organisation)),
        patients: read.patients().filter(|patient| privacy.shows_patient(patient.id)),
        organisations: read.organisations.ids(0),
    };
    Ok(count::count(asked.period, codes, rows))
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
        self.rows(move |value| number(value(column)))
    }
}

fn number(value: &Value) -> Option<i64> {
    if let Value::Int(number) = value { Some(*number) } else { None }
}

fn moment(value: &Value) -> Option<DateTime> {
    match value {
        Value::Date(day) => Some(DateTime::from(*day)),
        Value::DateTime(moment) => Some(*moment),
        _ => None,
    }
}

/// What of a folder a report reads.
struct Read<'t> {
    events: Columns<'t>,
    registrations: Columns<'t>,
    patients: Columns<'t>,
    organisations: Columns<'t>,
    /// Lists of patients or organisations that were supplied: those who dissent, are allowed, are not on the national
    /// list; practices that take part.
    lists: [Option<Columns<'t>>; 4],
}

impl<'t> Read<'t> {
    fn of(tables: &'t Tables) -> Result<Self, Fault> {
        let list = |table: &str, column: &str| -> Result<_, Fault> {
            tables.get(table).map(|_| Columns::of(tables, table, &[column])).transpose()
        };
        Ok(Self {
            events: Columns::of(tables, EVENTS, &[PATIENT_ID, "ConceptId", "ConsultationDate"])?,
            registrations: Columns::of(
                tables,
                REGISTRATIONS,
                &[PATIENT_ID, "Registration_ID", "Organisation_ID", "StartDate", "EndDate"],
            )?,
            patients: Columns::of(tables, "Patient", &[PATIENT_ID, "DateOfDeath"])?,
            organisations: Columns::of(tables, "Organisation", &["Organisation_ID"])?,
            lists: [
                list("PatientsWithTypeOneDissent", PATIENT_ID)?,
                list("AllowedPatientsWithTypeOneDissent", PATIENT_ID)?,
                list("PatientsWithoutNDOO", PATIENT_ID)?,
                list("DirectionsAcknowledged", "Organisation_ID")?,
            ],
        })
    }

    fn events(&self) -> impl Iterator<Item = Event<'t>> {
        self.events.rows(|value| {
            let Value::Str(code) = value(1) else { return None };
            Some(Event { patient: number(value(0))?, code, day: moment(value(2))?.date() })
        })
    }

    /// Rows without a practice belong to none.
    fn registrations(&self) -> impl Iterator<Item = Registration> {
        self.registrations.rows(|value| {
            Some(Registration {
                patient: number(value(0))?,
                id: number(value(1)).unwrap_or(i64::MAX),
                organisation: number(value(2))?,
                start: moment(value(3)),
                end: moment(value(4)),
            })
        })
    }

    fn patients(&self) -> impl Iterator<Item = Patient> {
        self.patients
            .rows(|value| Some(Patient { id: number(value(0))?, died: moment(value(1)).map(|moment| moment.date()) }))
    }

    fn privacy(&self) -> Privacy {
        let [dissent, allowed, national, practices] = &self.lists;
        let ids = |list: &Option<Columns<'t>>| list.as_ref().map(|list| list.ids(0).collect::<HashSet<i64>>());
        let (dissent, allowed, national) = (ids(dissent), ids(allowed), ids(national));
        let mut privacy = Privacy { dissent, allowed, national, activated: None };
        if let Some(practices) = ids(practices) {
            let stays = self.registrations().map(|row| Stay {
                patient: row.patient,
                organisation: row.organisation,
                end: row.end,
            });
            privacy.activate(practices, stays);
        }
        privacy
    }
}
