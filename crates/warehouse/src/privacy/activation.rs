//! Practices that take part: their patients' GP rows are seen until the *activated end*, registrations elsewhere never
//! (warehouse.md 9).

use std::collections::{HashMap, HashSet};

use jiff::civil::{Date, DateTime};
use query::reference::{Rows, Tables};
use query::{PATIENT_ID, Value};

use crate::fault::Faults;

use super::{number, place};

const REGISTRATIONS: &str = "RegistrationHistory";
const PRACTICE: &str = "Organisation_ID";

/// GP rows, each dated by the first of its columns that was supplied.
const DATED: [(&str, &[&str]); 7] = [
    ("CodedEvent", &["ConsultationDate"]),
    ("CodedEvent_SNOMED", &["ConsultationDate"]),
    ("MedicationIssue", &["ConsultationDate"]),
    ("MedicationRepeat", &["ConsultationDate"]),
    ("Consultation", &["ConsultationDate"]),
    ("Vaccination", &["VaccinationDate"]),
    ("Appointment", &["BookedDate", "SeenDate"]),
];

/// Rows that are seen if their event is; both tables of events share their ids.
const RANGES: &str = "CodedEventRange";
const EVENTS: [&str; 2] = ["CodedEvent", "CodedEvent_SNOMED"];
const EVENT: &str = "CodedEvent_ID";

/// Practices, patients, and the place of each column that decides.
#[derive(Debug)]
pub(super) struct Activation {
    practices: HashSet<i64>,
    /// The last day that is seen of each patient who ever was at such a practice.
    ends: HashMap<i64, Date>,
    /// Of registrations.
    practice: Option<usize>,
    dates: Vec<(&'static str, usize)>,
    /// Of ranges, then of the tables of events that are there.
    events: Option<(usize, Vec<(&'static str, usize)>)>,
}

impl Activation {
    /// `None` if no list of practices was supplied.
    pub(super) fn of(tables: &Tables) -> Result<Option<Self>, Faults> {
        const LIST: &str = "DirectionsAcknowledged";
        let Some(list) = tables.get(LIST) else { return Ok(None) };
        let at = place(LIST, list, PRACTICE)?;
        let practices = list.rows.iter().filter_map(|row| number(row, at)).collect();
        let mut dates = Vec::new();
        for (table, columns) in DATED {
            let Some(rows) = tables.get(table) else { continue };
            let first = columns.iter().find_map(|column| rows.columns.iter().position(|name| name == column));
            let at = first.map_or_else(|| place(table, rows, columns[0]), Ok)?;
            dates.push((table, at));
        }
        let events = match tables.get(RANGES) {
            None => None,
            Some(ranges) => {
                let there = EVENTS.into_iter().filter_map(|table| Some((table, tables.get(table)?)));
                let keys = there.map(|(table, rows)| Ok((table, place(table, rows, EVENT)?)));
                Some((place(RANGES, ranges, EVENT)?, keys.collect::<Result<_, Faults>>()?))
            }
        };
        let mut made = Self { practices, ends: HashMap::new(), practice: None, dates, events };
        if let Some(rows) = tables.get(REGISTRATIONS) {
            let places = [PATIENT_ID, PRACTICE, "EndDate"];
            let [patient, practice, end] = places.map(|column| place(REGISTRATIONS, rows, column));
            let (patient, practice, end) = (patient?, practice?, end?);
            made.ends = ends(rows, &made.practices, [patient, practice, end]);
            made.practice = Some(practice);
        }
        Ok(Some(made))
    }

    /// Whether a patient ever was at a practice that takes part.
    pub(super) fn knows(&self, patient: i64) -> bool {
        self.ends.contains_key(&patient)
    }

    /// Takes rows of other practices and times; how many.
    pub(super) fn apply(&self, tables: &mut Tables) -> u64 {
        let mut taken = 0;
        if let Some(at) = self.practice {
            let part = |practice| self.practices.contains(&practice);
            taken += tables.retain(REGISTRATIONS, |_, row| number(row, at).is_some_and(part));
        }
        for (table, at) in &self.dates {
            taken += tables.retain(table, |patient, row| {
                let end = patient.and_then(|patient| self.ends.get(&patient));
                let day = row.get(*at).and_then(Value::moment).map(DateTime::date);
                matches!((day, end), (Some(day), Some(end)) if day <= *end)
            });
        }
        if let Some((at, keys)) = &self.events {
            let mut seen = HashSet::new();
            for (table, key) in keys {
                let rows = tables.get(table).map_or(&[][..], |rows| &rows.rows);
                seen.extend(rows.iter().filter_map(|row| number(row, *key)));
            }
            taken += tables.retain(RANGES, |_, row| number(row, *at).is_some_and(|event| seen.contains(&event)));
        }
        taken
    }
}

/// The activated end of each patient: the latest end at such practices, unless no registration elsewhere ends later. An end
/// that is missing is the earliest here and the latest elsewhere, so that what is unknown hides.
fn ends(rows: &Rows, practices: &HashSet<i64>, [patient, practice, end]: [usize; 3]) -> HashMap<i64, Date> {
    let mut found: HashMap<i64, (Option<DateTime>, Option<DateTime>)> = HashMap::new();
    for row in &rows.rows {
        let Some(patient) = number(row, patient) else { continue };
        let end = row.get(end).and_then(Value::moment);
        let (here, elsewhere) = found.entry(patient).or_default();
        if number(row, practice).is_some_and(|practice| practices.contains(&practice)) {
            *here = (*here).max(Some(end.unwrap_or(DateTime::MIN)));
        } else {
            *elsewhere = (*elsewhere).max(Some(end.unwrap_or(DateTime::MAX)));
        }
    }
    let activated = |(patient, (here, elsewhere)): (i64, (Option<DateTime>, Option<DateTime>))| {
        let here = here?;
        let limited = elsewhere.is_some_and(|elsewhere| elsewhere > here);
        Some((patient, if limited { here.date() } else { Date::MAX }))
    };
    found.into_iter().filter_map(activated).collect()
}
