//! The schema as it is on the wire: every key required, no other key allowed.
//! Spec study-definitions.md 1.3.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::RecordingError;
use super::error::shown;
use crate::recording::Value;

pub(super) const SCHEMA: &str = "cloister.recording/1";

pub(super) fn read(bytes: &[u8]) -> Result<WireRecording, RecordingError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // The depth has been looked at, and the stack is made for it.
    reader.disable_recursion_limit();
    let recording = WireRecording::deserialize(&mut reader).and_then(|recording| reader.end().map(|()| recording));
    recording.map_err(|error| match schema_of(bytes) {
        Some(schema) if schema != SCHEMA => RecordingError::Schema { found: shown(&schema) },
        _ => RecordingError::Shape(shown(&error.to_string())),
    })
}

/// The schema that bytes of another version say they have: its key comes first.
fn schema_of(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_prefix(br#"{"schema":""#)?;
    let end = rest.iter().take(200).position(|b| *b == b'"')?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireRecording {
    #[serde(deserialize_with = "schema")]
    #[expect(dead_code, reason = "only its value matters, which the reader checks")]
    pub(super) schema: (),
    pub(super) recorder: WireRecorder,
    pub(super) module: String,
    pub(super) file: String,
    pub(super) date: String,
    pub(super) params: WireParams,
    pub(super) sources: Vec<WireSource>,
    pub(super) codelists: Entries<WireCodelist>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) study: Option<WireStudy>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) measures: Option<Vec<WireMeasure>>,
    pub(super) files_read: Vec<WireFile>,
    pub(super) faults: Vec<WireFault>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) exception: Option<WireException>,
}

fn schema<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    let found = String::deserialize(from)?;
    if found == SCHEMA { Ok(()) } else { Err(D::Error::custom("another schema")) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireRecorder {
    pub(super) version: String,
    pub(super) python: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireParams {
    pub(super) given: Entries<String>,
    pub(super) read: Vec<String>,
}

/// `[file, line, col, end_line, end_col]`.
#[derive(Deserialize)]
pub(super) struct WireSource(
    pub(super) String,
    pub(super) u32,
    pub(super) Option<u32>,
    pub(super) Option<u32>,
    pub(super) Option<u32>,
);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireCodelist {
    pub(super) system: String,
    pub(super) categorised: bool,
    pub(super) items: Vec<Value>,
    pub(super) sha256: String,
    pub(super) origin: Vec<WireOrigin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireOrigin {
    #[serde(rename = "fn")]
    pub(super) function: String,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) file: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) column: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) category_column: Option<String>,
    pub(super) src: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireStudy {
    pub(super) src: u32,
    pub(super) index_date: Value,
    pub(super) default_expectations: Value,
    pub(super) population: WireVariable,
    pub(super) variables: Vec<WireVariable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireVariable {
    pub(super) name: String,
    #[serde(rename = "fn")]
    pub(super) function: String,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) called: Option<String>,
    pub(super) args: Entries<Value>,
    pub(super) extra: Vec<WireVariable>,
    pub(super) src: u32,
    pub(super) via: Vec<u32>,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) name_src: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireMeasure {
    pub(super) id: String,
    pub(super) numerator: String,
    pub(super) denominator: String,
    pub(super) group_by: Vec<String>,
    pub(super) small_number_suppression: bool,
    pub(super) src: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireFile {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) kind: WireFileKind,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum WireFileKind {
    Code,
    Data,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireFault {
    pub(super) code: String,
    pub(super) kind: String,
    pub(super) message: String,
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) src: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireException {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) frames: Vec<u32>,
}

/// An object whose keys are names of the study's own: in order, none twice.
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
        let mut seen = std::collections::HashSet::new();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("the key '{}' stands twice", shown(&key))));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Entries(entries))
    }
}
