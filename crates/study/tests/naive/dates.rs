//! Section 5: date expressions for one patient, and periods of calendar days.

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};
use study::model::{DateBase, DateExpr, DateFunction, DateUnit, Period};

use super::{Out, Patient, Raw, Res, Stop};

/// One end of a period.
#[derive(Clone, Copy)]
enum Bound {
    Open,
    Missing,
    On(Date),
}

/// A period of one patient.
#[derive(Clone, Copy)]
pub struct Window(Bound, Bound);

impl Window {
    /// Both ends are in; a missing bound matches nothing; a row without a day matches only a period without bounds.
    pub fn holds(&self, day: Option<Date>) -> bool {
        let after = |from: Date| day.is_some_and(|day| day >= from);
        let before = |to: Date| day.is_some_and(|day| day <= to);
        (match self.0 {
            Bound::Open => true,
            Bound::Missing => false,
            Bound::On(from) => after(from),
        }) && (match self.1 {
            Bound::Open => true,
            Bound::Missing => false,
            Bound::On(to) => before(to),
        })
    }

    /// Open ends are 1900-01-01 and 3000-01-01.
    pub fn of_centuries(self) -> Self {
        let closed = |bound, day| if matches!(bound, Bound::Open) { Bound::On(day) } else { bound };
        Self(closed(self.0, date(1900, 1, 1)), closed(self.1, date(3000, 1, 1)))
    }
}

impl Patient<'_> {
    pub fn window(&self, period: &Period) -> Res<Window> {
        let bound = |date: &Option<DateExpr>| {
            Ok(match date {
                None => Bound::Open,
                Some(date) => self.date(date)?.map_or(Bound::Missing, Bound::On),
            })
        };
        Ok(Window(bound(&period.from)?, bound(&period.to)?))
    }

    pub fn date(&self, expr: &DateExpr) -> Res<Option<Date>> {
        let (base, clamp) = match expr.base {
            DateBase::Day(day) => (Some(day), false),
            DateBase::IndexDate => (Some(self.world.index_date.unwrap()), false),
            DateBase::Today => (Some(self.world.recording.date), false),
            DateBase::Column(id) => {
                let done = self.value(id)?;
                let day = match (&done.raw, &done.out) {
                    (Raw::Day(day), _) => Some(*day),
                    (_, Out::Text(text)) => from_text(text),
                    _ => panic!("a date from {done:?}"),
                };
                (day, true)
            }
        };
        let Some(day) = base else { return Ok(None) };
        let day = match expr.function {
            None => Some(day),
            Some(function) => edge(function, day),
        };
        let (Some(day), Some(offset)) = (day, expr.offset) else { return Ok(day) };
        let n = i64::from(offset.count);
        let (span, keeps_day): (Span, bool) = match offset.unit {
            DateUnit::Days => (n.days(), false),
            DateUnit::Months => (n.months(), true),
            DateUnit::Years => (n.years(), true),
        };
        // jiff clamps to the last day of the month, as columns do
        match day.checked_add(span) {
            Ok(found) if keeps_day && !clamp && found.day() != day.day() => Err(Stop("D514")),
            Ok(found) if found.year() >= 1 => Ok(Some(found)),
            _ => Ok(None),
        }
    }
}

/// The day of a date's output text.
fn from_text(text: &str) -> Option<Date> {
    match text.len() {
        0 => None,
        4 => Some(format!("{text}-01-01").parse().unwrap()),
        7 => Some(format!("{text}-01").parse().unwrap()),
        _ => Some(text.parse().unwrap()),
    }
}

fn edge(function: DateFunction, day: Date) -> Option<Date> {
    let year_from = |month: i8| if day.month() >= month { day.year() } else { day.year() - 1 };
    let first = |year: i16, month: i8| if year < 1 { None } else { Date::new(year, month, 1).ok() };
    let last = |year: i16, month: i8, last: i8| Date::new(year, month, last).ok();
    match function {
        DateFunction::FirstDayOfMonth => first(day.year(), day.month()),
        DateFunction::LastDayOfMonth => last(day.year(), day.month(), day.days_in_month()),
        DateFunction::FirstDayOfYear => first(day.year(), 1),
        DateFunction::LastDayOfYear => last(day.year(), 12, 31),
        DateFunction::FirstDayOfNhsFinancialYear => first(year_from(4), 4),
        DateFunction::LastDayOfNhsFinancialYear => last(year_from(4) + 1, 3, 31),
        DateFunction::FirstDayOfSchoolYear => first(year_from(9), 9),
        DateFunction::LastDayOfSchoolYear => last(year_from(9) + 1, 8, 31),
    }
}
