//! Values of Python on the wire: plain JSON, and objects of one `$` key for what JSON has not.
//! Spec study-definitions.md 1.3.

use std::fmt;

use jiff::civil::Date;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::shown;
use crate::recording::{CodelistId, Value};

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        from.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Int).map_err(|_| E::custom("a whole number of more than 64 bits"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Str(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        // The length is not told beforehand: memory grows with what is really there.
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(key) = map.next_key::<String>()? else { return Err(A::Error::custom("an object without a $ key")) };
        let value = match key.as_str() {
            "$map" => Value::Map(map.next_value()?),
            "$codelist" => Value::Codelist(CodelistId(map.next_value()?)),
            "$unsupported" => Value::Unsupported(map.next_value()?),
            "$date" => date(&map.next_value::<String>()?).map(Value::Date)?,
            "$float" => Value::Float(match map.next_value::<String>()?.as_str() {
                "nan" => f64::NAN,
                "inf" => f64::INFINITY,
                "-inf" => f64::NEG_INFINITY,
                _ => return Err(A::Error::custom("a $float that is not nan, inf or -inf")),
            }),
            _ => return Err(A::Error::custom(format_args!("an object with the key '{}'", shown(&key)))),
        };
        match map.next_key::<IgnoredAny>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::custom(format_args!("an object with more keys than '{key}'"))),
        }
    }
}

/// YYYY-MM-DD and nothing else.
pub(super) fn date<E: Error>(text: &str) -> Result<Date, E> {
    let well_formed = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    let date = if well_formed { text.parse().ok() } else { None };
    date.ok_or_else(|| E::custom(format_args!("the date '{}'", shown(text))))
}
