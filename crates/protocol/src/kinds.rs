//! Every message there is, by name: for schemas, tests and tools that must leave none out.
//! Spec protocol.md 9 (c).

use schemars::Schema;
use serde_json::{Map, Value, json};

use crate::directive::{DirectiveBody, DirectiveKind};
use crate::fact::{FactBody, FactKind};
use crate::message::Message;
use crate::shape::{self, BadShape, Unknown};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From backend to site: what leaves.
    Up,
    /// From site to backend.
    Down,
}

/// A kind of message.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// `facts/job.started`, `directives/cancel`, `messages/gauges`.
    pub name: &'static str,
    /// Which way it goes.
    pub way: Way,
    /// What its reader does with fields that it does not know.
    pub unknown: Unknown,
    /// Its JSON Schema, as its writer keeps it.
    pub schema: fn() -> Schema,
    /// Reads its body and writes it again.
    pub again: fn(&Value) -> Result<Value, BadShape>,
}

fn message<M: Message>(name: &'static str, way: Way) -> Kind {
    Kind {
        name,
        way,
        unknown: M::UNKNOWN,
        schema: crate::schema::of::<M>,
        again: |value| shape::write(&shape::read::<M>(value, M::UNKNOWN)?),
    }
}

/// The messages that have no envelope.
pub fn messages() -> Vec<Kind> {
    use Way::{Down, Up};
    vec![
        message::<crate::enrol::Enrol>("messages/enrol", Up),
        message::<crate::enrol::Enrolled>("messages/enrolled", Down),
        message::<crate::hello::BackendHello>("messages/backend_hello", Up),
        message::<crate::hello::SiteHello>("messages/site_hello", Down),
        message::<crate::gauges::Gauges>("messages/gauges", Up),
        message::<crate::fact::intake::FactsTaken>("messages/facts_taken", Down),
        message::<crate::calls::CallRefused>("messages/call_refused", Down),
        message::<crate::calls::EventTaken>("messages/event_taken", Down),
        message::<crate::people::Roster>("messages/roster", Down),
        message::<crate::people::Authenticate>("messages/authenticate", Up),
        message::<crate::people::Authorise>("messages/authorise", Up),
        message::<crate::people::Rights>("messages/rights", Down),
        message::<crate::release::Declaration>("messages/declaration", Up),
        message::<crate::release::Declared>("messages/declared", Down),
        message::<crate::release::Receipt>("messages/receipt", Down),
        message::<crate::review_event::ReviewEvent>("messages/review_event", Up),
    ]
}

/// Reads the body of a fact type and writes it again.
///
/// # Errors
/// It is not one.
pub fn fact_again(kind: FactKind, body: &Value) -> Result<Value, BadShape> {
    FactBody::read(kind, body)?.write()
}

/// Reads the body of a directive type and writes it again.
///
/// # Errors
/// It is not one.
pub fn directive_again(kind: DirectiveKind, body: &Value) -> Result<Value, BadShape> {
    DirectiveBody::read(kind, body)?.write()
}

/// The published schema: every message under its name, facts and directives with their envelopes.
pub fn published() -> Value {
    let mut all = Map::new();
    for &kind in FactKind::ALL {
        all.insert(format!("facts/{}", kind.name()), fact(kind.name(), kind.schema()));
    }
    for &kind in DirectiveKind::ALL {
        all.insert(format!("directives/{}", kind.name()), directive(kind.name(), kind.schema()));
    }
    for kind in messages() {
        all.insert(kind.name.to_owned(), (kind.schema)().to_value());
    }
    json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Cloister protocol 1.0", "$defs": all})
}

fn field<T: schemars::JsonSchema>() -> Value {
    crate::schema::of::<T>().to_value()
}

fn closed(properties: Value) -> Value {
    let names: Vec<String> = properties.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
    json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
}

fn fact(kind: &str, body: Schema) -> Value {
    use crate::text::{hashes::Sha256Hex, ids::KeyId, names::BackendSlug, time::Moment, whole};
    closed(json!({
        "v": {"const": 1}, "backend": field::<BackendSlug>(), "epoch": field::<whole::Epoch>(),
        "seq": field::<whole::Seq>(), "at": field::<Moment>(), "prev": field::<Sha256Hex>(), "type": {"const": kind},
        "body": body, "hash": field::<Sha256Hex>(), "key": field::<KeyId>(),
        "sig": field::<crate::keys::SignatureText>(),
    }))
}

fn directive(kind: &str, body: Schema) -> Value {
    use crate::text::{ids, names::BackendSlug, time::Moment, whole::Cursor};
    // Names of fields; each is one of the body's.
    let critical = json!({"type": "array", "items": {"type": "string", "maxLength": 40, "pattern": "^[a-z0-9_]+$"}});
    closed(json!({
        "v": {"const": 1}, "cursor": field::<Cursor>(), "id": field::<ids::Ulid>(), "backend": field::<BackendSlug>(),
        "type": {"const": kind}, "at": field::<Moment>(), "expires_at": field::<Moment>(), "critical": critical,
        "body": body, "key": field::<ids::KeyId>(), "sig": field::<crate::keys::SignatureText>(),
    }))
}
