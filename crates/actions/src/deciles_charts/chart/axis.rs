//! Where the ticks of a chart stand and what they are called (actions.md 6.4).
//! Numbers only; no pixels, so that the rules can be tested by hand.

use jiff::civil::{Date, date};

/// Most ticks where each is a date of the table.
const MAX_DATE_TICKS: usize = 12;

/// A number as 5 digits at most times a power of ten: what a tick of the y axis is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// The top of the y axis for a largest value: 5 % more; 1 where there is nothing above zero.
pub(super) fn top(largest: Option<f64>) -> f64 {
    // Beyond these sizes a scale cannot be told in doubles.
    match largest {
        Some(largest) if largest > 1e-290 => (largest * 1.05).min(1e300),
        _ => 1.0,
    }
}

/// The power of ten below a positive number, taken from its digits and not from a logarithm.
fn magnitude(number: f64) -> i32 {
    let text = format!("{number:e}");
    text.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or_default()
}

/// Ticks from 0 to `top`, 1, 2, 2.5 or 5 times a power of ten apart, the least step that gives at most nine of them.
pub(super) fn y_ticks(top: f64) -> Vec<Tick> {
    let raw = top / 9.0;
    let power = magnitude(raw);
    let steps = (power..=power + 1).flat_map(|power| [10_u32, 20, 25, 50].map(|digits| (digits, power - 1)));
    let value = |digits: u32, power: i32| format!("{digits}e{power}").parse::<f64>().unwrap_or(f64::INFINITY);
    let (digits, power) =
        steps.into_iter().find(|(digits, power)| value(*digits, *power) >= raw).unwrap_or((10, power));
    // 10, 20 and 50 end in a zero, which is one decimal less.
    let decimals = usize::try_from(-power - i32::from(digits != 25)).unwrap_or_default();
    let ticks = (0..=10).map(|k| (k * digits, value(k * digits, power))).take_while(|(_, value)| *value <= top);
    ticks
        .map(|(digits, value)| {
            let label = match power {
                -9..=11 => format!("{value:.decimals$}"),
                _ => crate::text::float(format!("{digits}e{power}").parse().unwrap_or(value)),
            };
            Tick { value, label }
        })
        .collect()
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn month_name(date: Date) -> &'static str {
    MONTHS.get(usize::try_from(date.month() - 1).unwrap_or_default()).copied().unwrap_or_default()
}

fn month_label(date: Date) -> String {
    format!("{} {}", month_name(date), date.year())
}

fn day_label(date: Date) -> String {
    format!("{} {:.3} {}", date.day(), month_name(date), date.year())
}

/// Days from one date to another.
pub(super) fn days(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_secs() / 86_400
}

/// Whole months from one date to another.
fn months(from: Date, to: Date) -> i32 {
    let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month() - from.month());
    months - i32::from(to.day() < from.day())
}

/// Ticks over the dates of a table, which are ascending. `month_names`: always months, as the original has it.
pub(super) fn x_ticks(dates: &[Date], month_names: bool) -> Vec<(Date, String)> {
    let ([first, ..], [.., last]) = (dates, dates) else { return Vec::new() };
    let span = months(*first, *last);
    let inside = |date: &Date| first <= date && date <= last;
    if span >= 60 {
        const STEPS: [i32; 11] = [1, 2, 4, 5, 10, 20, 40, 50, 100, 500, 1000];
        let step = STEPS.into_iter().find(|step| span / 12 <= 10 * step).unwrap_or(1000);
        let years = (first.year()..=last.year()).filter(|year| i32::from(*year) % step == 0);
        return years.map(|year| date(year, 1, 1)).filter(inside).map(|date| (date, month_label(date))).collect();
    }
    if span >= 5 {
        let step = [1, 2, 3, 4, 6].into_iter().find(|step| span <= 11 * i32::from(*step)).unwrap_or(6_i8);
        let firsts = (first.year()..=last.year())
            .flat_map(|year| (1..=12_i8).filter(move |month| (month - 1) % step == 0).map(move |m| date(year, m, 1)));
        return firsts.filter(inside).map(|date| (date, month_label(date))).collect();
    }
    let every = dates.len().div_ceil(MAX_DATE_TICKS).max(1);
    let label = |date: Date| if month_names { month_label(date) } else { day_label(date) };
    dates.iter().step_by(every).map(|date| (*date, label(*date))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(top: f64) -> Vec<String> {
        y_ticks(top).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn y_ticks_are_round_and_equally_long() {
        // 1/9 = 0.111…: the next of 1, 2, 2.5, 5 is 0.2.
        assert_eq!(labels(1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        // 0.0204.. → 0.025
        assert_eq!(labels(0.184), ["0.000", "0.025", "0.050", "0.075", "0.100", "0.125", "0.150", "0.175"]);
        assert_eq!(labels(0.42), ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30", "0.35", "0.40"]);
        assert_eq!(labels(9.0), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(labels(20.0), ["0.0", "2.5", "5.0", "7.5", "10.0", "12.5", "15.0", "17.5", "20.0"]);
        assert_eq!(labels(1050.0), ["0", "200", "400", "600", "800", "1000"]);
        assert_eq!(labels(1e300).len(), 6);
        assert_eq!(labels(1.05e-290)[1], "2e-291");
        for top in [1e-9, 3.3e-5, 0.7, 1.0, 7.77, 123.4, 9.99e9, 1.05e299] {
            let ticks = y_ticks(top);
            assert!((3..=10).contains(&ticks.len()), "{top}: {ticks:?}");
            assert!(ticks.iter().all(|tick| tick.value <= top && tick.value >= 0.0), "{top}");
        }
    }

    #[test]
    fn the_top_is_five_percent_above() {
        assert_eq!(top(Some(2.0)), 2.1);
        for nothing in [None, Some(0.0), Some(-3.0), Some(1e-300)] {
            assert_eq!(top(nothing), 1.0);
        }
        assert_eq!(top(Some(f64::MAX)), 1e300);
    }

    fn x(first: Date, last: Date) -> Vec<String> {
        x_ticks(&[first, last], false).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn x_ticks_follow_the_span() {
        assert_eq!(x(date(2020, 1, 1), date(2020, 6, 1)).len(), 6, "five months: every month");
        assert_eq!(x(date(2020, 1, 1), date(2020, 5, 31)), ["1 Jan 2020", "31 May 2020"], "not five months yet");
        assert_eq!(
            x(date(2020, 1, 15), date(2020, 6, 15)),
            ["February 2020", "March 2020", "April 2020", "May 2020", "June 2020"]
        );
        // 11 months: every month; 12: every second, counted from January.
        assert_eq!(x(date(2020, 2, 1), date(2021, 1, 1)).len(), 12);
        assert_eq!(
            x(date(2020, 2, 1), date(2021, 2, 1)),
            ["March 2020", "May 2020", "July 2020", "September 2020", "November 2020", "January 2021"]
        );
        // 23 months: every third. 59 months: every sixth (59 ≤ 66, and 59 > 44).
        assert_eq!(x(date(2019, 1, 1), date(2020, 12, 1)).first().map(String::as_str), Some("January 2019"));
        assert_eq!(x(date(2019, 1, 1), date(2020, 12, 1)).len(), 8);
        assert_eq!(x(date(2015, 1, 1), date(2019, 12, 1))[1], "July 2015");
        // 60 months: Januaries.
        assert_eq!(
            x(date(2015, 2, 1), date(2020, 2, 1)),
            ["January 2016", "January 2017", "January 2018", "January 2019", "January 2020"]
        );
        // 11 years: every second year, even ones.
        assert_eq!(x(date(2010, 1, 1), date(2021, 1, 1))[..2], ["January 2010", "January 2012"]);
        assert!(x(date(1, 1, 1), date(9999, 12, 31)).len() <= 11);
        assert_eq!(x(date(2020, 1, 1), date(2020, 1, 1)).len(), 2, "the caller gives each date once");
        assert_eq!(x_ticks(&[], false), []);
    }

    #[test]
    fn short_spans_name_their_dates_at_most_twelve() {
        let weekly: Vec<Date> =
            (0..18).map(|week| date(2020, 1, 6).saturating_add(jiff::Span::new().weeks(week))).collect();
        let ticks = x_ticks(&weekly, false);
        assert_eq!(ticks.len(), 9, "every second of eighteen");
        assert_eq!(ticks[1].1, "20 Jan 2020");
        assert_eq!(x_ticks(&weekly, true)[1].1, "January 2020");
    }
}
