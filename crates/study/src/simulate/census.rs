//! What the studies of a repository expect of people as such: sex, places, deaths. The first study that asks decides,
//! so that all files of a repository tell the same of a person. Spec study-definitions.md 10.2.1.

use std::collections::BTreeMap;

use jiff::civil::Date;
use query::Value;

use super::care_home;
use super::dice::{Dice, Purpose};
use super::wish::{Wish, as_of, wishes};
use crate::expectations::Settings as Run;
use crate::expectations::dates::day_number;
use crate::expectations::draw::Days;
use crate::expectations::period;
use crate::expectations::weighted::Weighted;
use crate::model::{AddressFact, PracticeFact, Query, Study};
use crate::recording::Recording;

/// A fact about a person that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trait {
    Sex,
    Region,
    Stp,
    PracticeMsoa,
    Imd,
    Rural,
    Msoa,
    CareHome,
}

/// What is expected of people in all studies of a repository. Ask the studies in the order of their names, each file
/// with the same census; a census that nobody was asked for is that of the study alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Census {
    traits: BTreeMap<Trait, Expected>,
    deaths: Option<Deaths>,
}

#[derive(Debug, Clone, PartialEq)]
struct Expected {
    /// Share of people with a value.
    incidence: f64,
    /// Empty where no labels are expected.
    labels: Vec<Value>,
    weights: Option<Weighted>,
    study: String,
}

#[derive(Debug, Clone, PartialEq)]
struct Deaths {
    incidence: f64,
    /// Whether expectations say so.
    said: bool,
    /// Where deaths lie, one after the other, with the share of the incidence that belongs to it.
    spans: Vec<(Days, f64)>,
    study: String,
}

/// Share of deaths where nothing is said about it.
const UNSAID_DEATHS: f64 = 0.1;

impl Census {
    /// Takes over what a study expects, as far as no study before it did.
    pub fn ask(&mut self, study: &Study, recording: &Recording, index_dates: &[Date], today: Date) {
        let runs = runs(study, index_dates, today);
        let wishes = wishes(study, recording, &runs, 0);
        self.add(&wishes, &runs, &recording.module);
    }

    pub(crate) fn add(&mut self, wishes: &[Wish], runs: &[Run], study: &str) {
        for wish in wishes {
            if let Some(of) = trait_of(&wish.variable.query)
                && !self.traits.contains_key(&of)
            {
                let (labels, weights) = match wish.values.as_ref().and_then(|draw| draw.labels()) {
                    Some((labels, weights)) => {
                        let known = |label: &String| match of {
                            Trait::CareHome => Value::text(care_home::kind(&wish.variable.query, label)),
                            _ => Value::text(label),
                        };
                        (labels.iter().map(known).collect(), Some(weights.clone()))
                    }
                    None => (Vec::new(), None),
                };
                // A variable without expectations of its own, as one nested in an expression, says nothing of people.
                if wish.said && (weights.is_some() || of == Trait::CareHome) {
                    let expected = Expected { incidence: wish.incidence, labels, weights, study: study.to_owned() };
                    self.traits.insert(of, expected);
                }
            }
        }
        // What is said wins over what a study that says nothing would have.
        let known = self.deaths.as_ref();
        if known.is_none_or(|known| !known.said) {
            let new = deaths(wishes, runs, study).filter(|new| known.is_none() || new.said);
            self.deaths = new.or(self.deaths.take());
        }
    }

    /// Which study decided, if it is another one than this.
    pub(crate) fn other(&self, query: &Query, study: &str) -> Option<&str> {
        let decided = match trait_of(query) {
            Some(of) => self.traits.get(&of).map(|expected| &expected.study),
            None => self.deaths.as_ref().filter(|_| is_death(query)).map(|deaths| &deaths.study),
        };
        decided.map(String::as_str).filter(|decided| *decided != study)
    }

    /// Whether a study says how this is.
    pub(crate) fn decides(&self, of: Trait) -> bool {
        self.traits.contains_key(&of)
    }

    /// Whether a study asks about deaths.
    pub(crate) fn has_deaths(&self) -> bool {
        self.deaths.is_some()
    }

    /// Share of people who die, at one of the dates.
    pub(crate) fn mortality(&self) -> f64 {
        self.deaths.as_ref().map_or(0.0, |deaths| deaths.incidence)
    }

    /// A person's value: of the labels that are expected, else `otherwise`; `None` for a person without.
    pub(crate) fn value(&self, of: Trait, mut dice: Dice, otherwise: impl FnOnce(&mut Dice) -> Value) -> Option<Value> {
        let Some(expected) = self.traits.get(&of) else { return Some(otherwise(&mut dice)) };
        if dice.unit() >= expected.incidence {
            return None;
        }
        let label = expected.weights.as_ref().and_then(|weights| expected.labels.get(weights.pick(dice.bits())));
        match label {
            Some(Value::Str(text)) if text.is_empty() => None,
            Some(label) => Some(label.clone()),
            None => Some(otherwise(&mut dice)),
        }
    }

    /// The day of death, from 1970-01-01.
    pub(crate) fn death(&self, purpose: Purpose, key: u64) -> Option<i32> {
        let deaths = self.deaths.as_ref()?;
        deaths.spans.iter().zip(0..).find_map(|((days, share), nth)| {
            let mut dice = purpose.nth(key, nth);
            (dice.unit() < deaths.incidence * share).then(|| days.pick(dice.bits()))
        })
    }
}

/// The runs of a study.
pub(crate) fn runs(study: &Study, index_dates: &[Date], today: Date) -> Vec<Run> {
    let run = |index_date: Option<Date>| Run { index_date, today, patients: 0, seed: 0 };
    match index_dates.is_empty() {
        true => vec![run(study.index_date)],
        false => index_dates.iter().map(|day| run(Some(*day))).collect(),
    }
}

/// What of a person a query asks for.
pub(crate) fn trait_of(query: &Query) -> Option<Trait> {
    Some(match query {
        Query::Sex => Trait::Sex,
        Query::Practice { returning, .. } => match returning {
            PracticeFact::Nuts1RegionName => Trait::Region,
            PracticeFact::StpCode => Trait::Stp,
            PracticeFact::MsoaCode => Trait::PracticeMsoa,
            _ => return None,
        },
        Query::Address { returning, .. } => match returning {
            AddressFact::IndexOfMultipleDeprivation => Trait::Imd,
            AddressFact::RuralUrbanClassification => Trait::Rural,
            AddressFact::Msoa => Trait::Msoa,
        },
        Query::CareHome { .. } => Trait::CareHome,
        _ => return None,
    })
}

pub(crate) fn is_death(query: &Query) -> bool {
    matches!(query, Query::DeathCertificate { .. } | Query::CpnsDeath { .. } | Query::PrimaryCareDeath { .. })
}

/// Deaths as a study expects them: from a variable about all deaths, if there is one, else from the most frequent.
fn deaths(wishes: &[Wish], runs: &[Run], study: &str) -> Option<Deaths> {
    let all: Vec<&Wish> = wishes.iter().filter(|wish| is_death(&wish.variable.query)).collect();
    let any_cause = |wish: &&&Wish| {
        matches!(wish.variable.query, Query::DeathCertificate { codes: None, .. } | Query::PrimaryCareDeath { .. })
    };
    let said = || all.iter().filter(|wish| wish.said);
    let chosen = said()
        .find(any_cause)
        .or_else(|| said().max_by(|a, b| a.incidence.total_cmp(&b.incidence).then(b.id.cmp(&a.id))));
    let wish = chosen.or(all.first())?;
    let as_of = as_of(wishes, runs, runs.first().map_or(Date::MAX, |run| run.today));
    let mut spans: Vec<(Days, f64)> = Vec::new();
    let mut covered = i32::MIN;
    for (run, expected) in runs.iter().zip(&wish.days) {
        let resolved = |end: &Option<crate::model::DateExpr>| {
            end.as_ref().and_then(|end| end.resolve(run.index_date, run.today).ok().flatten()).map(day_number)
        };
        let period = period::of(&wish.variable.query);
        let from = period.and_then(|period| resolved(&period.from)).unwrap_or(i32::MIN);
        let to = period.and_then(|period| resolved(&period.to)).unwrap_or(i32::MAX);
        let Some(whole) = expected.and_then(|days| days.within(from, to)).or_else(|| recent(from, to, as_of)) else {
            continue;
        };
        // Who is to die in days that an earlier date has seen already is dead; only the rest is new.
        let Some(rest) = whole.within(covered.saturating_add(1), i32::MAX) else { continue };
        spans.push((rest, (f64::from(rest.count()) / f64::from(whole.count())).min(1.0)));
        covered = covered.max(whole.latest());
    }
    let incidence = if wish.said { wish.incidence } else { UNSAID_DEATHS };
    (!spans.is_empty()).then(|| Deaths { incidence, said: wish.said, spans, study: study.to_owned() })
}

/// The last five years of a period at most, where expectations say nothing or lie elsewhere.
pub(crate) fn recent(from: i32, to: i32, as_of: i32) -> Option<Days> {
    let end = to.min(as_of.max(from));
    let begin = from.max(end.saturating_sub(5 * 365));
    (begin <= end).then(|| Days::between(begin, end, crate::expectations::settings::DateRate::Uniform))
}
