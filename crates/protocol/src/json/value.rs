//! A JSON value whose canonical form is defined: no key twice in an object, no number but whole ones up to 2^53 - 1.
//! Spec protocol.md 3.1 (RFC 8785 asks for I-JSON).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::GREATEST;

/// Reads a value, refusing what a canonical form cannot hold.
pub(super) fn strict<'de, D: Deserializer<'de>>(reader: D) -> Result<Value, D::Error> {
    Strict.deserialize(reader)
}

/// Whether all numbers are whole and within 2^53 - 1.
pub(super) fn whole(value: &Value) -> bool {
    match value {
        Value::Number(n) => n.as_i64().is_some_and(|n| n.unsigned_abs() <= GREATEST),
        Value::Array(list) => list.iter().all(whole),
        Value::Object(map) => map.values().all(whole),
        _ => true,
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with unique keys and whole numbers")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() <= GREATEST { Ok(value.into()) } else { Err(E::custom("number out of range")) }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if value <= GREATEST { Ok(value.into()) } else { Err(E::custom("number out of range")) }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // `-0` is read as a float and is the number 0; every other float was written with a point or an exponent.
        if value == 0.0 && value.is_sign_negative() { Ok(0.into()) } else { Err(E::custom("number not whole")) }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(Self)? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self)?;
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("doubled key"));
            }
        }
        Ok(Value::Object(map))
    }
}
