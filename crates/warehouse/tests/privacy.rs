//! The privacy filters against a naive model: each patient and row asked by itself, with loops only (warehouse.md 9).

#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use std::fmt::Write as _;
use std::fs;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use query::Catalogue;
use query::reference::Tables;
use warehouse::{Filter, Policy, open};

/// Days of May 2020, so that many are equal.
type Day = Option<u8>;

#[derive(Debug, Clone)]
struct World {
    dissent: Option<Vec<u8>>,
    allowed: Option<Vec<u8>>,
    national: Option<Vec<u8>>,
    practices: Option<Vec<u8>>,
    /// Patient, practice, end.
    stays: Vec<(u8, Option<u8>, Day)>,
    /// Patient, date.
    events: Vec<(u8, Day)>,
    lifted: Vec<Filter>,
}

fn world() -> impl Strategy<Value = World> {
    let list = || option::of(vec(1..5u8, 0..4));
    let day = || option::weighted(0.8, 1..5u8);
    (
        list(),
        list(),
        list(),
        option::weighted(0.8, vec(1..4u8, 0..3)),
        vec((1..5u8, option::weighted(0.9, 1..4u8), day()), 0..8),
        vec((1..5u8, day()), 0..12),
        proptest::sample::subsequence(Filter::ALL.to_vec(), 0..=3),
    )
        .prop_map(|(dissent, allowed, national, practices, stays, events, lifted)| World {
            dissent,
            allowed,
            national,
            practices,
            stays,
            events,
            lifted,
        })
}

impl World {
    fn works(&self, filter: Filter) -> bool {
        !self.lifted.contains(&filter)
    }

    fn takes_part(&self, practice: Option<u8>) -> bool {
        practice.is_some_and(|practice| self.practices.as_ref().unwrap().contains(&practice))
    }

    fn activated(&self) -> bool {
        self.practices.is_some() && self.works(Filter::GpActivation)
    }

    fn shows_patient(&self, patient: u8) -> bool {
        let (t1oo, ndoo) = (self.works(Filter::TypeOneOptOut), self.works(Filter::NationalOptOut));
        let missing = |list: &Option<Vec<u8>>| list.as_ref().is_some_and(|list| !list.contains(&patient));
        let dissents = self.dissent.as_ref().is_some_and(|list| list.contains(&patient));
        let registered = || self.stays.iter().any(|(who, at, _)| *who == patient && self.takes_part(*at));
        !(t1oo && (dissents || missing(&self.allowed))
            || ndoo && missing(&self.national)
            || self.activated() && !registered())
    }

    /// An end that is missing is day 0 at a practice that takes part, and day 99 elsewhere.
    fn shows_event(&self, patient: u8, day: Day) -> bool {
        if !self.activated() {
            return true;
        }
        let own = || self.stays.iter().filter(|stay| stay.0 == patient);
        let here = own().filter(|stay| self.takes_part(stay.1)).map(|stay| stay.2.unwrap_or(0)).max().unwrap();
        let later = own().any(|stay| !self.takes_part(stay.1) && stay.2.unwrap_or(99) > here);
        day.is_some_and(|day| !later || day <= here)
    }

    fn opened(&self) -> Tables {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(format!("{name}.csv")), text).unwrap();
        let list = |name: &str, column: &str, ids: &Option<Vec<u8>>| {
            let Some(ids) = ids else { return };
            let ids: std::collections::BTreeSet<&u8> = ids.iter().collect();
            write(name, &ids.iter().fold(format!("{column}\n"), |text, id| text + &format!("{id}\n")));
        };
        write("Patient", "Patient_ID\n1\n2\n3\n4\n");
        list("PatientsWithTypeOneDissent", "Patient_ID", &self.dissent);
        list("AllowedPatientsWithTypeOneDissent", "Patient_ID", &self.allowed);
        list("PatientsWithoutNDOO", "Patient_ID", &self.national);
        list("DirectionsAcknowledged", "Organisation_ID", &self.practices);
        let date = |day: Day| day.map(|day| format!("2020-05-{day:02}")).unwrap_or_default();
        let mut stays = "Registration_ID,Patient_ID,Organisation_ID,EndDate\n".to_owned();
        for (at, (patient, practice, end)) in self.stays.iter().enumerate() {
            let practice = practice.map(|practice| practice.to_string()).unwrap_or_default();
            writeln!(stays, "{at},{patient},{practice},{}", date(*end)).unwrap();
        }
        write("RegistrationHistory", &stays);
        let mut events = "CodedEvent_ID,Patient_ID,ConsultationDate\n".to_owned();
        for (at, (patient, day)) in self.events.iter().enumerate() {
            writeln!(events, "{at},{patient},{}", date(*day)).unwrap();
        }
        write("CodedEvent", &events);
        let policy = Policy::lifting(self.lifted.iter().copied());
        open(folder.path(), Catalogue::tpp(), &policy).unwrap().tables
    }
}

/// The first column of a table.
fn ids(tables: &Tables, table: &str) -> Vec<usize> {
    tables.get(table).unwrap().rows.iter().map(|row| row[0].int().unwrap() as usize).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn each_patient_and_row_is_shown_as_the_rule_says(world in world()) {
        let tables = world.opened();
        let patients: Vec<usize> = (1..5u8).filter(|id| world.shows_patient(*id)).map(usize::from).collect();
        prop_assert_eq!(ids(&tables, "Patient"), patients);
        let all = world.events.iter().enumerate();
        let events: Vec<usize> = all
            .filter(|(_, (patient, day))| world.shows_patient(*patient) && world.shows_event(*patient, *day))
            .map(|(at, _)| at)
            .collect();
        prop_assert_eq!(ids(&tables, "CodedEvent"), events);
        let all = world.stays.iter().enumerate();
        let stays: Vec<usize> = all
            .filter(|(_, (patient, at, _))| world.shows_patient(*patient) && (!world.activated() || world.takes_part(*at)))
            .map(|(at, _)| at)
            .collect();
        prop_assert_eq!(ids(&tables, "RegistrationHistory"), stays);
    }
}
