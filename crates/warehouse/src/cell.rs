//! A cell's text as a value of its column's kind: the grammar of warehouse.md 4.1, the same for all patient CSV.
//! Nothing is guessed: a day written the other way round is named as such, not turned.

use jiff::civil::{DateTime, time};
use query::{ColumnKind, DateFormat, Type, Value, spelling};

use crate::fault::Code;

/// Why a cell is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) code: Code,
    pub(crate) message: &'static str,
}

fn wrong<T>(code: Code, message: &'static str) -> Result<T, Wrong> {
    Err(Wrong { code, message })
}

/// A value of a column of the catalogue. Text stays text; codes lose the blanks around them.
pub(crate) fn read(text: &str, kind: ColumnKind) -> Result<Value, Wrong> {
    match kind {
        ColumnKind::Text => plain_text(text),
        ColumnKind::Code | ColumnKind::CodeCi => {
            let code = text.trim();
            if code.len() > 50 {
                return wrong(Code::D104, "a code of over 50 bytes");
            }
            plain_text(code)
        }
        ColumnKind::Int32 => match typed(text, Type::Int)? {
            Value::Int(number) if i32::try_from(number).is_err() => wrong(Code::D101, "beyond 32 bits"),
            value => Ok(value),
        },
        other => typed(text, other.value_type()),
    }
}

/// Whether reading drops blanks.
pub(crate) fn trims(text: &str, kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Code | ColumnKind::CodeCi) && text.trim().len() < text.len()
}

/// A value of a type.
pub(crate) fn typed(text: &str, kind: Type) -> Result<Value, Wrong> {
    match kind {
        Type::Str => plain_text(text),
        Type::Int => match spelling::whole(text) {
            Some(number) => Ok(Value::Int(number)),
            None => wrong(Code::D101, "not a whole number of 64 bits"),
        },
        Type::Float => match spelling::decimal(text) {
            Some(number) => Ok(Value::Float(number)),
            None => wrong(Code::D101, "not a decimal number"),
        },
        Type::Bool => match text {
            "0" | "false" | "FALSE" | "False" | "F" => Ok(Value::Bool(false)),
            "1" | "true" | "TRUE" | "True" | "T" => Ok(Value::Bool(true)),
            _ => wrong(Code::D101, "not a truth value: 0 1 true false T F"),
        },
        Type::Date => match spelling::day(text, DateFormat::Day) {
            Some(day) => Ok(Value::Date(day)),
            None => wrong(Code::D105, no_day(text)),
        },
        Type::DateTime => match date_time(text) {
            Some(time) => Ok(Value::DateTime(time)),
            None => wrong(Code::D105, no_day(text)),
        },
    }
}

fn plain_text(text: &str) -> Result<Value, Wrong> {
    if text.contains('\0') { wrong(Code::D104, "text with NUL") } else { Ok(Value::text(text)) }
}

fn no_day(text: &str) -> &'static str {
    let day_first = text.get(..10).and_then(|text| spelling::day(text, DateFormat::British));
    if day_first.is_some() {
        "a day written day first: write it as YYYY-MM-DD"
    } else {
        "not a day from 0001-01-01 to 9999-12-31 written as YYYY-MM-DD (times: YYYY-MM-DD HH:MM:SS)"
    }
}

/// `YYYY-MM-DD[ T]HH:MM[:SS[.f]]`, or a day alone, which is its midnight. Digits beyond microseconds must be zeros.
fn date_time(text: &str) -> Option<DateTime> {
    let day = spelling::day(text.get(..10)?, DateFormat::Day)?;
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else {
        return Some(day.to_datetime(time(0, 0, 0, 0)));
    };
    let rest = rest.strip_prefix([' ', 'T'])?;
    let two = |at: usize| {
        let part = rest.get(at..at + 2).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<i8>().ok()
    };
    let colon = |at: usize| rest.as_bytes().get(at) == Some(&b':');
    let (hour, minute) = (two(0)?, two(3).filter(|_| colon(2))?);
    let (second, fraction) = match rest.len() {
        5 => (0, ""),
        8 => (two(6).filter(|_| colon(5))?, ""),
        _ => (two(6).filter(|_| colon(5))?, rest.get(8..)?.strip_prefix('.').filter(|f| !f.is_empty())?),
    };
    if fraction.len() > 18 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (micro, beyond) = fraction.split_at(fraction.len().min(6));
    if beyond.bytes().any(|b| b != b'0') {
        return None;
    }
    let micro: i32 = if micro.is_empty() { 0 } else { format!("{micro:0<6}").parse().ok()? };
    let time = jiff::civil::Time::new(hour, minute, second, micro * 1_000).ok()?;
    Some(day.to_datetime(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, datetime};

    #[test]
    fn times_and_days() {
        let read = |text: &str| typed(text, Type::DateTime);
        let at = |h, m, s, n| Ok(Value::DateTime(datetime(2021, 3, 31, h, m, s, n)));
        assert_eq!(read("2021-03-31"), at(0, 0, 0, 0));
        assert_eq!(read("2021-03-31T23:59"), at(23, 59, 0, 0));
        assert_eq!(read("2021-03-31 23:59:58"), at(23, 59, 58, 0));
        assert_eq!(read("2021-03-31 23:59:58.5"), at(23, 59, 58, 500_000_000));
        assert_eq!(read("2021-03-31 23:59:58.1234560"), at(23, 59, 58, 123_456_000));
        for text in [
            "2021-03-31T",
            "2021-03-31 24:00",
            "2021-03-31 23:59:60",
            "2021-03-31 23:59:58.",
            "2021-03-31 2:59",
            "2021-03-31 23:59:58.1234567",
            "2021-03-31 23:59:58Z",
            "2021-03-31  23:59",
            "2021-02-29",
            "",
            "2021-03-31x",
        ] {
            assert_eq!(read(text).map_err(|w| w.code), Err(Code::D105), "{text:?}");
        }
        assert_eq!(typed("2021-03-31", Type::Date), Ok(Value::Date(date(2021, 3, 31))));
        assert_eq!(typed("2021-03-31 00:00", Type::Date).map_err(|w| w.code), Err(Code::D105));
        assert!(typed("31/03/2021", Type::Date).unwrap_err().message.contains("day first"));
        assert!(typed("31/03/2021 10:00", Type::DateTime).unwrap_err().message.contains("day first"));
        assert!(!typed("é1/03/2021", Type::Date).unwrap_err().message.contains("day first"));
    }

    #[test]
    fn kinds() {
        assert_eq!(read("2147483648", ColumnKind::Int32).map_err(|w| w.code), Err(Code::D101));
        assert_eq!(read("2147483648", ColumnKind::Int64), Ok(Value::Int(2_147_483_648)));
        assert_eq!(read("0.1", ColumnKind::Real), Ok(Value::Float(0.1)));
        assert_eq!(read("\u{a0}Ab1.. \t", ColumnKind::Code), Ok(Value::text("Ab1..")));
        assert_eq!(read(" a ", ColumnKind::Text), Ok(Value::text(" a ")));
        assert_eq!(read("a\0", ColumnKind::Text).map_err(|w| w.code), Err(Code::D104));
        assert_eq!(read(&"1".repeat(51), ColumnKind::Code).map_err(|w| w.code), Err(Code::D104));
        assert_eq!(read("T", ColumnKind::Bool), Ok(Value::Bool(true)));
        assert_eq!(read("yes", ColumnKind::Bool).map_err(|w| w.code), Err(Code::D101));
    }
}
