//! Date expressions and periods as series: strict arithmetic on fixed days, clamped on columns.
//! Spec study-definitions.md 5.

use query::{Overflow, Series, Type, Unit};

use super::{INDEX_DATE, LowerError, Lowering};
use crate::model::{DateBase, DateExpr, DateFault, DateFunction, DateUnit, Offset, Period};

impl Lowering<'_> {
    /// The day of an expression; NULL where its column is missing.
    pub(super) fn date(&mut self, date: &DateExpr) -> Result<Series, LowerError> {
        let (base, overflow) = match date.base {
            DateBase::Day(_) | DateBase::Today => {
                let day = date.resolve(None, self.recording.date).and_then(|day| day.ok_or(DateFault::OutOfRange));
                let day = day.map_err(|fault| LowerError::Date {
                    variable: self.name.to_owned(),
                    text: date.text.clone(),
                    fault,
                })?;
                return Ok(self.q.date(day));
            }
            DateBase::IndexDate => (self.q.parameter(INDEX_DATE, Type::Date), Overflow::Error),
            DateBase::Column(id) => match self.done[id.0].day {
                Some(day) => (day, Overflow::Clamp),
                None => return self.unsupported("a date hangs on a column that is no date"),
            },
        };
        let day = date.function.map_or(base, |function| self.edge(function, base));
        Ok(date.offset.map_or(day, |offset| self.offset(day, offset, overflow)))
    }

    fn edge(&mut self, function: DateFunction, of: Series) -> Series {
        use query::Period as P;
        match function {
            DateFunction::FirstDayOfMonth => self.q.first_day_of(P::Month, of),
            DateFunction::LastDayOfMonth => self.q.last_day_of(P::Month, of),
            DateFunction::FirstDayOfYear => self.q.first_day_of(P::Year, of),
            DateFunction::LastDayOfYear => self.q.last_day_of(P::Year, of),
            DateFunction::FirstDayOfNhsFinancialYear => self.q.first_day_of(P::NhsFinancialYear, of),
            DateFunction::LastDayOfNhsFinancialYear => self.q.last_day_of(P::NhsFinancialYear, of),
            DateFunction::FirstDayOfSchoolYear => self.q.first_day_of(P::SchoolYear, of),
            DateFunction::LastDayOfSchoolYear => self.q.last_day_of(P::SchoolYear, of),
        }
    }

    fn offset(&mut self, of: Series, offset: Offset, overflow: Overflow) -> Series {
        let n = self.q.value(i64::from(offset.count));
        let unit = match offset.unit {
            DateUnit::Days => Unit::Days,
            DateUnit::Months => Unit::Months,
            DateUnit::Years => Unit::Years,
        };
        self.q.date_add(unit, of, n, overflow)
    }

    /// Whether a day lies in a period: both ends are in; `None` when there is no bound at all.
    pub(super) fn within(&mut self, day: Series, period: &Period) -> Result<Option<Series>, LowerError> {
        let mut bounds = Vec::new();
        if let Some(from) = &period.from {
            let from = self.date(from)?;
            bounds.push(self.q.ge(day, from));
        }
        if let Some(to) = &period.to {
            let to = self.date(to)?;
            bounds.push(self.q.le(day, to));
        }
        Ok((!bounds.is_empty()).then(|| self.q.and(bounds)))
    }

    /// Whether a day lies in a period whose open ends are 1900-01-01 and 3000-01-01.
    pub(super) fn within_centuries(&mut self, day: Series, period: &Period) -> Result<Series, LowerError> {
        use jiff::civil::date;
        let from = period.from.as_ref().map(|from| self.date(from)).transpose()?;
        let to = period.to.as_ref().map(|to| self.date(to)).transpose()?;
        let from = from.unwrap_or_else(|| self.q.date(date(1900, 1, 1)));
        let to = to.unwrap_or_else(|| self.q.date(date(3000, 1, 1)));
        let (from, to) = (self.q.ge(day, from), self.q.le(day, to));
        Ok(self.q.and([from, to]))
    }
}
