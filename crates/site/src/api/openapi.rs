//! The OpenAPI 3.1 document, made from the types of answers; and the same as a plain page.
//! Spec site.md 13.

use std::sync::LazyLock;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use ui::html::Html;
use ui::page::{Crumb, Page};

use super::shapes::{
    ActionNow, Backend, Graph, JobOfRequest, ListOf, OrgItem, ProjectItem, Request, RequestItem, Workspace,
};
use super::{acts, answer};
use crate::Opened;
use crate::access::{Refusal, Viewer};
use crate::pages::show;

/// One call that reads.
struct Call {
    path: &'static str,
    summary: &'static str,
    /// Values in the path and the query: name, what it is.
    path_values: &'static [(&'static str, &'static str)],
    query: &'static [(&'static str, &'static str)],
    answer: fn(&mut SchemaGenerator) -> Value,
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

const FILTERS: &[(&str, &str)] = &[
    (
        "q",
        "Words that must all be found: a number, the beginning of an identifier, a job's identifier or a commit, names.",
    ),
    ("status", "pending, running, failed, succeeded, nothing_to_do or unknown."),
    ("backend", "Slug of a backend."),
    ("org", "Slug of an organisation."),
    ("project", "Slug of a project."),
    ("workspace", "Name of a workspace."),
    ("user", "A username."),
    ("action", "An action that was asked for, or ran."),
    ("code", "A code that one of the jobs has."),
    ("from", "The first day, UTC."),
    ("to", "The last day, UTC."),
    ("after", "The `next` of the page before."),
    ("limit", "Rows of a page: 1 to 500, 100 if not given."),
];

const CALLS: &[Call] = &[
    Call {
        path: "/api/v1/job-requests",
        summary: "Job requests, newest first",
        path_values: &[],
        query: FILTERS,
        answer: of::<ListOf<RequestItem>>,
    },
    Call {
        path: "/api/v1/job-requests/{request}",
        summary: "One job request with its jobs",
        path_values: &[("request", "Its number or identifier.")],
        query: &[],
        answer: of::<Request>,
    },
    Call {
        path: "/api/v1/job-requests/{request}/graph",
        summary: "How the actions of its project.yaml depend on each other, and take part in the request",
        path_values: &[("request", "Its number or identifier.")],
        query: &[],
        answer: of::<Graph>,
    },
    Call {
        path: "/api/v1/jobs/{job}",
        summary: "One job",
        path_values: &[("job", "Its identifier.")],
        query: &[],
        answer: of::<JobOfRequest>,
    },
    Call {
        path: "/api/v1/workspaces/{workspace}",
        summary: "One workspace",
        path_values: &[("workspace", "Its name.")],
        query: &[],
        answer: of::<Workspace>,
    },
    Call {
        path: "/api/v1/workspaces/{workspace}/actions",
        summary: "The newest run of each action of a workspace on each backend",
        path_values: &[("workspace", "Its name.")],
        query: &[("backend", "Slug of a backend.")],
        answer: of::<ListOf<ActionNow>>,
    },
    Call {
        path: "/api/v1/projects",
        summary: "Projects",
        path_values: &[],
        query: &[],
        answer: of::<ListOf<ProjectItem>>,
    },
    Call {
        path: "/api/v1/orgs",
        summary: "Organisations",
        path_values: &[],
        query: &[],
        answer: of::<ListOf<OrgItem>>,
    },
    Call {
        path: "/api/v1/backends",
        summary: "Backends in use, as they are now",
        path_values: &[],
        query: &[],
        answer: of::<ListOf<Backend>>,
    },
];

static DOCUMENT: LazyLock<Value> = LazyLock::new(make);

fn make() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = settings.into_generator();
    let problem = json!({"description": "Refused", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
    let mut paths = Map::new();
    for call in CALLS {
        let schema = (call.answer)(&mut generator);
        let path = call.path_values.iter().map(|value| parameter("path", value));
        let values: Vec<Value> = path.chain(call.query.iter().map(|value| parameter("query", value))).collect();
        paths.insert(
            call.path.to_owned(),
            json!({"get": {
                "summary": call.summary, "parameters": values, "security": [],
                "responses": {
                    "200": {"description": call.summary, "content": {"application/json": {"schema": schema}}},
                    "304": {"description": "As the ETag that was sent"},
                    "400": problem, "404": problem, "429": problem, "503": problem,
                },
            }}),
        );
    }
    acts::add(&mut paths, &mut generator, &problem);
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    schemas.insert("Problem".to_owned(), problem_schema());
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Cloister", "version": "1", "description": "What ran, as the pages of this site show it. Times are RFC 3339 in UTC with microseconds. Fields are added, never changed."},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": acts::security()},
    })
}

fn parameter(place: &str, (name, what): &(&str, &str)) -> Value {
    json!({"name": name, "in": place, "required": place == "path", "description": what, "schema": {"type": "string"}})
}

fn problem_schema() -> Value {
    json!({
        "type": "object",
        "description": "Why a call is refused (RFC 9457).",
        "required": ["type", "title", "status", "detail", "errors", "request_id"],
        "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
            "detail": {"type": "string"}, "request_id": {"type": "string"},
            "errors": {"type": "array", "items": {"type": "object", "properties": {
                "field": {"type": "string"}, "line": {"type": "integer"}, "code": {"type": "string"}, "message": {"type": "string"}}}},
        },
    })
}

/// `openapi.json`.
pub(super) async fn document(asked: HeaderMap) -> Result<Response, Refusal> {
    answer(&asked, &*DOCUMENT)
}

#[derive(Template)]
#[template(path = "api.html")]
struct Plain<'a> {
    calls: &'a [Call],
    acts: &'a [acts::Act],
}

/// `/api/`.
pub(super) async fn page(State(site): State<Opened>, viewer: Viewer, asked: HeaderMap) -> Result<Response, Refusal> {
    let page = Page {
        title: "API".to_owned(),
        heading: "API".to_owned(),
        description: "What ran, as JSON.".to_owned(),
        canonical: Some("/api/".to_owned()),
        crumbs: vec![Crumb::here("Page", "API")],
        ..Page::default()
    };
    Ok(show(&site, &viewer, &asked, page, &Html::of(&Plain { calls: CALLS, acts: acts::ACTS })))
}
