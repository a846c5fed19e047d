//! The rule of a report in its simplest form, and that the quick one agrees with it on rows at random (actions.md 13).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime, date};
use jiff::{Span, ToSpan};
use proptest::prelude::*;

use super::codelist::Codelist;
use super::count::{Event, Patient, People, Registration, Report, Rows, count};
use super::period::Period;

struct Data {
    start: Date,
    end: Date,
    codes: Vec<String>,
    events: Vec<(i64, String, Date)>,
    registrations: Vec<Registration>,
    patients: Vec<Patient>,
    organisations: Vec<i64>,
}

/// One question after the other, each over all rows.
impl Data {
    fn holds(&self, r: &Registration) -> bool {
        r.start.is_some_and(|s| s.date() <= self.end) && r.end.is_some_and(|e| e.date() > self.end)
    }

    fn in_population(&self, patient: i64) -> bool {
        let known = |r: &&Registration| r.patient == patient && self.organisations.contains(&r.organisation);
        let died = self
            .patients
            .iter()
            .any(|p| p.id == patient && p.died.is_some_and(|day| self.start <= day && day <= self.end));
        self.patients.iter().any(|p| p.id == patient)
            && self.registrations.iter().filter(known).any(|r| self.holds(r) || died)
    }

    fn practice(&self, patient: i64) -> Option<i64> {
        let mut own: Vec<&Registration> = self.registrations.iter().collect();
        own.retain(|r| r.patient == patient && r.start.is_some_and(|s| s.date() <= self.end));
        own.sort_by(|a, b| b.start.cmp(&a.start).then(b.end.cmp(&a.end)).then(a.id.cmp(&b.id)));
        own.first().map(|r| r.organisation)
    }

    /// The week of a day: found by walking.
    fn week(&self, day: Date) -> Date {
        let mut first = self.start;
        while first.saturating_add(7.days()) <= day {
            first = first.saturating_add(7.days());
        }
        first
    }

    fn events(&self) -> BTreeSet<(i64, String, Date)> {
        let wanted = |e: &&(i64, String, Date)| self.codes.contains(&e.1) && self.start <= e.2 && e.2 <= self.end;
        self.events.iter().filter(wanted).cloned().collect()
    }

    fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        let mut patients = BTreeSet::new();
        let mut counts: BTreeMap<(i64, Date), u64> = BTreeMap::new();
        for (patient, code, day) in self.events() {
            if self.in_population(patient) {
                patients.insert(patient);
                if let Some(practice) = self.practice(patient) {
                    *expected.per_code.entry(code).or_default() += 1;
                    *counts.entry((practice, self.week(day))).or_default() += 1;
                }
            }
        }
        let weeks: BTreeSet<Date> = counts.keys().map(|(_, week)| *week).collect();
        if let (Some(first), Some(last)) = (weeks.first(), weeks.last()) {
            for practice in counts.keys().map(|(practice, _)| *practice).collect::<BTreeSet<_>>() {
                let mut week = *first;
                while week <= *last {
                    expected.per_week.insert((practice, week), counts.get(&(practice, week)).copied().unwrap_or(0));
                    week = week.saturating_add(7.days());
                }
            }
        }
        for r in self.registrations.iter().filter(|r| self.holds(r)) {
            *expected.list_sizes.entry(r.organisation).or_default() += 1;
        }
        expected.patients = patients.len() as u64;
        expected
    }

    fn counted(&self) -> Report {
        let codes: Codelist = self.codes.iter().map(String::as_str).collect();
        let rows = Rows {
            events: self.events.iter().map(|(patient, code, day)| Event { patient: *patient, code, day: *day }),
            registrations: self.registrations.iter().copied(),
            patients: self.patients.iter().copied(),
            organisations: self.organisations.iter().copied(),
        };
        count(Period::new(self.start, self.end).unwrap(), &codes, true, rows)
    }

    /// Who stands behind each number, by asking for every event and registration who it is.
    fn people(&self) -> People {
        let (mut people, mut seen) = (People::default(), BTreeSet::new());
        let period = Period::new(self.start, self.end).unwrap();
        for (patient, code, day) in self.events() {
            let Some(practice) = self.practice(patient).filter(|_| self.in_population(patient)) else { continue };
            let week = Period::week(period.index(self.week(day)).unwrap());
            if seen.insert((patient, code.clone(), -1)) {
                *people.per_code.entry(code).or_default() += 1;
            }
            if seen.insert((patient, String::new(), i64::from(week))) {
                *people.per_week.entry(practice).or_default().entry(week).or_default() += 1;
            }
        }
        let held = self.registrations.iter().filter(|r| self.holds(r)).map(|r| (r.organisation, r.patient));
        for (practice, _) in held.collect::<BTreeSet<_>>() {
            *people.list_sizes.entry(practice).or_default() += 1;
        }
        people
    }
}

#[derive(Debug, PartialEq, Default)]
struct Expected {
    per_code: BTreeMap<String, u64>,
    per_week: BTreeMap<(i64, Date), u64>,
    list_sizes: BTreeMap<i64, u64>,
    patients: u64,
}

/// Every line of the four files.
fn lines(report: &Report, data: &Data) -> Expected {
    let period = Period::new(data.start, data.end).unwrap();
    let per_week = report.per_week.iter().flat_map(|(practice, counts)| {
        let weeks = report.weeks().into_iter().flatten();
        weeks.map(move |week| ((*practice, period.first_day(week)), counts.get(&week).copied().unwrap_or(0)))
    });
    Expected {
        per_code: report.per_code.clone(),
        per_week: per_week.collect(),
        list_sizes: report.list_sizes.clone(),
        patients: report.patients,
    }
}

fn day() -> impl Strategy<Value = Date> {
    (0..40_i64).prop_map(|at| date(2019, 12, 20).saturating_add(Span::new().days(at)))
}

/// Few different moments, so that ends meet starts and the bounds of the period.
fn moment() -> impl Strategy<Value = Option<DateTime>> {
    prop_oneof![
        1 => Just(None),
        4 => day().prop_map(|day| Some(DateTime::from(day))),
        2 => day().prop_map(|day| Some(day.at(9, 30, 0, 0))),
        3 => Just(Some(DateTime::from(date(9999, 12, 31)))),
        3 => Just(Some(DateTime::from(date(2010, 1, 1)))),
    ]
}

prop_compose! {
    fn registration()(patient in 0..7_i64, id in 0..4_i64, organisation in 0..4_i64, start in moment(), end in moment())
        -> Registration {
        Registration { patient, id, organisation, start, end }
    }
}

prop_compose! {
    fn data()(
        start in day(),
        length in 0..30_i64,
        codes in prop::collection::vec("[a-d]", 1..4),
        events in prop::collection::vec((0..8_i64, "[a-e]", day()), 0..40),
        registrations in prop::collection::vec(registration(), 0..14),
        died in prop::collection::vec(prop::option::weighted(0.4, day()), 5..8),
        organisations in prop::collection::vec(0..4_i64, 0..5),
    ) -> Data {
        let patients = died.into_iter().enumerate().map(|(id, died)| Patient { id: id as i64, died }).collect();
        let end = start.saturating_add(length.days());
        // Equal ids of one patient would leave the choice of a practice to the order of the rows.
        let registrations = registrations
            .into_iter()
            .enumerate()
            .map(|(at, r): (usize, Registration)| Registration { id: r.id * 100 + at as i64, ..r })
            .collect();
        Data { start, end, codes, events, registrations, patients, organisations }
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{} {:?} {:?} ", self.start, self.end, self.codes, self.events)?;
        write!(f, "{:?} {:?} {:?}", self.registrations, self.patients, self.organisations)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_quick_count_is_the_simple_one(data in data()) {
        prop_assert_eq!(lines(&data.counted(), &data), data.expected());
    }

    #[test]
    fn the_people_behind_each_number_are_counted_once(data in data()) {
        let people = data.counted().people.unwrap();
        prop_assert_eq!(people, data.people());
    }

    /// Every counted event falls in exactly one week, and the files agree with each other.
    #[test]
    fn totals_agree(data in data()) {
        let report = data.counted();
        let files = lines(&report, &data);
        let events: u64 = files.per_code.values().sum();
        prop_assert_eq!(files.per_week.values().sum::<u64>(), events);
        prop_assert!(events <= data.events().len() as u64);
        prop_assert!(files.patients <= data.patients.len() as u64);
        let weeks: BTreeSet<Date> = files.per_week.keys().map(|(_, week)| *week).collect();
        prop_assert!(weeks.iter().all(|week| data.start <= *week && *week <= data.end));
        let practices: BTreeSet<i64> = files.per_week.keys().map(|(practice, _)| *practice).collect();
        prop_assert_eq!(files.per_week.len(), weeks.len() * practices.len());
        for practice in practices {
            prop_assert!(files.per_week.iter().any(|((of, _), count)| *of == practice && *count > 0));
        }
    }

    /// Who comes first in a file does not matter.
    #[test]
    fn the_order_of_rows_does_not_matter(mut data in data()) {
        let before = data.counted();
        data.events.reverse();
        data.registrations.reverse();
        data.patients.reverse();
        prop_assert_eq!(before, data.counted());
    }
}
