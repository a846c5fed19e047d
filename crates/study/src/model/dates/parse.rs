//! Reads what studies write as a date: `2021-03-01`, `index_date - 2 years`, `last_day_of_month(admitted_date) + 1 day`.
//! Spec study-definitions.md 5; names are understood later, when the study's columns are known.

use std::ops::Range;

use jiff::civil::Date;

use super::{DateFunction, DateUnit, Offset};

/// A date as written, before its name is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateWords {
    /// What it starts from.
    pub name: DateName,
    /// Applied first.
    pub function: Option<DateFunction>,
    /// Applied second.
    pub offset: Option<Offset>,
}

/// What a date starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateName {
    /// A day.
    Day(Date),
    /// A column, `index_date` or `today`, and where it stands in the text.
    Word(String, Range<usize>),
}

/// Why a text is no date. Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateSyntax {
    /// SD301: neither form.
    Unreadable(Range<usize>),
    /// SD301: the form of a day that no calendar has.
    NoSuchDay(Range<usize>),
    /// SD302.
    UnknownFunction(String, Range<usize>),
    /// SD303: the unit, and its count.
    UnknownUnit(String, i32, Range<usize>),
    /// SD301: more than any calendar holds.
    TooFar(Range<usize>),
}

/// A text without its spaces, with the way back to the places of its characters.
struct Squeezed {
    text: String,
    places: Vec<usize>,
}

impl Squeezed {
    fn new(text: &str) -> Self {
        let kept = text.char_indices().filter(|(_, c)| *c != ' ');
        let mut squeezed = Self { text: String::new(), places: Vec::new() };
        for (at, c) in kept {
            squeezed.places.extend((0..c.len_utf8()).map(|i| at + i));
            squeezed.text.push(c);
        }
        squeezed
    }

    fn range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.places.get(range.start).copied().unwrap_or(0);
        let last = range.end.checked_sub(1).and_then(|i| self.places.get(i)).map_or(start, |i| i + 1);
        start..last.max(start)
    }
}

/// A day written `YYYY-MM-DD`; nothing else is one.
pub fn iso_day(text: &str) -> Option<Date> {
    if !looks_like_day(text) {
        return None;
    }
    let number = |range: Range<usize>| text.get(range)?.parse::<i16>().ok();
    let (month, day) = (i8::try_from(number(5..7)?).ok()?, i8::try_from(number(8..10)?).ok()?);
    let year = number(0..4).filter(|year| *year >= 1)?;
    Date::new(year, month, day).ok()
}

fn looks_like_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() })
}

/// Reads a date.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(text: &str) -> Result<DateWords, DateSyntax> {
    let squeezed = Squeezed::new(text);
    let s = squeezed.text.as_str();
    if s.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return expression(&squeezed);
    }
    if let Some(day) = iso_day(s) {
        return Ok(DateWords { name: DateName::Day(day), function: None, offset: None });
    }
    let whole = squeezed.range(0..s.len());
    Err(if looks_like_day(s) { DateSyntax::NoSuchDay(whole) } else { DateSyntax::Unreadable(whole) })
}

fn expression(squeezed: &Squeezed) -> Result<DateWords, DateSyntax> {
    let s = squeezed.text.as_str();
    let unreadable = || DateSyntax::Unreadable(squeezed.range(0..s.len()));
    let mut at = word(s, 0).ok_or_else(unreadable)?;
    let first = 0..at;
    let mut name = first.clone();
    let mut called = None;
    if s[at..].starts_with('(') {
        let end = word(s, at + 1).ok_or_else(unreadable)?;
        name = at + 1..end;
        if !s[end..].starts_with(')') {
            return Err(unreadable());
        }
        called = Some(first);
        at = end + 1;
    }
    let offset = match s.as_bytes().get(at) {
        None => None,
        Some(b'+' | b'-') => Some(self::offset(squeezed, at).ok_or_else(unreadable)?),
        Some(_) => return Err(unreadable()),
    };
    let function = match called {
        None => None,
        Some(range) => {
            let wanted = &s[range.clone()];
            let known = DateFunction::ALL.into_iter().find(|f| f.name() == wanted);
            Some(known.ok_or_else(|| DateSyntax::UnknownFunction(wanted.to_owned(), squeezed.range(range)))?)
        }
    };
    let word = DateName::Word(s[name.clone()].to_owned(), squeezed.range(name));
    Ok(DateWords { name: word, function, offset: offset.transpose()? })
}

/// `None` when it has not the form of an offset at all.
fn offset(squeezed: &Squeezed, at: usize) -> Option<Result<Offset, DateSyntax>> {
    let s = squeezed.text.as_str();
    let digits = s[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
    let unit = at + 1 + digits;
    if digits == 0 || word(s, unit)? != s.len() {
        return None;
    }
    let Ok(count) = s[at + 1..unit].parse::<i32>() else {
        return Some(Err(DateSyntax::TooFar(squeezed.range(at..unit))));
    };
    let count = if s.as_bytes()[at] == b'-' { -count } else { count };
    Some(match &s[unit..] {
        "day" | "days" => Ok(Offset { count, unit: DateUnit::Days }),
        "month" | "months" => Ok(Offset { count, unit: DateUnit::Months }),
        "year" | "years" => Ok(Offset { count, unit: DateUnit::Years }),
        other => Err(DateSyntax::UnknownUnit(other.to_owned(), count, squeezed.range(unit..s.len()))),
    })
}

/// The end of the word that begins at `start`: a letter, then letters, digits, `_` and `.`.
fn word(s: &str, start: usize) -> Option<usize> {
    let rest = s.get(start..)?;
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
    Some(start + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn both_forms() {
        let day = parse("2021-03-01").unwrap();
        assert_eq!(day.name, DateName::Day(date(2021, 3, 1)));
        let words = parse(" last_day_of_month( bp_date ) - 2 months").unwrap();
        assert_eq!(words.name, DateName::Word("bp_date".to_owned(), 20..27));
        assert_eq!(words.function, Some(DateFunction::LastDayOfMonth));
        assert_eq!(words.offset, Some(Offset { count: -2, unit: DateUnit::Months }));
        assert_eq!(parse("index_date+1year").unwrap().offset, Some(Offset { count: 1, unit: DateUnit::Years }));
        assert!(parse("today").unwrap().offset.is_none());
    }

    #[test]
    fn what_is_wrong_and_where() {
        assert_eq!(parse("2021-02-29"), Err(DateSyntax::NoSuchDay(0..10)));
        assert_eq!(parse("2021-2-3"), Err(DateSyntax::Unreadable(0..8)));
        assert_eq!(parse(""), Err(DateSyntax::Unreadable(0..0)));
        assert_eq!(parse("index_date + 2 weeks"), Err(DateSyntax::UnknownUnit("weeks".to_owned(), 2, 15..20)));
        assert_eq!(parse("first_day(today)"), Err(DateSyntax::UnknownFunction("first_day".to_owned(), 0..9)));
        assert_eq!(parse("index_date + 99999999999 days"), Err(DateSyntax::TooFar(11..24)));
        for text in ["index_date + 1 day + 1 day", "index_date +", "f(g(x))", "_x + 1 day", "x)"] {
            assert!(matches!(parse(text), Err(DateSyntax::Unreadable(_))), "{text}");
        }
        assert!(matches!(parse("2020-01-01 + 1 day"), Err(DateSyntax::Unreadable(_))));
        assert!(matches!(parse("é + 1 day"), Err(DateSyntax::Unreadable(_))));
    }

    proptest::proptest! {
        #[test]
        fn ranges_lie_within_the_text(text in "[a-z(). +\\-0-9é_]{0,24}") {
            let range = match parse(&text) {
                Ok(DateWords { name: DateName::Word(word, range), .. }) => {
                    proptest::prop_assert_eq!(text[range.clone()].replace(' ', ""), word);
                    range
                }
                Ok(_) => 0..0,
                Err(
                    DateSyntax::Unreadable(r) | DateSyntax::NoSuchDay(r) | DateSyntax::UnknownFunction(_, r)
                    | DateSyntax::UnknownUnit(_, _, r) | DateSyntax::TooFar(r)
                ) => r,
            };
            proptest::prop_assert!(text.get(range).is_some());
        }
    }
}
