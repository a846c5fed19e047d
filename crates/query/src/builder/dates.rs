//! Constructors of dates. Meaning: warehouse.md 5.4.
//! A day that does not exist is treated by the mode that the node carries.

use super::Builder;
use crate::graph::{DatePart, Edge, Op, Overflow, Period, Series, Unit};

impl Builder<'_> {
    /// `n` units later; `n` is an int series.
    pub fn date_add(&mut self, unit: Unit, of: Series, n: Series, overflow: Overflow) -> Series {
        self.series(Op::DateAdd { unit, of, n, overflow })
    }

    /// `left - right` in whole elapsed units, rounded down.
    pub fn difference(&mut self, unit: Unit, left: Series, right: Series) -> Series {
        self.series(Op::Difference { unit, left, right })
    }

    /// Turns of the year from `from` to `to`.
    pub fn year_boundaries_between(&mut self, from: Series, to: Series) -> Series {
        self.series(Op::YearBoundariesBetween { from, to })
    }

    /// Year, as int.
    pub fn year(&mut self, of: Series) -> Series {
        self.series(Op::DatePart { part: DatePart::Year, of })
    }

    /// Month, 1 to 12.
    pub fn month(&mut self, of: Series) -> Series {
        self.series(Op::DatePart { part: DatePart::Month, of })
    }

    /// Day of the month, 1 to 31.
    pub fn day_of_month(&mut self, of: Series) -> Series {
        self.series(Op::DatePart { part: DatePart::DayOfMonth, of })
    }

    /// First day of the period that holds the day.
    pub fn first_day_of(&mut self, period: Period, of: Series) -> Series {
        self.series(Op::PeriodEdge { edge: Edge::FirstDayOf, period, of })
    }

    /// Last day of the period that holds the day.
    pub fn last_day_of(&mut self, period: Period, of: Series) -> Series {
        self.series(Op::PeriodEdge { edge: Edge::LastDayOf, period, of })
    }

    /// The day of a time; a day is its own.
    pub fn day(&mut self, of: Series) -> Series {
        self.series(Op::Day { of })
    }
}
