//! One act as it is written down: who, what, on which object, what changed, why.
//! Spec site.md 11.8.

use serde_json::{Map, Value, json};

use crate::access::{RequestId, Viewer};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody who is known: a failed sign-in.
    Nobody,
    /// An account, and the row of the API token that acted for it.
    Account {
        /// The row.
        id: i64,
        /// The token.
        token: Option<i64>,
    },
    /// The command line of the machine with this name: `operator@host`.
    Operator(String),
    /// A backend, by its row.
    Backend(i64),
    /// The site itself.
    Site,
}

impl Actor {
    /// Who asks.
    pub fn of(viewer: &Viewer) -> Self {
        match viewer {
            Viewer::Anonymous => Self::Nobody,
            Viewer::Person(person) => Self::Account { id: person.account.id, token: None },
            Viewer::Token(token) => Self::Account { id: token.account.id, token: Some(token.id) },
        }
    }

    /// The operator at this machine.
    pub fn operator() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host: String = host.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
        Self::Operator(if host.is_empty() { "localhost".to_owned() } else { host })
    }

    /// The row of the account, if it is one: for `*_by` columns, where the operator is NULL.
    pub fn account(&self) -> Option<i64> {
        match self {
            Self::Account { id, .. } => Some(*id),
            _ => None,
        }
    }

    pub(super) fn written(&self) -> Value {
        match self {
            Self::Nobody => json!({"kind": "nobody"}),
            Self::Account { id, token: None } => json!({"kind": "account", "id": id}),
            Self::Account { id, token: Some(token) } => json!({"kind": "account", "id": id, "token": token}),
            Self::Operator(host) => json!({"kind": "operator", "name": format!("operator@{host}")}),
            Self::Backend(id) => json!({"kind": "backend", "id": id}),
            Self::Site => json!({"kind": "site"}),
        }
    }
}

/// An act. Personal data (names, e-mail addresses) go into no field of it: say that they changed, not to what.
#[derive(Debug, Clone)]
pub struct Act {
    pub(super) actor: Actor,
    pub(super) action: &'static str,
    pub(super) object: Option<(&'static str, i64)>,
    pub(super) project: Option<i64>,
    pub(super) before: Option<Map<String, Value>>,
    pub(super) after: Option<Map<String, Value>>,
    pub(super) reason: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Act {
    /// An act with a name of small letters and `_`, such as `role_granted`.
    pub fn new(actor: Actor, action: &'static str) -> Self {
        Self { actor, action, object: None, project: None, before: None, after: None, reason: None, request_id: None }
    }

    /// What it was done to: a table's name and a row.
    #[must_use]
    pub fn on(self, kind: &'static str, id: i64) -> Self {
        Self { object: Some((kind, id)), ..self }
    }

    /// The project that it belongs to.
    #[must_use]
    pub fn project(self, id: i64) -> Self {
        Self { project: Some(id), ..self }
    }

    /// What was before: changed fields only.
    #[must_use]
    pub fn before(self, fields: Map<String, Value>) -> Self {
        Self { before: Some(fields), ..self }
    }

    /// What is now: changed fields only.
    #[must_use]
    pub fn after(self, fields: Map<String, Value>) -> Self {
        Self { after: Some(fields), ..self }
    }

    /// Why, in somebody's own words. Kept beside the chain. Nothing if blank.
    #[must_use]
    pub fn reason(self, text: &str) -> Self {
        let text = text.trim();
        Self { reason: (!text.is_empty()).then(|| text.to_owned()), ..self }
    }

    /// The request by which it was asked for.
    #[must_use]
    pub fn request(self, id: &RequestId) -> Self {
        Self { request_id: Some(id.0.clone()), ..self }
    }
}

/// Fields of [`Act::before`] and [`Act::after`]: `fields([("role", json!("Auditor"))])`.
pub fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
