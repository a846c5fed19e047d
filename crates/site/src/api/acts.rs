//! The calls that change something, or would: what they take and answer, for the OpenAPI document and its page.
//! Spec site.md 13. The calls themselves are in `form` and `cancel`.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::cancel::{Cancelled, ToCancel};
use crate::form::shapes::{Checked, Made};
use crate::form::wish::Body;

/// A schema and the words beside it.
type Answer = (&'static str, &'static str, fn(&mut SchemaGenerator) -> Value);

/// One call by POST.
pub(super) struct Act {
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) path_value: Option<(&'static str, &'static str)>,
    pub(super) needs_key: bool,
    body: fn(&mut SchemaGenerator) -> Value,
    answers: &'static [Answer],
}

fn of<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

pub(super) const ACTS: &[Act] = &[
    Act {
        path: "/api/v1/workspaces/{workspace}/check",
        summary: "Check a request without making it: faults and what is expected to run",
        path_value: Some(("workspace", "Its name.")),
        needs_key: false,
        body: of::<Body>,
        answers: &[("200", "What was found", of::<Checked<'_>>)],
    },
    Act {
        path: "/api/v1/job-requests",
        summary: "Make a job request",
        path_value: None,
        needs_key: true,
        body: of::<Body>,
        answers: &[("201", "It was made", of::<Made<'_>>), ("200", "The same key made it before", of::<Made<'_>>)],
    },
    Act {
        path: "/api/v1/job-requests/{request}/cancel",
        summary: "Cancel what is not finished of a job request, or some of it",
        path_value: Some(("request", "Its number or identifier.")),
        needs_key: false,
        body: of::<ToCancel>,
        answers: &[("202", "The backend is asked, or it has ended at once", of::<Cancelled>)],
    },
];

/// Adds them to the paths of the document.
pub(super) fn add(paths: &mut Map<String, Value>, generator: &mut SchemaGenerator, problem: &Value) {
    for act in ACTS {
        let mut parameters = Vec::new();
        if let Some((name, what)) = act.path_value {
            parameters.push(json!({"name": name, "in": "path", "required": true, "description": what,
                "schema": {"type": "string"}}));
        }
        if act.needs_key {
            parameters.push(json!({"name": "Idempotency-Key", "in": "header", "required": true,
                "description": "A new one for each new request: the same one gives the same request.",
                "schema": {"type": "string", "maxLength": 100}}));
        }
        let mut responses = Map::new();
        for (status, words, schema) in act.answers {
            let content = json!({"application/json": {"schema": schema(generator)}});
            responses.insert((*status).to_owned(), json!({"description": words, "content": content}));
        }
        for status in ["400", "401", "403", "404", "409", "415", "422", "429", "503"] {
            responses.insert(status.to_owned(), problem.clone());
        }
        let post = json!({
            "summary": act.summary,
            "parameters": parameters,
            "security": [{"token": []}, {"session": [], "csrf": []}],
            "requestBody": {"required": true, "content": {"application/json": {"schema": (act.body)(generator)}}},
            "responses": responses,
        });
        let at = paths.entry(act.path.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(methods) = at {
            methods.insert("post".to_owned(), post);
        }
    }
}

/// How a caller says who it is.
pub(super) fn security() -> Value {
    json!({
        "token": {"type": "http", "scheme": "bearer", "description": "A token of your settings, with the scope that the call needs."},
        "session": {"type": "apiKey", "in": "cookie", "name": "cloister", "description": "The session of a browser."},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "The token of the session's forms."},
    })
}
