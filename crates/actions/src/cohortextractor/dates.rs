//! `--index-date-range`: which index dates a command stands for (study-definitions.md 9.1).
//! A date that a calendar does not have is a fault, never silently another day.

use jiff::civil::Date;

use crate::fault::{Exit, Fault, FaultCode};

/// Most index dates of one command (study-definitions.md 14).
const MOST: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Week,
    Month,
}

/// The dates of a range in calendar order, at least one.
pub(crate) fn range(text: &str, today: Date) -> Result<Vec<Date>, Fault> {
    let fault = |message: String| Fault::new(FaultCode::Study("SD305"), Exit::Arguments, message);
    let (start, rest) = text.split_once(" to ").map_or((text, None), |(start, rest)| (start, Some(rest)));
    let (end, unit) = match rest {
        Some(rest) => rest.split_once(" by ").map_or((rest, None), |(end, unit)| (end, Some(unit.trim()))),
        None => match start.split_once(" by ") {
            Some(_) => {
                let message = format!("--index-date-range \"{text}\" has a unit but no end");
                return Err(fault(message).help("write \"2021-01-01 to 2021-12-01 by month\""));
            }
            None => (start, None),
        },
    };
    let unit = match unit {
        None | Some("month") => Unit::Month,
        Some("week") => Unit::Week,
        Some(other) => {
            let message = format!("--index-date-range: '{other}' is not a unit of a range");
            return Err(fault(message).help("write \"by week\" or \"by month\""));
        }
    };
    let date = |text: &str| match text.trim() {
        "today" => Ok(today),
        text => iso(text).ok_or_else(|| {
            fault(format!("--index-date-range: '{text}' is not a date"))
                .help("write dates as YYYY-MM-DD, or `today`; for example \"2021-01-01 to 2021-12-01 by month\"")
        }),
    };
    let (start, end) = (date(start)?, date(end)?);
    if end < start {
        let message = format!("--index-date-range: the end {end} is before the start {start}");
        return Err(fault(message).help("write the earlier date first"));
    }
    steps(start, end, unit).map_err(|why| match why {
        Stop::NoSuchDay(year, month, day) => {
            let message = format!("--index-date-range: {year:04}-{month:02} has no day {day}, so the months from {start} cannot be counted");
            fault(message).help("begin on day 1 or day 28, which every month has")
        }
        Stop::TooMany => {
            let message = format!("--index-date-range: {start} to {end} is more than {MOST} index dates");
            fault(message).help("choose a shorter range, or months instead of weeks")
        }
    })
}

/// `YYYY-MM-DD`, nothing else.
pub(crate) fn iso(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    let parsed: Option<Date> = text.parse().ok().filter(|_| shape);
    parsed.filter(|date| date.year() >= 1)
}

enum Stop {
    NoSuchDay(i16, i8, i8),
    TooMany,
}

fn steps(start: Date, end: Date, unit: Unit) -> Result<Vec<Date>, Stop> {
    let mut dates = vec![start];
    let mut at = start;
    loop {
        let next = match unit {
            Unit::Week => at.checked_add(jiff::Span::new().weeks(1)).ok(),
            Unit::Month => {
                let (year, month) = if at.month() == 12 { (at.year() + 1, 1) } else { (at.year(), at.month() + 1) };
                // A day that would lie behind the end is never asked for.
                if (year, month, at.day()) > (end.year(), end.month(), end.day()) {
                    None
                } else {
                    Some(Date::new(year, month, at.day()).map_err(|_| Stop::NoSuchDay(year, month, at.day()))?)
                }
            }
        };
        match next.filter(|next| *next <= end) {
            Some(next) if dates.len() < MOST => dates.push(next),
            Some(_) => return Err(Stop::TooMany),
            None => return Ok(dates),
        }
        at = next.unwrap_or(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn found(text: &str) -> Vec<String> {
        range(text, date(2021, 5, 4)).map_or_else(
            |fault| vec![format!("{} {}", fault.code.as_str(), fault.message)],
            |dates| dates.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn ranges_count_weeks_and_months() {
        let rows: &[(&str, &[&str])] = &[
            ("2021-01-01 to 2021-03-01 by month", &["2021-01-01", "2021-02-01", "2021-03-01"]),
            ("2021-01-01 to 2021-02-28", &["2021-01-01", "2021-02-01"]),
            ("2020-12-28 to 2021-01-27 by month", &["2020-12-28"]),
            ("2020-12-28 to 2021-01-28", &["2020-12-28", "2021-01-28"]),
            ("2020-02-24 to 2020-03-09 by week", &["2020-02-24", "2020-03-02", "2020-03-09"]),
            ("2020-03-01 to 2020-03-01 by week", &["2020-03-01"]),
            ("2021-01-31", &["2021-01-31"]),
            ("2021-01-31 to 2021-02-27", &["2021-01-31"]),
            ("today", &["2021-05-04"]),
            ("2021-03-04 to today by month", &["2021-03-04", "2021-04-04", "2021-05-04"]),
            ("9999-12-27 to 9999-12-31 by week", &["9999-12-27"]),
            ("9999-12-01 to 9999-12-31 by month", &["9999-12-01"]),
        ];
        for (text, expected) in rows {
            assert_eq!(found(text), *expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_range_says_why() {
        let rows = [
            ("2021-01-31 to 2021-03-31 by month", "2021-02 has no day 31"),
            ("2021-01-29 to 2021-03-01", "2021-02 has no day 29"),
            ("2021-02-01 to 2021-01-01", "before the start"),
            ("2021-02-01 to 2021-03-01 by day", "'day' is not a unit"),
            ("2021-02-01 to 2021-03-01 by weeks", "'weeks' is not a unit"),
            ("2021-02-30", "'2021-02-30' is not a date"),
            ("2021-2-3", "is not a date"),
            ("20210203", "is not a date"),
            ("0000-01-01", "is not a date"),
            ("2021-02-01 by week", "no end"),
            ("tomorrow", "is not a date"),
            ("", "'' is not a date"),
            ("1900-01-01 to 2021-01-01 by week", "more than 2000"),
        ];
        for (text, part) in rows {
            let told = found(text);
            assert!(told[0].starts_with("SD305") && told[0].contains(part), "{text}: {told:?}");
        }
        assert_eq!(found("1983-01-03 to 2021-04-26 by week").len(), 2_000);
    }
}
