//! A typed value as JSON: `{"int":"5"}`, `{"date":"2024-02-29"}`. Numbers are text, so that no reader rounds them.
//! A value has one spelling; another one is refused.

use jiff::civil::{Date, DateTime};
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{Type, Value};

pub(crate) fn serialize<S: Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
    let text = spell(value);
    let kind = value.kind().map_or_else(|| "null".to_owned(), |k| k.to_string());
    let mut map = to.serialize_map(Some(1))?;
    map.serialize_entry(&kind, &text)?;
    map.end()
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
    let Typed { kind, text } = Typed::deserialize(from)?;
    read(kind, &text).ok_or_else(|| D::Error::custom(format!("{text:?} is no {kind} as the format spells it")))
}

struct Typed {
    kind: Type,
    text: String,
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let map = std::collections::BTreeMap::<Type, String>::deserialize(from)?;
        let mut entries = map.into_iter();
        match (entries.next(), entries.next()) {
            (Some((kind, text)), None) => Ok(Typed { kind, text }),
            _ => Err(D::Error::custom("a value is an object with one type, such as {\"int\":\"5\"}")),
        }
    }
}

/// The spelling of a value that is not NULL.
pub(crate) fn spell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        // the shortest text that reads back to the same double, with a point or exponent
        Value::Float(v) => format!("{v:?}"),
        Value::Str(v) => v.to_string(),
        Value::Date(v) => v.to_string(),
        Value::DateTime(v) => v.to_string(),
    }
}

fn read(kind: Type, text: &str) -> Option<Value> {
    let value = match kind {
        Type::Bool => Value::Bool(text.parse().ok()?),
        Type::Int => Value::Int(text.parse().ok()?),
        Type::Float => Value::Float(text.parse().ok().filter(|v: &f64| v.is_finite())?),
        Type::Str => Value::text(text),
        Type::Date => Value::Date(text.parse::<Date>().ok().filter(|d| d.year() >= 1)?),
        Type::DateTime => Value::DateTime(text.parse::<DateTime>().ok().filter(|d| d.year() >= 1)?),
    };
    (spell(&value) == text).then_some(value)
}

/// A value in the typed form, for lists.
#[derive(Clone)]
pub(crate) struct Spelled(pub(crate) Value);

impl Serialize for Spelled {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, to)
    }
}

impl<'de> Deserialize<'de> for Spelled {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        deserialize(from).map(Spelled)
    }
}
