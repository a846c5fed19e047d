//! Base patients: birth, sex, practice, address, and the rows that say so. The same people for every study, except that
//! ages, sexes and places follow a study's expectations. Spec study-definitions.md 10.2.1, warehouse.md 4.4.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use query::Value;

use super::dice::{Dice, Purpose};
use super::scene::Scene;
use super::solve::{Demand, Demands};
use super::store::Store;
use super::wish::Wish;
use crate::expectations::dates::day_number;
use crate::model::{AddressFact, ColumnType, HouseholdFact, PracticeFact, Query};

/// One patient in the making.
pub(crate) struct Person {
    /// Which one of the seed's people.
    pub(crate) number: u64,
    pub(crate) id: i64,
    pub(crate) born: Date,
    pub(crate) died: Option<Date>,
    pub(crate) store: Store,
}

/// Practices' regions with their weights (warehouse.md 4.4).
const REGIONS: [(&str, f64); 9] = [
    ("North East", 4.7),
    ("North West", 13.0),
    ("Yorkshire and The Humber", 9.8),
    ("East Midlands", 8.6),
    ("West Midlands", 10.5),
    ("East", 11.1),
    ("London", 15.9),
    ("South East", 16.4),
    ("South West", 10.0),
];

/// The day of a number of days from 1970-01-01; the ends of the calendar beyond it.
pub(crate) fn day_of(number: i32) -> Date {
    // More than any calendar holds is no number of days.
    let day = date(1970, 1, 1).checked_add(i64::from(number.clamp(-4_000_000, 3_000_000)).days());
    day.unwrap_or(if number < 0 { Date::MIN } else { Date::MAX })
}

/// Midnight of a day.
pub(crate) fn midnight(day: Date) -> Value {
    Value::DateTime(day.at(0, 0, 0, 0))
}

impl Person {
    /// The patient with this number, as far as no event is concerned.
    pub(crate) fn new(scene: &Scene, number: u64, demands: &Demands) -> Self {
        let beyond = scene.listed.last().copied().unwrap_or(0).max(0);
        let numbered = || beyond + number as i64 * 10 + 1 + scene.base.of(number).below(9) as i64;
        let id = scene.listed.get(number as usize).copied().unwrap_or_else(numbered);
        let born = birth(scene, number, demands);
        let mut person = Self { number, id, born, died: None, store: Store::after((number as i64 + 1) * 100_000) };
        person.background_death(scene, demands);
        person
    }

    /// A word of this patient for a purpose of its own.
    pub(crate) fn dice(&self, purpose: Purpose) -> Dice {
        purpose.of(self.number)
    }

    /// Adds a row of this patient.
    pub(crate) fn push(&mut self, table: &str, cells: &[(&str, Value)]) {
        let mut row = vec![(query::PATIENT_ID, Value::Int(self.id))];
        row.extend(cells.iter().cloned());
        self.store.push(table, &row);
    }

    /// Deaths that no variable wishes for: the hazard of the last year, told by the practice and mostly by certificate.
    fn background_death(&mut self, scene: &Scene, demands: &Demands) {
        let alive = scene
            .wishes
            .iter()
            .any(|wish| wish.group == "death" && demands.get(&wish.id).is_some_and(|d| d.present == Some(false)));
        let mut dice = scene.death.of(self.number);
        let as_of = day_of(scene.as_of);
        let age = f64::from((scene.as_of - day_number(self.born)) / 365);
        let asked = scene.wishes.iter().any(|wish| wish.group == "death");
        if !alive && !asked && dice.chance(0.000_03 * libm::exp(0.095 * age)) {
            let died = as_of.saturating_sub(dice.below(365).min(364) as i64 * 1.day());
            self.died = Some(died.max(self.born));
        }
    }

    /// The rows of Patient, registrations and addresses; after the events, for the day of death is known then.
    pub(crate) fn settle(&mut self, scene: &Scene, demands: &Demands) {
        let sex = scene.labelled(
            self,
            demands,
            1,
            |query| matches!(query, Query::Sex),
            |dice| ["F", "M", "I", "U"][dice.weighted(&[0.505, 0.493, 0.001, 0.001])].to_owned(),
        );
        let (born, died) = (self.born, self.died.map_or(Value::Null, Value::Date));
        self.push("Patient", &[("DateOfBirth", Value::Date(born)), ("DateOfDeath", died), ("Sex", Value::text(sex))]);
        self.register(scene, demands);
        self.house(scene, demands);
    }

    fn register(&mut self, scene: &Scene, demands: &Demands) {
        let mut dice = self.dice(scene.places);
        let fact = |wanted: fn(&PracticeFact) -> bool| move |query: &Query| matches!(query, Query::Practice { returning, .. } if wanted(returning));
        let region = scene.labelled(self, demands, 2, fact(|f| *f == PracticeFact::Nuts1RegionName), |dice| {
            REGIONS[dice.weighted(&REGIONS.map(|(_, weight)| weight))].0.to_owned()
        });
        let asks =
            |wanted: PracticeFact| scene.wishes.iter().any(|wish| fact_of(&wish.variable.query) == Some(&wanted));
        let nested = (!asks(PracticeFact::StpCode), !asks(PracticeFact::MsoaCode));
        let stp_code = |dice: &mut Dice| format!("E540000{:02}", 5 + dice.below(42));
        let msoa_code = |dice: &mut Dice| format!("E0200{:04}", 1 + dice.below(6_791));
        let stp = scene.labelled(self, demands, 3, fact(|f| *f == PracticeFact::StpCode), stp_code);
        let stp = if nested.0 { String::new() } else { stp };
        let msoa = scene.labelled(self, demands, 4, fact(|f| *f == PracticeFact::MsoaCode), msoa_code);
        let msoa = if nested.1 { String::new() } else { msoa };
        let until = self.registered_until(scene, demands);
        let years = 1 + dice.below(25) as i64;
        let earliest = day_of(scene.earliest_index).saturating_sub((years * 365).days());
        let start = earliest.max(self.born);
        let gone = self.died.into_iter().chain(until).min();
        let end = gone.unwrap_or(date(9999, 12, 31));
        let firmly = demands.iter().any(|(id, demand)| {
            demand.present == Some(true) && matches!(scene.study[*id].query, Query::Registered { .. })
        });
        let practice = |store: &mut Store, number: u64| {
            let mut own = Purpose::new(number, &format!("{region}|{stp}|{msoa}")).of(0);
            let id = own.below(1 << 31) as i64 + 1;
            let live = Value::Date(date(1998, 1, 1).saturating_add((own.below(18) as i64).years()));
            // What no variable asks for follows from the practice.
            let stp = if nested.0 { stp_code(&mut own) } else { stp.clone() };
            let msoa = if nested.1 { msoa_code(&mut own) } else { msoa.clone() };
            let known = store.holds("Organisation", "Organisation_ID", &Value::Int(id));
            if !known {
                let places = [("STPCode", stp.as_str()), ("MSOACode", msoa.as_str()), ("Region", region.as_str())];
                let mut cells = vec![("Organisation_ID", Value::Int(id)), ("GoLiveDate", live)];
                cells.extend(places.map(|(name, text)| (name, Value::text(text))));
                store.push("Organisation", &cells);
            }
            Value::Int(id)
        };
        let mut spells = vec![(start, end)];
        if !firmly && dice.chance(0.1) && start.saturating_add(2.years()) < end.min(day_of(scene.as_of)) {
            let moved = start.saturating_add(1.years());
            spells = vec![(start, moved), (moved, end)];
        }
        if scene.mess.of(self.number).chance(scene.mess_share) {
            self.untidy();
            let closed = start.saturating_sub(3.years()).max(self.born);
            spells.insert(0, (closed, closed.saturating_add(1.years()).min(start)));
        }
        for (start, end) in spells {
            let (id, organisation) = (self.store.id(), practice(&mut self.store, dice.below(5)));
            let times = [("StartDate", midnight(start)), ("EndDate", midnight(end))];
            let mut cells = vec![("Registration_ID", Value::Int(id)), ("Organisation_ID", organisation)];
            cells.extend(times);
            self.push("RegistrationHistory", &cells);
        }
    }

    /// Rows that no study asks for: codes of no list, and an event without a day.
    fn untidy(&mut self) {
        let born = self.born;
        for (code, moment) in [("zzz0.", midnight(born)), ("zzz1.", Value::Null), ("", midnight(born))] {
            let id = self.store.id();
            self.push(
                "CodedEvent",
                &[
                    ("CodedEvent_ID", Value::Int(id)),
                    ("ConsultationDate", moment),
                    ("CTV3Code", Value::text(code)),
                    ("NumericValue", Value::Null),
                ],
            );
        }
    }

    /// The day after which nobody has this patient, where a variable wishes for it.
    fn registered_until(&self, scene: &Scene, demands: &Demands) -> Option<Date> {
        let registered = scene.wishes.iter().filter(|wish| matches!(wish.variable.query, Query::Registered { .. }));
        let gone = registered
            .filter(|wish| wish.said || demands.contains_key(&wish.id))
            .any(|wish| !scene.present(wish, self, demands));
        gone.then(|| day_of(scene.earliest_index).saturating_sub(400.days()).max(self.born))
    }

    fn house(&mut self, scene: &Scene, demands: &Demands) {
        let fact =
            |wanted| move |query: &Query| matches!(query, Query::Address { returning, .. } if *returning == wanted);
        let number = |text: String| text.trim().parse::<i64>().map_or(Value::Null, Value::Int);
        let imd = scene.labelled(self, demands, 5, fact(AddressFact::IndexOfMultipleDeprivation), |dice| {
            (dice.below(329) * 100).to_string()
        });
        let rural = scene.labelled(self, demands, 6, fact(AddressFact::RuralUrbanClassification), |dice| {
            (1 + dice.below(8)).to_string()
        });
        let msoa = scene
            .labelled(self, demands, 7, fact(AddressFact::Msoa), |dice| format!("E0200{:04}", dice.below(6_791) + 1));
        let id = self.store.id();
        let born = self.born;
        self.push(
            "PatientAddress",
            &[
                ("PatientAddress_ID", Value::Int(id)),
                ("StartDate", midnight(born)),
                ("EndDate", midnight(date(9999, 12, 31))),
                ("AddressType", Value::Int(0)),
                ("RuralUrbanClassificationCode", number(rural)),
                ("ImdRankRounded", number(imd)),
                ("MSOACode", Value::text(msoa)),
            ],
        );
        if scene
            .wishes
            .iter()
            .any(|wish| matches!(wish.variable.query, Query::CareHome { .. }) && scene.present(wish, self, demands))
        {
            let nursing = self.dice(scene.places).chance(0.5);
            let [yes, no] = [nursing, !nursing].map(|yes| Value::text(if yes { "Y" } else { "N" }));
            self.push(
                "PotentialCareHomeAddress",
                &[
                    ("PatientAddress_ID", Value::Int(id)),
                    ("LocationRequiresNursing", yes),
                    ("LocationDoesNotRequireNursing", no),
                ],
            );
        }
        self.household(scene);
    }

    fn household(&mut self, scene: &Scene) {
        let houses: Vec<&Wish> =
            scene.wishes.iter().filter(|wish| matches!(wish.variable.query, Query::Household(_))).collect();
        if houses.is_empty() {
            return;
        }
        let of = |wanted: HouseholdFact| houses.iter().find(|wish| wish.variable.query == Query::Household(wanted));
        let number = |wanted| of(wanted).and_then(|wish| wish.values.as_ref()?.number(self.dice(wish.what).bits()));
        let flag = |wanted| of(wanted).is_some_and(|wish| wish.has(self.number));
        let mut dice = self.dice(scene.places);
        let size = number(HouseholdFact::HouseholdSize)
            .map_or(1 + dice.weighted(&[0.13, 0.27, 0.2, 0.24, 0.11, 0.05]) as i64, |n| n as i64);
        let msoa = of(HouseholdFact::Msoa).and_then(|wish| wish.values.as_ref()?.label(self.dice(wish.what).bits()));
        let id = number(HouseholdFact::PseudoId).map_or(self.id, |n| n as i64 * 10_000_000 + self.id);
        let cells = [
            ("Household_ID", Value::Int(id)),
            ("HouseholdSize", Value::Int(size.max(1))),
            ("CareHome", Value::Bool(false)),
            ("Prison", Value::Bool(flag(HouseholdFact::IsPrison))),
            ("NFA_Unknown", Value::Bool(false)),
            ("MatchesUprnCount", Value::Bool(true)),
            ("MixedSoftwareHousehold", Value::Bool(flag(HouseholdFact::HasMembersInOtherEhrSystems))),
            (
                "TppPercentage",
                Value::Int(number(HouseholdFact::PercentageOfMembersWithDataInThisBackend).map_or(100, |n| n as i64)),
            ),
            ("MSOA", Value::text(msoa.unwrap_or_default())),
        ];
        self.store.push("Household", &cells);
        let member = self.store.id();
        self.push("HouseholdMember", &[("HouseholdMember_ID", Value::Int(member)), ("Household_ID", Value::Int(id))]);
    }
}

fn fact_of(query: &Query) -> Option<&PracticeFact> {
    match query {
        Query::Practice { returning, .. } => Some(returning),
        _ => None,
    }
}

/// The first of a month: from the first variable that asks for an age, else as in the country.
fn birth(scene: &Scene, number: u64, demands: &Demands) -> Date {
    let mut dice = scene.base.of(number);
    dice.bits();
    let aged = scene
        .wishes
        .iter()
        .find(|wish| matches!(wish.variable.query, Query::AgeAsOf(_)) && wish.variable.kind == ColumnType::Int);
    let reference = aged.map_or(scene.as_of, |wish| match &wish.variable.query {
        Query::AgeAsOf(day) => {
            day.resolve(scene.runs[0].index_date, scene.runs[0].today).ok().flatten().map_or(scene.as_of, day_number)
        }
        _ => scene.as_of,
    });
    let free = Demand::default();
    let demand = aged.and_then(|wish| demands.get(&wish.id)).unwrap_or(&free);
    let mut age = 40;
    for _ in 0..200 {
        let bits = dice.bits();
        let drawn = aged.and_then(|wish| wish.values.as_ref()?.number(bits));
        age = drawn
            .map_or_else(|| scene.country.as_ref().map_or(40, |ages| ages.pick(bits) as i64), |age| age as i64)
            .clamp(0, 120);
        if demand.takes(age as f64) {
            break;
        }
    }
    // Born in the twelve months in which this age is reached by the day asked for.
    let within = dice.below(12) as i64;
    let then = day_of(reference).saturating_sub(age.years()).first_of_month();
    then.saturating_sub(within.months())
}
