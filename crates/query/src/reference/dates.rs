//! Dates (warehouse.md 5.4): 0001-01-01 to 9999-12-31; outside there is NULL, counted.
//! Days that do not exist are treated by the mode that the node carries.

use std::rc::Rc;

use jiff::ToSpan;
use jiff::civil::Date;

use super::frames::Row;
use super::patient::{Found, Patient};
use crate::graph::{DatePart, Edge, NodeId, Op, Overflow, Period, Unit};
use crate::run_code::RunCode;
use crate::value::Value;

impl<'a> Patient<'a> {
    pub(super) fn date(&mut self, node: NodeId, op: &Op, row: Option<&Rc<Row<'a>>>) -> Found<Value> {
        match op {
            Op::DateAdd { unit, of, n, overflow } => match (self.value(*of, row)?, self.value(*n, row)?) {
                (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
                (Value::Date(day), Value::Int(n)) => match added(day, *unit, n, *overflow) {
                    Sum::Day(day) => Ok(Value::Date(day)),
                    Sum::Outside => Ok(self.doubt(node)),
                    Sum::Impossible => self.stop(RunCode::D514, node, "a day that does not exist"),
                },
                _ => self.unsound(node),
            },
            Op::Difference { unit, left, right } => match (self.value(*left, row)?, self.value(*right, row)?) {
                (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
                (Value::Date(left), Value::Date(right)) => Ok(Value::Int(difference(*unit, left, right))),
                _ => self.unsound(node),
            },
            Op::YearBoundariesBetween { from, to } => match (self.value(*from, row)?, self.value(*to, row)?) {
                (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
                (Value::Date(from), Value::Date(to)) => Ok(Value::Int(i64::from(to.year()) - i64::from(from.year()))),
                _ => self.unsound(node),
            },
            Op::DatePart { part, of } => match self.value(*of, row)? {
                Value::Null => Ok(Value::Null),
                Value::Date(day) => Ok(Value::Int(match part {
                    DatePart::Year => i64::from(day.year()),
                    DatePart::Month => i64::from(day.month()),
                    DatePart::DayOfMonth => i64::from(day.day()),
                })),
                _ => self.unsound(node),
            },
            Op::PeriodEdge { edge, period, of } => match self.value(*of, row)? {
                Value::Null => Ok(Value::Null),
                Value::Date(day) => Ok(edge_of(*edge, *period, day).map_or_else(|| self.doubt(node), Value::Date)),
                _ => self.unsound(node),
            },
            Op::Day { of } => match self.value(*of, row)? {
                Value::DateTime(time) => Ok(Value::Date(time.date())),
                value @ (Value::Date(_) | Value::Null) => Ok(value),
                _ => self.unsound(node),
            },
            _ => self.unsound(node),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Sum {
    Day(Date),
    /// Before year 1 or after 9999.
    Outside,
    /// No such day, in the mode that refuses it.
    Impossible,
}

fn added(day: Date, unit: Unit, n: i64, overflow: Overflow) -> Sum {
    let sum = match unit {
        Unit::Days => plus_days(day, n),
        Unit::Weeks => n.checked_mul(7).and_then(|days| plus_days(day, days)),
        Unit::Months => return plus_months(day, n, overflow),
        Unit::Years => match n.checked_mul(12) {
            Some(months) => return plus_months(day, months, overflow),
            None => None,
        },
    };
    sum.map_or(Sum::Outside, Sum::Day)
}

fn plus_days(day: Date, n: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(n).ok()?;
    day.checked_add(span).ok().filter(|day| day.year() >= 1)
}

fn plus_months(day: Date, n: i64, overflow: Overflow) -> Sum {
    let months = i64::from(day.year()) * 12 + i64::from(day.month()) - 1;
    let first = months.checked_add(n).and_then(|months| first_of(months.div_euclid(12), months.rem_euclid(12) + 1));
    let Some(first) = first else { return Sum::Outside };
    if day.day() <= first.days_in_month() {
        return Date::new(first.year(), first.month(), day.day()).map_or(Sum::Outside, Sum::Day);
    }
    match overflow {
        Overflow::Error => Sum::Impossible,
        Overflow::Clamp => Sum::Day(first.last_of_month()),
        Overflow::Roll => plus_days(first.last_of_month(), 1).map_or(Sum::Outside, Sum::Day),
    }
}

fn first_of(year: i64, month: i64) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
    Date::new(year, i8::try_from(month).ok()?, 1).ok()
}

/// Days from one to another.
pub(super) fn days_between(left: Date, right: Date) -> i64 {
    left.duration_since(right).as_secs() / 86_400
}

/// Whole units that have elapsed, rounded down.
fn difference(unit: Unit, left: Date, right: Date) -> i64 {
    let months = || {
        let turns = (i64::from(left.year()) - i64::from(right.year())) * 12 + i64::from(left.month());
        turns - i64::from(right.month()) - i64::from(left.day() < right.day())
    };
    match unit {
        Unit::Days => days_between(left, right),
        Unit::Weeks => days_between(left, right).div_euclid(7),
        Unit::Months => months(),
        Unit::Years => months().div_euclid(12),
    }
}

/// The first or last day of the period that holds the day; a period that ends after 9999 has no last day.
fn edge_of(edge: Edge, period: Period, day: Date) -> Option<Date> {
    let begin = match period {
        Period::Month => day.month(),
        Period::Year => 1,
        Period::NhsFinancialYear => 4,
        Period::SchoolYear => 9,
    };
    let year = i64::from(day.year()) - i64::from(begin > day.month());
    let first = first_of(year, i64::from(begin));
    match (edge, period) {
        (Edge::FirstDayOf, _) => first,
        (Edge::LastDayOf, Period::Month) => Some(day.last_of_month()),
        // the day before the next one begins
        (Edge::LastDayOf, Period::Year) => Date::new(day.year(), 12, 31).ok(),
        (Edge::LastDayOf, _) => first_of(year + 1, i64::from(begin))?.checked_sub(1.day()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_that_do_not_exist() {
        let month = |mode| added(date(2023, 5, 31), Unit::Months, 1, mode);
        assert_eq!(month(Overflow::Error), Sum::Impossible);
        assert_eq!(month(Overflow::Clamp), Sum::Day(date(2023, 6, 30)));
        assert_eq!(month(Overflow::Roll), Sum::Day(date(2023, 7, 1)));
        let year = |mode| added(date(2024, 2, 29), Unit::Years, 1, mode);
        assert_eq!(year(Overflow::Clamp), Sum::Day(date(2025, 2, 28)));
        assert_eq!(year(Overflow::Roll), Sum::Day(date(2025, 3, 1)));
        assert_eq!(added(date(9999, 12, 31), Unit::Days, 1, Overflow::Roll), Sum::Outside);
        assert_eq!(added(date(1, 1, 1), Unit::Days, -1, Overflow::Roll), Sum::Outside);
        assert_eq!(added(date(1, 1, 1), Unit::Months, i64::MIN, Overflow::Roll), Sum::Outside);
        assert_eq!(added(date(1, 1, 1), Unit::Years, i64::MAX, Overflow::Roll), Sum::Outside);
        assert_eq!(added(date(1, 1, 1), Unit::Weeks, i64::MAX, Overflow::Roll), Sum::Outside);
    }

    #[test]
    fn differences_agree_with_roll() {
        let mut right = date(2023, 12, 25);
        while right < date(2024, 3, 5) {
            let mut left = date(2023, 1, 25);
            while left < date(2025, 3, 5) {
                let months = difference(Unit::Months, left, right);
                let at = |n| match added(right, Unit::Months, n, Overflow::Roll) {
                    Sum::Day(day) => day,
                    other => panic!("{other:?}"),
                };
                assert!(at(months) <= left && left < at(months + 1), "{left} - {right}");
                assert_eq!(difference(Unit::Years, left, right), months.div_euclid(12));
                left = left.tomorrow().unwrap();
            }
            right = right.tomorrow().unwrap();
        }
    }

    #[test]
    fn periods() {
        let first = |period, day| edge_of(Edge::FirstDayOf, period, day).unwrap();
        let last = |period, day| edge_of(Edge::LastDayOf, period, day).unwrap();
        assert_eq!(first(Period::NhsFinancialYear, date(2021, 3, 31)), date(2020, 4, 1));
        assert_eq!(first(Period::NhsFinancialYear, date(2021, 4, 1)), date(2021, 4, 1));
        assert_eq!(last(Period::NhsFinancialYear, date(2021, 4, 1)), date(2022, 3, 31));
        assert_eq!(last(Period::SchoolYear, date(2021, 8, 31)), date(2021, 8, 31));
        assert_eq!(last(Period::SchoolYear, date(2021, 9, 1)), date(2022, 8, 31));
        assert_eq!(last(Period::Month, date(2024, 2, 3)), date(2024, 2, 29));
        assert_eq!(last(Period::Year, date(9999, 2, 3)), date(9999, 12, 31));
        assert_eq!(edge_of(Edge::FirstDayOf, Period::SchoolYear, date(1, 1, 1)), None);
        assert_eq!(edge_of(Edge::LastDayOf, Period::SchoolYear, date(9999, 9, 1)), None);
    }
}
