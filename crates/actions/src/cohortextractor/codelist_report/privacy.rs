//! Whose events may be counted: patients who did not opt out, at practices that take part (warehouse.md 9).
//! A filter works where its table is supplied; `--compat=original` counts everybody, as the original did (actions.md 8.1).

use std::collections::{HashMap, HashSet};

use jiff::civil::{Date, DateTime};

/// An end that is not known: nothing before it may be seen, nothing after it either.
const UNKNOWN: (DateTime, DateTime) = (DateTime::MIN, DateTime::MAX);

/// A registration, for the practices that take part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stay {
    pub(crate) patient: i64,
    pub(crate) organisation: i64,
    pub(crate) end: Option<DateTime>,
}

/// The tables that decide; `None` where one was not supplied.
#[derive(Debug, Default)]
pub(crate) struct Privacy {
    /// `PatientsWithTypeOneDissent`.
    pub(crate) dissent: Option<HashSet<i64>>,
    /// `AllowedPatientsWithTypeOneDissent`.
    pub(crate) allowed: Option<HashSet<i64>>,
    /// `PatientsWithoutNDOO`.
    pub(crate) national: Option<HashSet<i64>>,
    /// `DirectionsAcknowledged`, with how long each patient's practices took part.
    pub(crate) activated: Option<Activated>,
}

#[derive(Debug)]
pub(crate) struct Activated {
    practices: HashSet<i64>,
    /// The last ends of a patient's registrations: there, and elsewhere.
    ends: HashMap<i64, (Option<DateTime>, Option<DateTime>)>,
}

impl Privacy {
    pub(crate) fn activate(&mut self, practices: HashSet<i64>, stays: impl Iterator<Item = Stay>) {
        let mut ends: HashMap<i64, (Option<DateTime>, Option<DateTime>)> = HashMap::new();
        for stay in stays {
            let (here, elsewhere) = ends.entry(stay.patient).or_default();
            if practices.contains(&stay.organisation) {
                *here = (*here).max(Some(stay.end.unwrap_or(UNKNOWN.0)));
            } else {
                *elsewhere = (*elsewhere).max(Some(stay.end.unwrap_or(UNKNOWN.1)));
            }
        }
        self.activated = Some(Activated { practices, ends });
    }

    pub(crate) fn shows_patient(&self, patient: i64) -> bool {
        let is_in = |list: &Option<HashSet<i64>>| list.as_ref().is_none_or(|list| list.contains(&patient));
        let dissents = self.dissent.as_ref().is_some_and(|list| list.contains(&patient));
        !dissents && is_in(&self.allowed) && is_in(&self.national) && self.activated_end(patient).is_some()
    }

    /// Whether an event of a patient who is shown is shown.
    pub(crate) fn shows_event(&self, patient: i64, day: Date) -> bool {
        self.activated_end(patient).is_some_and(|end| day <= end)
    }

    /// Whether a registration is shown.
    pub(crate) fn shows_practice(&self, organisation: i64) -> bool {
        self.activated.as_ref().is_none_or(|activated| activated.practices.contains(&organisation))
    }

    /// Until when a patient's rows are shown; `None` if they never were at a practice that takes part.
    fn activated_end(&self, patient: i64) -> Option<Date> {
        let Some(activated) = &self.activated else { return Some(Date::MAX) };
        match activated.ends.get(&patient)? {
            (Some(here), Some(elsewhere)) if elsewhere > here => Some(here.date()),
            (here, _) => here.map(|_| Date::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn set(ids: &[i64]) -> Option<HashSet<i64>> {
        Some(ids.iter().copied().collect())
    }

    fn shown(privacy: &Privacy) -> Vec<i64> {
        (1..=5).filter(|patient| privacy.shows_patient(*patient)).collect()
    }

    /// The example of warehouse.md 9.
    #[test]
    fn opted_out_patients_are_left_out() {
        assert_eq!(shown(&Privacy::default()), [1, 2, 3, 4, 5]);
        assert_eq!(shown(&Privacy { dissent: set(&[4]), national: set(&[1, 2, 4]), ..Privacy::default() }), [1, 2]);
        assert_eq!(shown(&Privacy { national: set(&[1, 2, 4]), ..Privacy::default() }), [1, 2, 4]);
        assert_eq!(shown(&Privacy { dissent: set(&[4]), ..Privacy::default() }), [1, 2, 3, 5]);
        assert_eq!(shown(&Privacy { dissent: set(&[4]), allowed: set(&[3, 4]), ..Privacy::default() }), [3]);
        assert_eq!(shown(&Privacy { allowed: set(&[]), ..Privacy::default() }), [0; 0]);
    }

    #[test]
    fn events_are_shown_until_the_practice_of_a_patient_takes_no_part() {
        let end = |day: Date| Some(DateTime::from(day));
        let stay = |patient, organisation, end| Stay { patient, organisation, end };
        let (early, late) = (date(2020, 5, 1), date(9999, 12, 31));
        let mut privacy = Privacy::default();
        let stays = [
            stay(1, 7, end(late)),
            stay(2, 7, end(early)),
            stay(2, 8, end(late)),
            stay(3, 8, end(late)),
            stay(4, 8, end(early)),
            stay(4, 7, end(late)),
            stay(5, 7, None),
            stay(5, 8, end(early)),
        ];
        privacy.activate(HashSet::from([7]), stays.into_iter());
        assert_eq!(shown(&privacy), [1, 2, 4, 5]);
        let shows = |patient, day| privacy.shows_event(patient, day);
        assert!(shows(1, date(2021, 1, 1)) && shows(4, date(2021, 1, 1)));
        assert!(shows(2, early) && !shows(2, date(2020, 5, 2)));
        assert!(!shows(5, date(2020, 1, 1)));
        assert!(privacy.shows_practice(7) && !privacy.shows_practice(8));
        assert!(Privacy::default().shows_practice(8));
    }
}
