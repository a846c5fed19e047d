//! Base patients: birth, sex, places and death, from the seed, the census and a number alone, so that they are the same
//! people in every file of a repository. Spec study-definitions.md 10.2.1, warehouse.md 4.4.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use query::Value;

use super::births::age;
use super::census::{Trait, trait_of};
use super::dice::{Dice, Purpose};
use super::scene::Scene;
use crate::model::Query;

/// One patient in the making.
pub(crate) struct Person {
    /// Which one of the candidates: rows have numbers by it.
    pub(crate) number: u64,
    /// Whose dice: of a patient of a value file those of its id.
    pub(crate) key: u64,
    pub(crate) id: i64,
    pub(crate) born: Date,
    pub(crate) died: Option<Date>,
    /// The day from which no practice has this patient any more.
    pub(crate) left: Option<Date>,
    pub(crate) sex: Option<Value>,
    pub(crate) region: Option<Value>,
    /// `None` for what follows from the practice.
    pub(crate) stp: Option<Option<Value>>,
    pub(crate) practice_msoa: Option<Option<Value>>,
    pub(crate) imd: Option<Value>,
    pub(crate) rural: Option<Value>,
    pub(crate) msoa: Option<Value>,
    pub(crate) care_home: Option<Value>,
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

pub(crate) fn stp_code(dice: &mut Dice) -> Value {
    Value::text(format!("E540000{:02}", 5 + dice.below(42)))
}

pub(crate) fn msoa_code(dice: &mut Dice) -> Value {
    Value::text(format!("E0200{:04}", 1 + dice.below(6_791)))
}

impl Person {
    /// Ids ascend with the number.
    pub(crate) fn id(scene: &Scene, number: u64) -> i64 {
        let beyond = scene.listed.last().copied().unwrap_or(0).max(0);
        let numbered = || beyond.saturating_add(number as i64 * 10 + 1 + scene.base.of(number).below(9) as i64);
        scene.listed.get(number as usize).copied().unwrap_or_else(numbered)
    }

    /// The person with this number; `None` for one that the study does not take.
    pub(crate) fn new(scene: &Scene, number: u64) -> Option<Self> {
        let listed = scene.listed.get(number as usize).copied();
        let key = listed.map_or(number, |id| id as u64 ^ (1 << 63));
        let born = match listed {
            None => scene.births.of(key)?,
            Some(_) => scene.births.of_listed(key),
        };
        let id = Self::id(scene, number);
        let census = &scene.census;
        let value = |of: Trait, otherwise: fn(&mut Dice) -> Value| {
            census.value(of, scene.traits[of as usize].of(key), otherwise)
        };
        let nested = |of: Trait| census.decides(of).then(|| value(of, stp_code));
        let mut person = Self {
            number,
            key,
            id,
            born,
            died: None,
            left: None,
            sex: value(Trait::Sex, |dice| {
                Value::text(["F", "M", "I", "U"][dice.weighted(&[0.505, 0.493, 0.001, 0.001])])
            }),
            region: value(Trait::Region, |dice| {
                Value::text(REGIONS[dice.weighted(&REGIONS.map(|(_, weight)| weight))].0)
            }),
            stp: nested(Trait::Stp),
            practice_msoa: nested(Trait::PracticeMsoa),
            imd: value(Trait::Imd, |dice| Value::Int(dice.below(329) as i64 * 100)),
            rural: value(Trait::Rural, |dice| Value::Int(1 + dice.below(8) as i64)),
            msoa: value(Trait::Msoa, msoa_code),
            care_home: None,
        };
        person.care_home = person.in_care_home(scene);
        person.died = person.death(scene);
        Some(person)
    }

    /// A word of this patient for a purpose of its own.
    pub(crate) fn dice(&self, purpose: Purpose) -> Dice {
        purpose.of(self.key)
    }

    /// As expected, else as in the country; the label of what is expected.
    fn in_care_home(&self, scene: &Scene) -> Option<Value> {
        let mut dice = self.dice(scene.traits[Trait::CareHome as usize]);
        if scene.census.decides(Trait::CareHome) {
            return scene.census.value(Trait::CareHome, dice, |_| Value::text(super::care_home::ANY));
        }
        let share = match age(self.born, day_of(scene.as_of)) {
            85.. => 0.14,
            75..=84 => 0.02,
            65..=74 => 0.006,
            _ => 0.0,
        };
        dice.chance(share).then(|| Value::text(super::care_home::ANY))
    }

    /// As the studies expect; where none asks, the hazard of the last year.
    fn death(&self, scene: &Scene) -> Option<Date> {
        if scene.census.has_deaths() {
            let day = scene.census.death(scene.death, self.key).map(day_of);
            return day.filter(|day| *day >= self.born);
        }
        let mut dice = self.dice(scene.death);
        let as_of = day_of(scene.as_of);
        let died = as_of.saturating_sub(dice.below(365).min(364) as i64 * 1.day());
        let hazard = 0.000_03 * libm::exp(0.095 * age(self.born, as_of).clamp(0, 120) as f64);
        (dice.chance(hazard) && died >= self.born).then_some(died)
    }

    /// A fact as a study would read it: '' for none, -1 for no rank.
    pub(crate) fn fact(&self, query: &Query) -> Option<&Option<Value>> {
        Some(match trait_of(query)? {
            Trait::Sex => &self.sex,
            Trait::Region => &self.region,
            Trait::Stp => self.stp.as_ref()?,
            Trait::PracticeMsoa => self.practice_msoa.as_ref()?,
            Trait::Imd => &self.imd,
            Trait::Rural => &self.rural,
            Trait::Msoa => &self.msoa,
            Trait::CareHome => &self.care_home,
        })
    }
}
