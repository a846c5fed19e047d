//! Works out dates: strictly where the day is fixed, clamped to the end of the month where a patient's column gives it.
//! Spec study-definitions.md 5.

use jiff::civil::Date;

use super::{DateBase, DateExpr, DateFunction, DateUnit, Offset};

/// Why a fixed date has no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateFault {
    /// SD304.
    #[error("the study has no index_date")]
    NoIndexDate,
    /// SD301: the day that the calendar lacks, `YYYY-MM-DD`.
    #[error("there is no day {0}")]
    NoSuchDay(String),
    /// SD301: before the year 1 or after 9999.
    #[error("the day lies outside the years 1 to 9999")]
    OutOfRange,
}

impl DateExpr {
    /// Whether it is the same for every patient.
    pub const fn is_static(&self) -> bool {
        !matches!(self.base, DateBase::Column(_))
    }

    /// Whether another index date gives another day.
    pub const fn is_on_index_date(&self) -> bool {
        matches!(self.base, DateBase::IndexDate)
    }

    /// The day, by strict arithmetic; `None` when it hangs on a column.
    ///
    /// # Errors
    /// Without an index date where it is needed, and where no such day exists.
    pub fn resolve(&self, index_date: Option<Date>, today: Date) -> Result<Option<Date>, DateFault> {
        let day = match self.base {
            DateBase::Day(day) => day,
            DateBase::IndexDate => index_date.ok_or(DateFault::NoIndexDate)?,
            DateBase::Today => today,
            DateBase::Column(_) => return Ok(None),
        };
        let day = self.function.map_or(Ok(day), |function| function.apply(day))?;
        self.offset.map_or(Ok(day), |offset| offset.strict(day)).map(Some)
    }

    /// The day for a patient whose column holds `day`, by clamped arithmetic; `None` beyond the calendar.
    pub fn of_column(&self, day: Date) -> Option<Date> {
        let day = self.function.map_or(Ok(day), |function| function.apply(day)).ok()?;
        self.offset.map_or(Some(day), |offset| offset.clamped(day))
    }
}

impl DateFunction {
    /// The first or last day of the month or year that holds `day`.
    ///
    /// # Errors
    /// [`DateFault::OutOfRange`] beyond the calendar.
    pub fn apply(self, day: Date) -> Result<Date, DateFault> {
        match self {
            Self::FirstDayOfMonth => Ok(day.first_of_month()),
            Self::LastDayOfMonth => Ok(day.last_of_month()),
            Self::FirstDayOfYear => Ok(day.first_of_year()),
            Self::LastDayOfYear => Ok(day.last_of_year()),
            Self::FirstDayOfNhsFinancialYear => year_from(day, 4, 0),
            Self::LastDayOfNhsFinancialYear => year_from(day, 4, 1),
            Self::FirstDayOfSchoolYear => year_from(day, 9, 0),
            Self::LastDayOfSchoolYear => year_from(day, 9, 1),
        }
    }
}

/// First day of the year that begins in `month` and holds `day`; with `last` 1 the last day of that year.
fn year_from(day: Date, month: i8, last: i16) -> Result<Date, DateFault> {
    let year = if day.month() >= month { day.year() } else { day.year() - 1 };
    let begin = Date::new(year + last, month, 1).map_err(|_| DateFault::OutOfRange)?;
    let found = if last == 1 { begin.yesterday().map_err(|_| DateFault::OutOfRange)? } else { begin };
    in_range(found)
}

fn in_range(day: Date) -> Result<Date, DateFault> {
    if day.year() >= 1 { Ok(day) } else { Err(DateFault::OutOfRange) }
}

impl Offset {
    /// A day of the calendar, or a fault naming the day that does not exist: months and years keep the day of the month.
    ///
    /// # Errors
    /// [`DateFault::NoSuchDay`], [`DateFault::OutOfRange`].
    pub fn strict(self, day: Date) -> Result<Date, DateFault> {
        let Some((year, month)) = self.month(day) else { return self.days(day).ok_or(DateFault::OutOfRange) };
        let year = i16::try_from(year).ok().filter(|y| (1..=9999).contains(y)).ok_or(DateFault::OutOfRange)?;
        Date::new(year, month, day.day())
            .map_err(|_| DateFault::NoSuchDay(format!("{year:04}-{month:02}-{:02}", day.day())))
    }

    /// As [`Offset::strict`], with the last day of the month where the day does not exist; `None` beyond the calendar.
    pub fn clamped(self, day: Date) -> Option<Date> {
        let Some((year, month)) = self.month(day) else { return self.days(day) };
        let year = i16::try_from(year).ok().filter(|y| (1..=9999).contains(y))?;
        let first = Date::new(year, month, 1).ok()?;
        Date::new(year, month, day.day().min(first.days_in_month())).ok()
    }

    /// Year and month of the result, for months and years.
    fn month(self, day: Date) -> Option<(i64, i8)> {
        let months = match self.unit {
            DateUnit::Days => return None,
            DateUnit::Months => i64::from(self.count),
            DateUnit::Years => i64::from(self.count) * 12,
        };
        let all = i64::from(day.year()) * 12 + i64::from(day.month()) - 1 + months;
        let month = i8::try_from(all.rem_euclid(12) + 1).ok()?;
        Some((all.div_euclid(12), month))
    }

    fn days(self, day: Date) -> Option<Date> {
        let moved = day.checked_add(jiff::Span::new().try_days(self.count).ok()?).ok()?;
        in_range(moved).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn expr(text: &str) -> DateExpr {
        let words = super::super::parse(text).unwrap();
        let base = match words.name {
            super::super::DateName::Day(day) => DateBase::Day(day),
            super::super::DateName::Word(word, _) if word == "today" => DateBase::Today,
            super::super::DateName::Word(..) => DateBase::IndexDate,
        };
        DateExpr { base, function: words.function, offset: words.offset, text: text.to_owned() }
    }

    #[test]
    fn fixed_days_are_strict() {
        let today = date(2022, 5, 31);
        let at = |text: &str, index: Date| expr(text).resolve(Some(index), today);
        assert_eq!(at("index_date + 1 month", date(2021, 3, 30)), Ok(Some(date(2021, 4, 30))));
        let fault = |day: &str| Err(DateFault::NoSuchDay(day.to_owned()));
        assert_eq!(at("index_date + 1 month", date(2021, 3, 31)), fault("2021-04-31"));
        assert_eq!(at("index_date + 1 year", date(2020, 2, 29)), fault("2021-02-29"));
        assert_eq!(at("index_date - 4 years", date(2020, 2, 29)), Ok(Some(date(2016, 2, 29))));
        assert_eq!(at("today - 3 months", date(2020, 1, 1)), fault("2022-02-31"));
        assert_eq!(at("index_date - 1 day", date(2020, 3, 1)), Ok(Some(date(2020, 2, 29))));
        // The function comes first.
        assert_eq!(at("last_day_of_month(index_date) + 1 day", date(2021, 2, 10)), Ok(Some(date(2021, 3, 1))));
        assert_eq!(at("index_date + 9000 years", date(2021, 2, 10)), Err(DateFault::OutOfRange));
        assert_eq!(at("index_date - 2147483647 days", date(2021, 2, 10)), Err(DateFault::OutOfRange));
        assert_eq!(expr("index_date").resolve(None, today), Err(DateFault::NoIndexDate));
    }

    #[test]
    fn years_of_the_nhs_and_of_schools() {
        let at = |text: &str, index: Date| expr(text).resolve(Some(index), index).unwrap().unwrap();
        assert_eq!(at("first_day_of_nhs_financial_year(index_date)", date(2021, 3, 31)), date(2020, 4, 1));
        assert_eq!(at("first_day_of_nhs_financial_year(index_date)", date(2021, 4, 1)), date(2021, 4, 1));
        assert_eq!(at("last_day_of_nhs_financial_year(index_date)", date(2021, 3, 31)), date(2021, 3, 31));
        assert_eq!(at("last_day_of_nhs_financial_year(index_date)", date(2021, 4, 1)), date(2022, 3, 31));
        assert_eq!(at("first_day_of_school_year(index_date)", date(2021, 8, 31)), date(2020, 9, 1));
        assert_eq!(at("last_day_of_school_year(index_date)", date(2021, 9, 1)), date(2022, 8, 31));
        assert_eq!(at("first_day_of_year(index_date)", date(2021, 9, 1)), date(2021, 1, 1));
        assert_eq!(at("last_day_of_year(index_date)", date(2021, 9, 1)), date(2021, 12, 31));
        assert_eq!(at("first_day_of_month(index_date)", date(2021, 9, 13)), date(2021, 9, 1));
    }

    #[test]
    fn columns_are_clamped() {
        assert_eq!(expr("index_date + 1 month").of_column(date(2021, 1, 31)), Some(date(2021, 2, 28)));
        assert_eq!(expr("index_date + 1 year").of_column(date(2020, 2, 29)), Some(date(2021, 2, 28)));
        assert_eq!(expr("index_date + 1 year").of_column(date(9999, 2, 1)), None);
        assert_eq!(expr("index_date - 1 day").of_column(date(1, 1, 1)), None);
    }
}
