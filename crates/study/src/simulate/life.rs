//! The rows that say who a person is: Patient, registrations, addresses, households.
//! Spec warehouse.md 4.4; the tables agree about birth, moves and death.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use query::Value;

use super::births::age;
use super::care_home;
use super::dice::Purpose;
use super::person::{day_of, midnight, msoa_code, stp_code};
use super::plant::Planting;
use super::wish::Wish;
use crate::model::{HouseholdFact, Query};

/// Moves are told from here on.
const MOVES: std::ops::Range<i16> = 2015..2035;

/// The end of what has not ended.
fn open_end() -> Date {
    date(9999, 12, 31)
}

/// One place in a life.
struct Stay {
    from: Date,
    to: Date,
    /// Which one of the person's places.
    nth: u64,
}

impl Planting<'_, '_> {
    /// After the events, for then it is known when the patient leaves.
    pub(super) fn settle(&mut self) {
        let text = |value: &Option<Value>| value.clone().unwrap_or(Value::text(""));
        let (born, died) = (self.person.born, self.person.died.map_or(Value::Null, Value::Date));
        let cells = [("DateOfBirth", Value::Date(born)), ("DateOfDeath", died), ("Sex", text(&self.person.sex))];
        self.store.push("Patient", &cells);
        self.registrations();
        self.addresses();
        self.household();
    }

    /// Homes from birth to now. Six of ten moves change the practice as well.
    fn stays(&self, purpose: Purpose, share: f64, gaps: bool) -> Vec<Stay> {
        let born = self.person.born;
        let now = day_of(self.scene.as_of);
        let mut stays = vec![Stay { from: born, to: open_end(), nth: 0 }];
        for year in MOVES {
            let mut dice = purpose.nth(self.person.key, year as u64);
            let turn = date(year, 1, 1);
            let rate = match age(born, turn) {
                18..=29 => 0.22,
                30..=39 => 0.10,
                _ => 0.05,
            };
            // The same die for homes and practices: who changes the practice has moved.
            if !dice.chance(rate * share) {
                continue;
            }
            let day = turn.saturating_add((dice.below(365) as i64).days());
            if day <= born || day > now {
                continue;
            }
            let gap = if gaps { dice.below(61) as i64 } else { 0 };
            let gap = if gaps && dice.chance(0.05) { -gap } else { gap };
            if let Some(last) = stays.last_mut() {
                last.to = day;
            }
            stays.push(Stay { from: day.saturating_add(gap.days()).max(born), to: open_end(), nth: year as u64 });
        }
        stays
    }

    fn registrations(&mut self) {
        let person = &self.person;
        let gone = person.died.into_iter().chain(person.left).chain(self.unregistered()).min();
        let mut stays = self.stays(self.scene.moves, 0.6, true);
        if self.messy {
            // One that was closed before the first one began, as mergers of practices leave them.
            let end = stays.first().map_or(person.born, |first| first.from.saturating_add(1.years()));
            stays.insert(0, Stay { from: person.born, to: end, nth: 1 });
        }
        for Stay { from, to, nth } in stays {
            let to = gone.map_or(to, |gone| to.min(gone));
            if to < from {
                continue;
            }
            let organisation = self.practice(nth);
            let id = self.store.id();
            let cells = [
                ("Registration_ID", Value::Int(id)),
                ("Organisation_ID", organisation),
                ("StartDate", midnight(from)),
                ("EndDate", midnight(to)),
            ];
            self.store.push("RegistrationHistory", &cells);
        }
        if self.messy {
            self.untidy();
        }
    }

    /// One of five practices of the same region and, where studies ask for them, STP and area.
    fn practice(&mut self, nth: u64) -> Value {
        let person = &self.person;
        let text = |value: Option<&Value>| match value {
            Some(Value::Str(text)) => text.to_string(),
            _ => String::new(),
        };
        let [region, stp, msoa] =
            [&person.region, person.stp.as_ref().unwrap_or(&None), person.practice_msoa.as_ref().unwrap_or(&None)]
                .map(|value| text(value.as_ref()));
        let slot = self.scene.places.nth(person.key, nth).below(5);
        let mut own = Purpose::new(slot, &format!("{region}|{stp}|{msoa}")).of(0);
        let id = Value::Int(own.below(1 << 31) as i64 + 1);
        if self.store.is_new("Organisation", &id) {
            let live = date(1998, 1, 1).saturating_add((own.below(18) as i64).years());
            // What no study asks for follows from the practice.
            let stp = if person.stp.is_none() { stp_code(&mut own) } else { Value::text(stp) };
            let msoa = if person.practice_msoa.is_none() { msoa_code(&mut own) } else { Value::text(msoa) };
            let cells = [
                ("Organisation_ID", id.clone()),
                ("GoLiveDate", Value::Date(live)),
                ("STPCode", stp),
                ("MSOACode", msoa),
                ("Region", Value::text(region)),
            ];
            self.store.push("Organisation", &cells);
            self.store.push("DirectionsAcknowledged", &[("Organisation_ID", id.clone())]);
            self.trials(&id);
        }
        id
    }

    /// Rows that no study asks for: codes of no list, and an event without a day.
    fn untidy(&mut self) {
        let born = self.person.born;
        for (code, moment) in [("zzz0.", midnight(born)), ("zzz1.", Value::Null), ("", midnight(born))] {
            let id = self.store.id();
            let cells = [
                ("CodedEvent_ID", Value::Int(id)),
                ("ConsultationDate", moment),
                ("CTV3Code", Value::text(code)),
                ("NumericValue", Value::Null),
            ];
            self.store.push("CodedEvent", &cells);
        }
    }

    /// The day after which nobody has this patient, where a variable wishes for it.
    fn unregistered(&self) -> Option<Date> {
        let scene = self.scene;
        let mut registered = scene.wishes.iter().filter(|wish| matches!(wish.variable.query, Query::Registered { .. }));
        let gone = registered.any(|wish| {
            (wish.said || self.demands.contains_key(&wish.id)) && !scene.present(wish, self.person.key, self.demands)
        });
        gone.then(|| day_of(scene.earliest_index).saturating_sub(400.days()).max(self.person.born))
    }

    fn addresses(&mut self) {
        let number = |value: &Option<Value>| match value {
            Some(Value::Str(text)) => text.trim().parse::<i64>().map_or(Value::Null, Value::Int),
            Some(number) => number.clone(),
            None => Value::Null,
        };
        let person = &self.person;
        let (imd, rural) = (number(&person.imd), number(&person.rural));
        let msoa = person.msoa.clone().unwrap_or(Value::text(""));
        let care_home = person.care_home.clone();
        for Stay { from, to, .. } in self.stays(self.scene.moves, 1.0, false) {
            let id = self.store.id();
            let cells = [
                ("PatientAddress_ID", Value::Int(id)),
                ("StartDate", midnight(from)),
                ("EndDate", midnight(to)),
                ("AddressType", Value::Int(0)),
                ("RuralUrbanClassificationCode", rural.clone()),
                ("ImdRankRounded", imd.clone()),
                ("MSOACode", msoa.clone()),
            ];
            self.store.push("PatientAddress", &cells);
            let nursing = match &care_home {
                None => continue,
                Some(Value::Str(kind)) if **kind == *care_home::NURSING => true,
                Some(Value::Str(kind)) if **kind == *care_home::RESIDENTIAL => false,
                Some(_) => self.person.dice(self.scene.places).chance(0.5),
            };
            let [yes, no] = [nursing, !nursing].map(|yes| Value::text(if yes { "Y" } else { "N" }));
            let cells = [
                ("PatientAddress_ID", Value::Int(id)),
                ("LocationRequiresNursing", yes),
                ("LocationDoesNotRequireNursing", no),
            ];
            self.store.push("PotentialCareHomeAddress", &cells);
        }
    }

    fn household(&mut self) {
        let scene = self.scene;
        let houses: Vec<&Wish> =
            scene.wishes.iter().filter(|wish| matches!(wish.variable.query, Query::Household(_))).collect();
        if houses.is_empty() {
            return;
        }
        let person = &self.person;
        let of = |wanted: HouseholdFact| houses.iter().find(|wish| wish.variable.query == Query::Household(wanted));
        let number = |wanted| of(wanted).and_then(|wish| wish.values.as_ref()?.number(person.dice(wish.what).bits()));
        let flag = |wanted| of(wanted).is_some_and(|wish| wish.has(person.key));
        let mut dice = person.dice(scene.places);
        let size = number(HouseholdFact::HouseholdSize)
            .map_or(1 + dice.weighted(&[0.13, 0.27, 0.2, 0.24, 0.11, 0.05]) as i64, |n| n as i64);
        let msoa = of(HouseholdFact::Msoa).and_then(|wish| wish.values.as_ref()?.label(person.dice(wish.what).bits()));
        let id = number(HouseholdFact::PseudoId).map_or(person.id, |n| n as i64 * 10_000_000 + person.id);
        let share = number(HouseholdFact::PercentageOfMembersWithDataInThisBackend).map_or(100, |n| n as i64);
        let cells = [
            ("Household_ID", Value::Int(id)),
            ("HouseholdSize", Value::Int(size.max(1))),
            ("CareHome", Value::Bool(false)),
            ("Prison", Value::Bool(flag(HouseholdFact::IsPrison))),
            ("NFA_Unknown", Value::Bool(false)),
            ("MatchesUprnCount", Value::Bool(true)),
            ("MixedSoftwareHousehold", Value::Bool(flag(HouseholdFact::HasMembersInOtherEhrSystems))),
            ("TppPercentage", Value::Int(share)),
            ("MSOA", Value::text(msoa.unwrap_or_default())),
        ];
        self.store.push("Household", &cells);
        let member = self.store.id();
        self.store
            .push("HouseholdMember", &[("HouseholdMember_ID", Value::Int(member)), ("Household_ID", Value::Int(id))]);
    }
}
