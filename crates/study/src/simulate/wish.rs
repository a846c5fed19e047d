//! What the expectations of each variable that reads a table wish for: how many patients, when, which values.
//! Spec study-definitions.md 10.2.2.

use std::collections::HashMap;

use crate::expectations::Settings as Run;
use crate::expectations::dates::day_number;
use crate::expectations::draw::{Days, Draw, days, draw};
use crate::expectations::period;
use crate::expectations::settings::Settings;
use crate::model::{DateBase, DateExpr, Part, Query, Study, Variable, VariableId};
use crate::recording::Recording;

use super::dice::Purpose;

/// Share of patients with a value where nothing is said, as for variables nested in an expression.
const UNSAID: f64 = 0.3;

/// One variable's wish.
pub(crate) struct Wish<'a> {
    pub(crate) id: VariableId,
    pub(crate) variable: &'a Variable,
    /// Variables that read the same rows have the same group, and so the same patients.
    pub(crate) group: String,
    /// Of the group: who.
    pub(crate) who: Purpose,
    /// Of the group: when.
    pub(crate) when: Purpose,
    /// Of the variable: what.
    pub(crate) what: Purpose,
    /// Share of patients with a value.
    pub(crate) incidence: f64,
    /// Whether the expectations say it.
    pub(crate) said: bool,
    /// Values, where the type has any.
    pub(crate) values: Option<Draw>,
    /// Per index date: where dates lie.
    pub(crate) days: Vec<Option<Days>>,
    /// Of a companion: sign of the source's event.
    pub(crate) comparators: Option<Draw>,
    /// Of companions: bounds of the source's event, with the share of events that have them.
    pub(crate) bounds: [Option<(f64, Draw)>; 2],
    /// Number of the group.
    pub(crate) rows: usize,
    /// Of the group: the first wish that draws labels, and the first that draws numbers.
    pub(crate) labels: Option<usize>,
    pub(crate) numbers: Option<usize>,
    /// First and last day at each index date; `None` inside: a bound is missing, so nothing matches; outside: it hangs on
    /// a column.
    pub(crate) spans: Vec<Option<Option<(i32, i32)>>>,
}

/// The wishes in processing order. Settings that expectations mode would refuse wish nothing in particular.
pub(crate) fn wishes<'a>(study: &'a Study, recording: &Recording, runs: &[Run], seed: u64) -> Vec<Wish<'a>> {
    let ids = (0..study.variables.len()).map(VariableId);
    let reading = ids.filter_map(|id| Some((id, group(&study[id].query)?)));
    let mut wishes: Vec<Wish<'a>> = reading
        .map(|(id, group)| {
            let variable = &study[id];
            let settings = Settings::new(&study.default_expectations, &variable.expectations).ok();
            let incidence = settings.as_ref().and_then(|settings| settings.incidence().ok());
            let values = |run: &Run| draw(variable, settings.as_ref()?, recording, run).ok().map(|(draw, _)| draw);
            Wish {
                id,
                variable,
                who: Purpose::new(seed, &format!("who {group}")),
                when: Purpose::new(seed, &format!("when {group}")),
                what: match variable.query {
                    Query::Household(_) => Purpose::new(seed, &format!("what {group}")),
                    _ => Purpose::new(seed, &format!("what {}", variable.name)),
                },
                group,
                incidence: incidence.map_or(UNSAID, |share| share.unwrap_or(1.0)),
                said: incidence.is_some(),
                values: runs.first().and_then(values).filter(|draw| !matches!(draw, Draw::Flag | Draw::Days(_))),
                days: runs.iter().map(|run| days(settings.as_ref()?, run).ok()).collect(),
                comparators: None,
                bounds: [None, None],
                rows: 0,
                labels: None,
                numbers: None,
                spans: runs.iter().map(|run| static_span(&variable.query, run)).collect(),
            }
        })
        .collect();
    companions(&mut wishes, study, recording, runs);
    share_rows(&mut wishes);
    wishes
}

/// What is expected of signs and bounds belongs to the events of their sources.
fn companions(wishes: &mut [Wish], study: &Study, recording: &Recording, runs: &[Run]) {
    for variable in &study.variables {
        let Query::ValueFrom { source, part } = variable.query else { continue };
        let settings = Settings::new(&study.default_expectations, &variable.expectations).ok();
        let Some((run, settings)) = runs.first().zip(settings.as_ref()) else { continue };
        let Some(wish) = wishes.iter_mut().find(|wish| wish.id == source) else { continue };
        let Ok((values, _)) = draw(variable, settings, recording, run) else { continue };
        let share = settings.incidence().ok().flatten().unwrap_or(1.0);
        match part {
            Part::Date => {}
            Part::Comparator => wish.comparators = Some(values),
            Part::LowerBound => wish.bounds[0] = Some((share, values)),
            Part::UpperBound => wish.bounds[1] = Some((share, values)),
        }
    }
}

/// Which wishes are about the same rows, and which of them says what stands in these.
fn share_rows(wishes: &mut [Wish]) {
    let mut groups: HashMap<String, usize> = HashMap::new();
    for wish in wishes.iter_mut() {
        let new = groups.len();
        wish.rows = *groups.entry(wish.group.clone()).or_insert(new);
    }
    let first = |group: usize, of: fn(&Draw) -> bool| {
        wishes.iter().position(|wish| wish.rows == group && wish.values.as_ref().is_some_and(of))
    };
    let drawn: Vec<_> = (0..groups.len())
        .map(|group| {
            (
                first(group, |draw| matches!(draw, Draw::Labels { .. })),
                first(group, |draw| matches!(draw, Draw::Normal { .. })),
            )
        })
        .collect();
    for wish in wishes {
        (wish.labels, wish.numbers) = drawn[wish.rows];
    }
}

/// The days that a query looks at, unless they hang on a column.
fn static_span(query: &Query, run: &Run) -> Option<Option<(i32, i32)>> {
    let Some(period) = period::of(query) else { return Some(Some((i32::MIN, i32::MAX))) };
    let hangs = |end: &Option<DateExpr>| end.as_ref().is_some_and(|end| matches!(end.base, DateBase::Column(_)));
    if hangs(&period.from) || hangs(&period.to) {
        return None;
    }
    let end = |end: &Option<DateExpr>, open: i32| match end {
        None => Some(open),
        Some(end) => end.resolve(run.index_date, run.today).ok().flatten().map(day_number),
    };
    Some(end(&period.from, i32::MIN).zip(end(&period.to, i32::MAX)))
}

/// What tells the rows that a variable reads from those of others; `None`: it reads none that can be planted.
fn group(query: &Query) -> Option<String> {
    let texts = |what: &str, texts: &[&Option<Vec<String>>]| format!("{what} {texts:?}");
    Some(match query {
        Query::ClinicalEvents(rows) => format!("events {}", rows.codes.list.0),
        Query::RecordedValue { codes, .. } => format!("events {}", codes.list.0),
        Query::Medications(rows) => format!("medicines {}", rows.codes.list.0),
        Query::MostRecentBmi { .. } => "bmi".into(),
        Query::GpConsultations { .. } => "consultations".into(),
        Query::DecisionSupport { .. } => "frailty".into(),
        Query::HealthcareWorker => "healthcare worker".into(),
        Query::Vaccination { diseases, products, .. } => texts("vaccines", &[diseases, products]),
        Query::DeathCertificate { codes: None, .. } | Query::PrimaryCareDeath { .. } => "deaths".into(),
        Query::DeathCertificate { codes: Some(codes), .. } => format!("deaths of {}", codes.codes.list.0),
        Query::CpnsDeath { .. } => "deaths in hospital".into(),
        Query::Deregistered(_) => "leaving".into(),
        Query::Isaric { .. } => "isaric".into(),
        Query::Registered { .. } => "registered".into(),
        Query::Practice { returning, .. } => format!("practice {returning:?}"),
        Query::Address { returning, .. } => format!("address {returning:?}"),
        Query::Admission(admission) => {
            let lists = [&admission.diagnoses, &admission.primary_diagnoses, &admission.procedures];
            let lists = lists.map(|codes| codes.as_ref().map_or("", |codes| codes.list.0.as_str()));
            format!("admissions {lists:?} {:?} {}", admission.columns, admission.critical_care)
        }
        Query::EmergencyCare { diagnoses, discharged_to, .. } => texts("emergency", &[diagnoses, discharged_to]),
        Query::Outpatient { attended, first, treatment_functions, procedures, .. } => {
            let list = procedures.as_ref().map_or("", |codes| codes.list.0.as_str());
            format!("{} {attended:?} {first:?} {list}", texts("outpatients", &[treatment_functions]))
        }
        Query::Icu { .. } => "intensive care".into(),
        Query::Sgss { result, earliest_only, .. } => format!("tests {result:?} {earliest_only}"),
        Query::EthnicityFromSus(_) => "ethnicity".into(),
        Query::CovidTherapeutics { statuses, therapeutics, indications, .. } => {
            texts("therapeutics", &[statuses, therapeutics, indications])
        }
        Query::Ukrr { dataset, .. } => format!("renal registry {dataset}"),
        Query::HighCostDrugs { drugs, .. } => texts("drugs", &[drugs]),
        Query::Sex | Query::AgeAsOf(_) | Query::CareHome { .. } | Query::Household(_) => format!("{query:?}"),
        _ => return None,
    })
}

impl Wish<'_> {
    /// Whether this patient has a value, if nothing else decides.
    pub(crate) fn has(&self, patient: u64) -> bool {
        self.who.of(patient).unit() < self.incidence
    }

    /// A day of this index date's expectations within a period; of the period alone where they do not meet, or where
    /// nothing is expected: then at most five years before its end.
    pub(crate) fn day(&self, patient: u64, index: usize, from: i32, to: i32, as_of: i32) -> Option<i32> {
        let expected = self.days.get(index).copied().flatten().and_then(|days| days.within(from, to));
        let days = expected.or_else(|| super::census::recent(from, to, as_of))?;
        Some(days.pick(self.when.of(patient).bits()))
    }
}

/// The day of the latest date that expectations or index dates mention: for whom "now" is.
pub(crate) fn as_of(wishes: &[Wish], runs: &[Run], today: jiff::civil::Date) -> i32 {
    let expected = wishes.iter().flat_map(|wish| &wish.days).flatten().map(Days::latest).max();
    let index = runs.iter().filter_map(|run| run.index_date).map(day_number).max();
    expected.or(index).unwrap_or_else(|| day_number(today))
}
