//! Rows about a death: one certificate, and the register of hospitals. Which of both know of it, and which cause they
//! name, is as the study expects; the day is the person's. Spec study-definitions.md 7.3.

use query::Value;

use super::Planting;
use crate::expectations::dates::day_number;
use crate::model::{DeathFact, Query};

/// Whether a death may be there and this variable not find it.
pub(crate) fn may_be_left_out(query: &Query) -> bool {
    matches!(query, Query::DeathCertificate { codes: Some(_), .. } | Query::CpnsDeath { .. })
}

/// Columns of a certificate for other causes.
const CAUSES: [&str; 4] = ["ICD10001", "ICD10002", "ICD10003", "ICD10004"];

impl Planting<'_, '_> {
    pub(super) fn deaths(&mut self) {
        let Some(died) = self.person.died else { return };
        let scene = self.scene;
        let (mut asked, mut in_hospital) = (false, false);
        let (mut underlying, mut place): (Option<Value>, Option<Value>) = (None, None);
        let mut causes: Vec<Value> = Vec::new();
        for wish in &scene.wishes {
            let query = &wish.variable.query;
            let mut dice = wish.what.of(self.person.key);
            let demanded = self.demands.get(&wish.id).and_then(|demand| demand.present);
            let share = if scene.census.has_deaths() {
                wish.incidence / scene.census.mortality().max(f64::MIN_POSITIVE)
            } else {
                1.0
            };
            let by_chance = || wish.who.of(self.person.key).unit() < share;
            let known = !may_be_left_out(query) || demanded.unwrap_or_else(by_chance);
            match query {
                Query::DeathCertificate { codes, returning, .. } => {
                    asked = true;
                    if !known {
                        continue;
                    }
                    let label = wish.values.as_ref().and_then(|draw| draw.label(dice.bits())).map(Value::text);
                    if *returning == DeathFact::Place {
                        place = place.or_else(|| label.clone());
                    }
                    let label = label.filter(|_| *returning == DeathFact::UnderlyingCause);
                    let Some(codes) = codes else {
                        underlying = underlying.or(label);
                        continue;
                    };
                    let code = scene.code(&codes.codes, None, self.person.key, self.demands, &mut dice);
                    match label {
                        Some(label) => underlying = underlying.or(Some(label)),
                        None if codes.only_underlying && underlying.is_none() => underlying = Some(code),
                        None => causes.push(code),
                    }
                }
                Query::CpnsDeath { .. } => in_hospital |= known,
                _ => {}
            }
        }
        if asked {
            causes.truncate(CAUSES.len());
            let main = underlying.or_else(|| causes.first().cloned()).unwrap_or(Value::text("I219"));
            let mut cells = vec![("dod", Value::Date(died)), ("icd10u", main)];
            cells.push(("Place_of_occurrence", place.unwrap_or(Value::text("Hospital"))));
            cells.extend(CAUSES.into_iter().zip(causes));
            self.store.push("ONS_Deaths", &cells);
        }
        if in_hospital {
            let id = self.store.id();
            self.store.push("CPNS", &[("Id", Value::Int(id)), ("DateOfDeath", Value::Date(died))]);
        }
        for wish in scene.wishes.iter().filter(|wish| super::is_death(&wish.variable.query)) {
            self.planted[wish.rows].push(day_number(died));
        }
    }
}
