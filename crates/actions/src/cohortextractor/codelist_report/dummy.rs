//! Events, registrations and patients that nobody has, for runs without data: the same for the same codes and dates.
//! They are counted by the rule like any others, so all that holds for real files holds for these (actions.md 8.3).

use std::collections::HashSet;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use foldhash::fast::RandomState;
use jiff::civil::{Date, DateTime, date};
use sha2::{Digest, Sha256};

use super::codelist::Codelist;
use super::count::{self, Event, Patient, Registration, Report, Rows};
use super::period::Period;

/// Practices `00` to `99`.
const PRACTICES: i64 = 100;
/// Patients of the first practice have the ids from 0, of the second from here on, and so forth.
const IDS: i64 = 10_000;
/// Events of the first code.
const MOST_EVENTS: f64 = 20_000.0;
/// How many times as often as the next one a code is used.
const FALL: f64 = 1.6;
/// After how many draws that were drawn before an event is left out: there is no other place for it.
const DRAWS: usize = 1_000;

/// How much is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Most codes that are used.
    pub(crate) codes: usize,
    /// Most days with events.
    pub(crate) days: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self { codes: 16, days: 70 }
    }
}

/// Uniform numbers.
struct Dice(ChaCha8Rng);

impl Dice {
    fn new(codes: &Codelist, period: Period) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"cloister.codelist_report/1");
        for text in codes.iter().chain([period.day(0).to_string().as_str(), period.end().to_string().as_str()]) {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Below `end`, which is not 0: the upper half of a product.
    fn below(&mut self, end: u32) -> u32 {
        ((u64::from(self.0.next_u32()) * u64::from(end)) >> 32) as u32
    }

    /// Mostly within one of 0, never more than six away: twelve uniform numbers are nearly a normal one.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| f64::from(self.0.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0
    }
}

/// A practice that nobody goes to.
struct Practice {
    patients: u32,
    /// Its share of all events ends here.
    until: u32,
}

pub(crate) fn report(codes: &Codelist, period: Period, size: Size) -> Report {
    let mut dice = Dice::new(codes, period);
    let practices = practices(&mut dice);
    let days = days(period, size.days);
    let patients = || {
        (0..PRACTICES).zip(&practices).flat_map(|(practice, about)| {
            (0..i64::from(about.patients)).map(move |number| (practice, practice * IDS + number))
        })
    };
    let ever = |day: Date| Some(DateTime::from(day));
    let registrations = patients().map(|(organisation, patient)| Registration {
        patient,
        id: patient,
        organisation,
        start: ever(date(1, 1, 1)),
        end: ever(date(9999, 12, 31)),
    });
    let counts = std::iter::successors(Some(MOST_EVENTS), |count| Some(count / FALL));
    let events = codes
        .iter()
        .zip(counts)
        .take(size.codes)
        .flat_map(|(code, count)| events(code, count.round() as u32, &practices, &days, &mut dice))
        .collect::<Vec<_>>();
    let rows = Rows {
        events: events.into_iter(),
        registrations,
        patients: patients().map(|(_, id)| Patient { id, died: None }),
        organisations: 0..PRACTICES,
    };
    count::count(period, codes, false, rows)
}

/// List sizes of about 2,000, give or take 500; busier practices have more events than others of their size.
fn practices(dice: &mut Dice) -> Vec<Practice> {
    let mut until = 0;
    let mut one = || {
        let patients = (2_000.0 + 500.0 * dice.normal()).clamp(500.0, 3_500.0).round() as u32;
        let busy = (1.0 + 0.25 * dice.normal()).clamp(0.3, 2.0);
        until += (f64::from(patients) * busy).round() as u32;
        Practice { patients, until }
    };
    (0..PRACTICES).map(|_| one()).collect()
}

/// Days of the period at equal distances, its first and last one among them.
fn days(period: Period, most: u32) -> Vec<Date> {
    let all = u64::from(period.days());
    match all.min(u64::from(most)) {
        0 => Vec::new(),
        1 => vec![period.day(0)],
        some => (0..some).map(|at| period.day((at * (all - 1) / (some - 1)) as u32)).collect(),
    }
}

/// Events of one code, no two of a patient on one day. Every day has one, or they are spread over the days.
fn events<'a>(code: &'a str, count: u32, practices: &[Practice], days: &[Date], dice: &mut Dice) -> Vec<Event<'a>> {
    let total = practices.last().map_or(0, |practice| practice.until);
    let mut taken: HashSet<(i64, Date), RandomState> = HashSet::default();
    let mut events = Vec::with_capacity(count as usize);
    let spread = (count as usize).min(days.len());
    for number in 0..count as usize {
        let drawn = (0..DRAWS).find_map(|_| {
            let share = dice.below(total);
            let at = practices.partition_point(|practice| practice.until <= share);
            let patient = at as i64 * IDS + i64::from(dice.below(practices.get(at)?.patients));
            let any = dice.below(days.len() as u32) as usize;
            let day = *days.get(if number < spread { number * days.len() / spread } else { any })?;
            taken.insert((patient, day)).then_some(Event { patient, code, day })
        });
        events.extend(drawn);
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(codes: usize) -> Codelist {
        let codes: Vec<String> = (0..codes).map(|at| format!("c{at:03}")).collect();
        codes.iter().map(String::as_str).collect()
    }

    fn period(start: Date, end: Date) -> Period {
        Period::new(start, end).unwrap()
    }

    /// Of interactive.md 7: 146 weeks, which make 36 periods of four with two left over.
    #[test]
    fn a_request_by_form_gets_all_its_weeks() {
        let long = period(date(2019, 9, 1), date(2022, 6, 15));
        let report = report(&list(24), long, Size::default());
        assert_eq!(report.weeks(), Some(0..=145));
        assert_eq!(report.per_week.keys().copied().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!(report.per_code.len(), 16);
        assert_eq!(long.first_day(145), date(2022, 6, 12));
    }

    #[test]
    fn numbers_keep_what_the_spec_says_of_them() {
        for (codes, days, start, end) in [
            (40, 70, date(2019, 9, 1), date(2022, 6, 15)),
            (1, 1, date(2020, 1, 1), date(2020, 1, 1)),
            (16, 70, date(2020, 1, 3), date(2020, 1, 9)),
            (3, 100_000, date(1900, 1, 1), date(2100, 1, 1)),
        ] {
            let report = report(&list(codes), period(start, end), Size { codes: 16, days });
            let counts: Vec<u64> = report.per_code.values().copied().collect();
            assert_eq!(counts.len(), codes.min(16));
            for pair in counts.windows(2) {
                let fall = pair[0] as f64 / pair[1] as f64;
                assert!((1.5..1.7).contains(&fall), "{counts:?}");
            }
            let events: u64 = counts.iter().sum();
            assert_eq!(report.per_week.values().flat_map(|weeks| weeks.values()).sum::<u64>(), events);
            let sizes: Vec<u64> = report.list_sizes.values().copied().collect();
            assert_eq!(sizes.len(), 100);
            let last = period(start, end).days().saturating_sub(1) / 7;
            let weeks = report.weeks().unwrap();
            assert!(*weeks.start() == 0 && last - weeks.end() <= 1, "{weeks:?}, {last}");
            let mean = sizes.iter().sum::<u64>() as f64 / 100.0;
            let spread = (sizes.iter().map(|size| (*size as f64 - mean).powi(2)).sum::<f64>() / 100.0).sqrt();
            assert!((1_850.0..2_150.0).contains(&mean) && (350.0..650.0).contains(&spread), "{mean} {spread}");
            assert!(report.patients > 0 && report.patients <= events && report.patients <= sizes.iter().sum());
        }
    }

    #[test]
    fn codes_and_dates_decide_alone() {
        let (start, end) = (date(2020, 1, 1), date(2021, 1, 1));
        let one = report(&list(3), period(start, end), Size::default());
        assert_eq!(one, report(&list(3), period(start, end), Size::default()));
        assert_ne!(one, report(&list(4), period(start, end), Size::default()));
        assert_ne!(one, report(&list(3), period(start, date(2021, 1, 2)), Size::default()));
    }

    #[test]
    fn few_codes_and_days_on_demand() {
        let year = period(date(2020, 1, 1), date(2020, 12, 30));
        let report = report(&list(9), year, Size { codes: 2, days: 2 });
        assert_eq!(report.per_code.keys().collect::<Vec<_>>(), ["c000", "c001"]);
        let weeks: HashSet<u32> = report.per_week.values().flat_map(|weeks| weeks.keys().copied()).collect();
        assert_eq!(weeks, HashSet::from([0, 52]));
        assert_eq!(report.weeks(), Some(0..=52), "the weeks between are there, with nothing in them");
    }
}
