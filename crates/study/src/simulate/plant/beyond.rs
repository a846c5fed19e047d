//! Rows that a folder of tables has and no answer hangs on: events and issues with codes of no list, and who opted out.
//! Spec warehouse.md 4.4 (background, opt-outs) and 9.

use jiff::ToSpan;
use query::Value;

use super::super::person::{Person, day_of};
use super::super::scene::Scene;
use super::super::store::Store;

/// Years of background events, and how many there are in a year (warehouse.md 4.4).
const YEARS: u64 = 2;
const EVENTS: u64 = 5;
const ISSUES: u64 = 6;
/// Codes that background events and issues have.
const CODES: f64 = 60_000.0;
const DRUGS: f64 = 20_000.0;

/// Adds them for a person whose rows were just planted. Patients of the population did not opt out.
pub(crate) fn beyond(scene: &Scene, person: &Person, inside: bool, store: &mut Store) {
    let mut dice = person.dice(scene.background);
    if !inside && dice.chance(0.5) {
        store.push("PatientsWithTypeOneDissent", &[]);
    } else {
        store.push("AllowedPatientsWithTypeOneDissent", &[]);
    }
    if inside || dice.chance(0.5) {
        store.push("PatientsWithoutNDOO", &[]);
    }
    let last = person.died.map_or(day_of(scene.as_of), |died| died.min(day_of(scene.as_of)));
    let moment = |dice: &mut super::super::dice::Dice| {
        let day = last.saturating_sub((dice.below(YEARS * 365) as i64).days());
        let (hour, minute) = (8 + dice.below(10) as i8, dice.below(60) as i8);
        (day >= person.born).then(|| Value::DateTime(day.at(hour, minute, 0, 0)))
    };
    // Frequent codes come first, as Zipf's law has it.
    let rank = |unit: f64, codes: f64| libm::exp(unit * libm::log(codes)) as u64;
    for _ in 0..dice.below(2 * YEARS * EVENTS + 1) {
        let Some(moment) = moment(&mut dice) else { continue };
        let code = format!("{:05}", rank(dice.unit(), CODES));
        if scene.lists_code(&code) {
            continue;
        }
        let id = store.id();
        let cells = [("CodedEvent_ID", Value::Int(id)), ("ConsultationDate", moment), ("CTV3Code", Value::text(code))];
        store.push("CodedEvent", &cells);
    }
    for _ in 0..dice.below(2 * YEARS * ISSUES + 1) {
        let Some(moment) = moment(&mut dice) else { continue };
        let code = format!("9{:05}", rank(dice.unit(), DRUGS));
        if scene.lists_code(&code) {
            continue;
        }
        let (id, drug) = (store.id(), Value::text(format!("drug {code}")));
        let cells = [
            ("MedicationIssue_ID", Value::Int(id)),
            ("MultilexDrug_ID", drug.clone()),
            ("StartDate", moment.clone()),
            ("ConsultationDate", moment),
        ];
        store.push("MedicationIssue", &cells);
        if store.is_new("MedicationDictionary", &drug) {
            store.push("MedicationDictionary", &[("MultilexDrug_ID", drug), ("DMD_ID", Value::text(code))]);
        }
    }
}
