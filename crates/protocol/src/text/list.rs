//! A list with a least and a greatest length.
//! Spec protocol.md 11.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

/// A list of `MIN` to `MAX` entries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

/// A list that is too short or too long for its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the list has {length} entries; {least} to {greatest} are allowed")]
pub struct BadLength {
    length: usize,
    least: usize,
    greatest: usize,
}

impl<T, const MIN: usize, const MAX: usize> TryFrom<Vec<T>> for List<T, MIN, MAX> {
    type Error = BadLength;
    fn try_from(list: Vec<T>) -> Result<Self, BadLength> {
        if (MIN..=MAX).contains(&list.len()) {
            Ok(Self(list))
        } else {
            Err(BadLength { length: list.len(), least: MIN, greatest: MAX })
        }
    }
}

impl<T, const MAX: usize> Default for List<T, 0, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// The entries.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MIN: usize, const MAX: usize> Deref for List<T, MIN, MAX> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T, const MIN: usize, const MAX: usize> IntoIterator for &'a List<T, MIN, MAX> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>, const MIN: usize, const MAX: usize> Deserialize<'de> for List<T, MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Vec::deserialize(reader)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl<T: schemars::JsonSchema, const MIN: usize, const MAX: usize> schemars::JsonSchema for List<T, MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("List_of_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let items = generator.subschema_for::<T>();
        schemars::json_schema!({"type": "array", "items": items, "minItems": MIN, "maxItems": MAX})
    }
}

#[cfg(test)]
impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// For tests: the list, which must be right.
    #[allow(dead_code, reason = "not every type is made by a test of this crate")]
    pub(crate) fn t(list: Vec<T>) -> Self {
        list.try_into().ok().unwrap()
    }
}
