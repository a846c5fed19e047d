//! Counts of codes by code, and by week and practice: the rule itself, over rows from anywhere (actions.md 8.1, 8.2).
//! Pure: one pass over the events, then one over the registrations and one over the patients.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;

use foldhash::fast::RandomState;
use jiff::civil::{Date, DateTime};

use super::codelist::Codelist;
use super::period::Period;

/// A coded event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    pub(crate) patient: i64,
    pub(crate) code: &'a str,
    pub(crate) day: Date,
}

/// That a patient belongs to a practice for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) patient: i64,
    pub(crate) id: i64,
    /// The practice.
    pub(crate) organisation: i64,
    pub(crate) start: Option<DateTime>,
    pub(crate) end: Option<DateTime>,
}

impl Registration {
    fn begun(&self, end: Date) -> bool {
        self.start.is_some_and(|start| start.date() <= end)
    }

    /// Whether it holds on the last day of the period.
    fn holds(&self, end: Date) -> bool {
        self.begun(end) && self.end.is_some_and(|until| until.date() > end)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patient {
    pub(crate) id: i64,
    pub(crate) died: Option<Date>,
}

/// All that is counted.
pub(crate) struct Rows<E, R, P, O> {
    pub(crate) events: E,
    pub(crate) registrations: R,
    pub(crate) patients: P,
    /// The known organisations.
    pub(crate) organisations: O,
}

/// The contents of the four files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Report {
    pub(crate) per_code: BTreeMap<String, u64>,
    /// By practice, then week; only weeks with events.
    pub(crate) per_week: BTreeMap<i64, BTreeMap<u32, u64>>,
    pub(crate) list_sizes: BTreeMap<i64, u64>,
    pub(crate) patients: u64,
    /// Where evidence is wanted.
    pub(crate) people: Option<People>,
}

/// How many people stand behind the numbers of a report, by the same keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct People {
    pub(crate) per_code: BTreeMap<String, u64>,
    pub(crate) per_week: BTreeMap<i64, BTreeMap<u32, u64>>,
    pub(crate) list_sizes: BTreeMap<i64, u64>,
}

/// Who stands behind each number, while events and registrations are counted.
#[derive(Default)]
struct Behind {
    per_code: Set<(i64, u32)>,
    per_week: Set<(i64, i64, u32)>,
    list_sizes: Set<(i64, i64)>,
}

impl Behind {
    fn people(self, codes: &Codelist) -> People {
        let mut people = People::default();
        let mut per_code = vec![0_u64; codes.len()];
        for (_, code) in self.per_code {
            per_code.get_mut(code as usize).into_iter().for_each(|count| *count += 1);
        }
        let counted = codes.iter().zip(per_code).filter(|(_, count)| *count > 0);
        people.per_code = counted.map(|(code, count)| (code.to_owned(), count)).collect();
        for (_, practice, week) in self.per_week {
            *people.per_week.entry(practice).or_default().entry(week).or_default() += 1;
        }
        for (_, practice) in self.list_sizes {
            *people.list_sizes.entry(practice).or_default() += 1;
        }
        people
    }
}

impl Report {
    /// From the first to the last week with a counted event.
    pub(crate) fn weeks(&self) -> Option<RangeInclusive<u32>> {
        let first = self.per_week.values().filter_map(|weeks| weeks.keys().next()).min()?;
        let last = self.per_week.values().filter_map(|weeks| weeks.keys().next_back()).max()?;
        Some(*first..=*last)
    }
}

/// What is known of a patient with an event.
#[derive(Default)]
struct Person {
    /// Stands among the patients.
    there: bool,
    died: bool,
    /// Has ever been registered at a known organisation.
    known: bool,
    /// Is so on the last day.
    registered: bool,
    practice: Option<Practice>,
}

impl Person {
    fn in_population(&self) -> bool {
        self.there && (self.registered || (self.known && self.died))
    }
}

struct Practice {
    /// Larger is better; an unknown time is the earliest.
    rank: (Option<DateTime>, Option<DateTime>, Reverse<i64>),
    organisation: i64,
}

type Map<K, V> = HashMap<K, V, RandomState>;
type Set<K> = HashSet<K, RandomState>;

/// `watch`: the people behind each number are counted too.
pub(crate) fn count<'a>(
    period: Period,
    codes: &Codelist,
    watch: bool,
    rows: Rows<
        impl Iterator<Item = Event<'a>>,
        impl Iterator<Item = Registration>,
        impl Iterator<Item = Patient>,
        impl Iterator<Item = i64>,
    >,
) -> Report {
    let mut report = Report::default();
    let mut behind = watch.then(Behind::default);
    let mut events: Set<(i64, u32, u32)> = Set::default();
    for event in rows.events {
        if let (Some(code), Some(day)) = (codes.position(event.code), period.index(event.day)) {
            events.insert((event.patient, code, day));
        }
    }
    let mut people: Map<i64, Person> = Map::default();
    for (patient, ..) in &events {
        people.entry(*patient).or_default();
    }
    let organisations: Set<i64> = rows.organisations.collect();
    for registration in rows.registrations {
        let holds = registration.holds(period.end());
        if holds {
            *report.list_sizes.entry(registration.organisation).or_default() += 1;
            if let Some(behind) = &mut behind {
                behind.list_sizes.insert((registration.patient, registration.organisation));
            }
        }
        let Some(person) = people.get_mut(&registration.patient) else { continue };
        let known = organisations.contains(&registration.organisation);
        person.known |= known;
        person.registered |= known && holds;
        let rank = (registration.start, registration.end, Reverse(registration.id));
        if registration.begun(period.end()) && person.practice.as_ref().is_none_or(|best| rank > best.rank) {
            person.practice = Some(Practice { rank, organisation: registration.organisation });
        }
    }
    for patient in rows.patients {
        if let Some(person) = people.get_mut(&patient.id) {
            person.there = true;
            person.died |= patient.died.is_some_and(|day| period.contains(day));
        }
    }
    report.patients = people.values().filter(|person| person.in_population()).count() as u64;
    let mut per_code = vec![0_u64; codes.len()];
    for (patient, code, day) in &events {
        let Some(person) = people.get(patient).filter(|person| person.in_population()) else { continue };
        let Some(practice) = &person.practice else { continue };
        if let Some(count) = per_code.get_mut(*code as usize) {
            *count += 1;
        }
        let weeks = report.per_week.entry(practice.organisation).or_default();
        *weeks.entry(Period::week(*day)).or_default() += 1;
        if let Some(behind) = &mut behind {
            behind.per_code.insert((*patient, *code));
            behind.per_week.insert((*patient, practice.organisation, Period::week(*day)));
        }
    }
    report.people = behind.map(|behind| behind.people(codes));
    let counted = codes.iter().zip(per_code).filter(|(_, count)| *count > 0);
    report.per_code = counted.map(|(code, count)| (code.to_owned(), count)).collect();
    report
}
