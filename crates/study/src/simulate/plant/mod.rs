//! Rows that give a patient the values that are wished for, at a day within expectations and period.
//! Spec study-definitions.md 10.2.2 and 10.2.3.

mod beyond;
mod clinical;
mod hospital;
mod rare;
mod registers;

mod deaths;

use query::Value;

use super::census::is_death;
use super::person::{Person, day_of};
use super::scene::Scene;
use super::solve::Demands;
use super::store::Store;
use super::wish::Wish;
use crate::expectations::dates::day_number;
use crate::expectations::period;
use crate::model::*;

pub(crate) use beyond::beyond;
pub(crate) use deaths::may_be_left_out;

pub(crate) struct Planting<'s, 'a> {
    pub(super) scene: &'s Scene<'a>,
    pub(super) person: Person,
    pub(super) demands: &'s Demands,
    pub(super) store: &'s mut Store,
    /// By group: days of the rows.
    planted: Vec<Vec<i32>>,
    /// Where the population allows no row: group, first and last day.
    forbidden: Vec<(usize, i32, i32)>,
    pub(super) messy: bool,
}

/// One row: whose wish, when, how it deviates.
#[derive(Clone, Copy)]
struct Row<'s, 'a> {
    wish: &'s Wish<'a>,
    day: i32,
    /// Which row of the wish.
    nth: u64,
    /// For rows that make real data untidy.
    odd: bool,
}

/// Plants all rows of one patient.
pub(crate) fn patient(scene: &Scene, person: Person, demands: &Demands, store: &mut Store) -> Person {
    let messy = scene.mess.of(person.key).chance(scene.mess_share);
    store.begin(person.id, person.number);
    let groups = scene.wishes.iter().map(|wish| wish.rows + 1).max().unwrap_or(0);
    let planted = vec![Vec::new(); groups];
    let mut planting = Planting { scene, person, demands, store, planted, forbidden: Vec::new(), messy };
    planting.forbid();
    planting.deaths();
    for index in 0..scene.runs.len() {
        for wish in &scene.wishes {
            planting.wish(wish, index);
        }
    }
    planting.isaric();
    planting.settle();
    planting.person
}

/// First and last day of a query at an index date, where `column` knows the days of columns; `None` when a bound is
/// missing, so that nothing matches.
pub(crate) fn span(
    scene: &Scene,
    query: &Query,
    index: usize,
    column: impl Fn(VariableId, usize) -> Option<i32>,
) -> Option<(i32, i32)> {
    let Some(period) = period::of(query) else { return Some((i32::MIN, i32::MAX)) };
    let run = scene.runs.get(index)?;
    let end = |end: &Option<DateExpr>, open: i32| match end {
        None => Some(open),
        Some(end) => match end.base {
            DateBase::Column(id) => end.of_column(day_of(column(id, index)?)).map(day_number),
            _ => end.resolve(run.index_date, run.today).ok().flatten().map(day_number),
        },
    };
    Some((end(&period.from, i32::MIN)?, end(&period.to, i32::MAX)?))
}

impl<'s, 'a> Planting<'s, 'a> {
    fn forbid(&mut self) {
        for (id, _) in self.demands.iter().filter(|(_, demand)| demand.present == Some(false)) {
            let Some(wish) = self.scene.wishes.iter().find(|wish| wish.id == *id) else { continue };
            for index in 0..self.scene.runs.len() {
                let span = self.period(wish, index);
                self.forbidden.extend(span.map(|(from, to)| (wish.rows, from, to)));
            }
        }
    }

    /// First and last day of a wish at an index date; `None` when a bound is missing, so that nothing matches.
    fn period(&self, wish: &Wish, index: usize) -> Option<(i32, i32)> {
        match wish.spans.get(index) {
            Some(Some(span)) => *span,
            _ => span(self.scene, &wish.variable.query, index, |id, index| self.day(id, index)),
        }
    }

    /// The day that a date variable has for this patient, as far as rows are planted.
    fn day(&self, id: VariableId, index: usize) -> Option<i32> {
        let query = &self.scene.study[id].query;
        match query {
            Query::Fixed(Scalar::Date(day)) => Some(day_number(*day)),
            Query::DateOfBirth => Some(day_number(self.person.born)),
            Query::ValueFrom { source, .. } => self.day(*source, index),
            Query::Aggregate { which, of } => {
                let days = of.iter().filter_map(|id| self.day(*id, index));
                if *which == Extreme::Minimum { days.min() } else { days.max() }
            }
            _ => {
                let wish = self.scene.wishes.iter().find(|wish| wish.id == id)?;
                let (from, to) = self.period(wish, index)?;
                let days = self.planted[wish.rows].iter().copied().filter(|day| (from..=to).contains(day));
                if pick(query) == Pick::First { days.min() } else { days.max() }
            }
        }
    }

    fn wish(&mut self, wish: &'s Wish<'a>, index: usize) {
        let query = &wish.variable.query;
        if rare::has_no_events(query) || !self.scene.present(wish, self.person.key, self.demands) {
            return;
        }
        let Some((from, to)) = self.period(wish, index) else { return };
        if self.planted[wish.rows].iter().any(|day| (from..=to).contains(day)) {
            return;
        }
        let last = self.person.died.map_or(to, |died| to.min(day_number(died)));
        let first = from.max(day_number(self.person.born));
        let Some(day) = wish.day(self.person.key, index, first, last, self.scene.as_of).filter(|_| first <= last)
        else {
            return;
        };
        if matches!(query, Query::Deregistered(_)) {
            self.person.left.get_or_insert(day_of(day));
            self.planted[wish.rows].push(day);
            return;
        }
        let mut dice = self.person.dice(wish.what);
        let count = self.count(wish, dice.bits());
        for nth in 0..count {
            // Further rows lie evenly between the first one and the end that it is away from.
            let (low, high) = (first.max(day.saturating_sub(365)), day);
            let day = day - (u64::from(low.abs_diff(high)) * nth / count.max(1)) as i32;
            self.row(Row { wish, day, nth, odd: false });
        }
        if self.messy && !is_single(query) {
            let outside = [from.checked_sub(1), to.checked_add(1)]
                .into_iter()
                .flatten()
                .filter(|day| (-30_000..40_000).contains(day));
            for (nth, day) in outside.chain([day]).enumerate() {
                self.row(Row { wish, day, nth: count + nth as u64, odd: true });
            }
        }
    }

    /// How many rows a count wishes for; one for everything else.
    fn count(&self, wish: &Wish, bits: u64) -> u64 {
        if !counts(&wish.variable.query) {
            return 1;
        }
        let demand = self.demands.get(&wish.id);
        let draws = (0..50_u64).filter_map(|round| {
            wish.values.as_ref()?.number(bits.wrapping_add(round.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        });
        let number =
            draws.map(|number| number.max(1.0)).find(|number| demand.is_none_or(|demand| demand.takes(*number)));
        number.unwrap_or(1.0).min(200.0) as u64
    }

    fn row(&mut self, row: Row<'s, 'a>) {
        let group = row.wish.rows;
        let allowed = !self.forbidden.iter().any(|(of, from, to)| *of == group && (*from..=*to).contains(&row.day));
        let alive =
            self.person.died.is_none_or(|died| row.day <= day_number(died)) && row.day >= day_number(self.person.born);
        if !allowed || !alive {
            return;
        }
        match &row.wish.variable.query {
            Query::ClinicalEvents(_)
            | Query::RecordedValue { .. }
            | Query::MostRecentBmi { .. }
            | Query::Medications(_) => self.clinical(row),
            Query::GpConsultations { .. }
            | Query::DecisionSupport { .. }
            | Query::HealthcareWorker
            | Query::Vaccination { .. } => {
                self.practice_row(row);
            }
            Query::Admission(_)
            | Query::EmergencyCare { .. }
            | Query::Outpatient { .. }
            | Query::Icu { .. }
            | Query::EthnicityFromSus(_) => {
                self.hospital(row);
            }
            _ => self.register_row(row),
        }
        self.planted[group].push(row.day);
    }

    /// The first wish of a row's group that draws labels.
    fn labelled(&self, row: &Row) -> Option<&'s Wish<'a>> {
        self.scene.wishes.get(row.wish.labels?)
    }

    /// A label for a row of a group, from the first variable that draws one.
    fn label(&self, row: &Row) -> Option<String> {
        let wish = self.labelled(row)?;
        let draw = wish.values.as_ref()?;
        self.fitting(wish, row, |bits| draw.label(bits), |demand, label: &String| demand.takes_text(label))
    }

    /// A number for a row of a group, from the first variable that draws one.
    fn number(&self, row: &Row) -> Option<f64> {
        let wish = self.scene.wishes.get(row.wish.numbers?)?;
        let draw = wish.values.as_ref()?;
        self.fitting(wish, row, |bits| draw.number(bits), |demand, number| demand.takes(*number))
    }

    /// The first of a few draws that meets the demand on a variable, else the last.
    fn fitting<T>(
        &self,
        wish: &Wish,
        row: &Row,
        draw: impl Fn(u64) -> Option<T>,
        takes: impl Fn(&super::solve::Demand, &T) -> bool,
    ) -> Option<T> {
        let mut dice = wish.what.nth(self.person.key, row.nth | 1 << 32);
        let demand = self.demands.get(&wish.id);
        let mut last = None;
        for _ in 0..50 {
            last = draw(dice.bits());
            if last.as_ref().is_none_or(|value| demand.is_none_or(|demand| takes(demand, value))) {
                break;
            }
        }
        last
    }

    /// A moment of a day: mostly in working hours, sometimes at its very ends.
    fn moment(&self, row: &Row) -> Value {
        let mut dice = row.wish.when.nth(self.person.key, row.nth);
        let day = day_of(row.day);
        match row.odd {
            false => Value::DateTime(day.at(9 + dice.below(9) as i8, dice.below(60) as i8, 0, 0)),
            true if dice.chance(0.5) => Value::DateTime(day.at(23, 59, 59, 0)),
            true => super::person::midnight(day),
        }
    }
}

/// Facts that are rows of the person itself.
fn settled_elsewhere(query: &Query) -> bool {
    matches!(
        query,
        Query::Sex
            | Query::AgeAsOf(_)
            | Query::Registered { .. }
            | Query::Practice { .. }
            | Query::Address { .. }
            | Query::CareHome { .. }
            | Query::Household(_)
    ) || is_death(query)
}

/// Tables where a second row stops a run or is no deviation.
fn is_single(query: &Query) -> bool {
    matches!(query, Query::Ukrr { .. } | Query::HealthcareWorker | Query::EthnicityFromSus(_))
}

fn counts(query: &Query) -> bool {
    match query {
        Query::ClinicalEvents(rows) | Query::Medications(rows) => {
            matches!(rows.returning, CodedFact::NumberOfMatches | CodedFact::NumberOfEpisodes { .. })
        }
        Query::GpConsultations { returning, .. } => *returning == RowFact::NumberOfMatches,
        Query::Admission(admission) => admission.returning == AdmissionFact::NumberOfMatches,
        Query::EmergencyCare { returning, .. } => *returning == EmergencyFact::NumberOfMatches,
        Query::Outpatient { returning, .. } => *returning == OutpatientFact::NumberOfMatches,
        Query::Sgss { returning, .. } => *returning == SgssFact::NumberOfMatches,
        _ => false,
    }
}

fn pick(query: &Query) -> Pick {
    match query {
        Query::ClinicalEvents(rows) | Query::Medications(rows) => rows.pick,
        Query::Admission(admission) => admission.pick,
        Query::GpConsultations { pick, .. }
        | Query::DecisionSupport { pick, .. }
        | Query::Vaccination { pick, .. }
        | Query::EmergencyCare { pick, .. }
        | Query::Outpatient { pick, .. }
        | Query::Icu { pick, .. }
        | Query::Sgss { pick, .. }
        | Query::CovidTherapeutics { pick, .. } => *pick,
        Query::DeathCertificate { .. } | Query::CpnsDeath { .. } => Pick::First,
        _ => Pick::Last,
    }
}
