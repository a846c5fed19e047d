//! A constant set as JSON: typed values, ordered and without repeats.
//! The order is part of the one spelling, so that equal sets have equal bytes.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

use super::value::Spelled;
use crate::value::Value;

pub(crate) fn serialize<S: Serializer>(values: &[Value], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().cloned().map(Spelled))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Value>, D::Error> {
    let values: Vec<Value> = Vec::<Spelled>::deserialize(from)?.into_iter().map(|s| s.0).collect();
    if values.is_sorted_by(|a, b| a.order(b).is_lt()) {
        Ok(values)
    } else {
        Err(D::Error::custom("the values of a set stand in ascending order, each once"))
    }
}
