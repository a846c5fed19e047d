//! The project.yaml of a request: the file itself, byte for byte, and its pages in colours.
//! Spec site.md 3, 4.4.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use ui::html::Html;
use ui::page::{Crumb, Page};
use ui::yaml::Pages;

use super::request::{self, Pipeline};
use super::shell;
use crate::Opened;
use crate::access::{Refusal, Viewer};
use crate::store::read;

#[derive(Template)]
#[template(path = "yaml.html")]
struct Body {
    text: Html,
    lines: usize,
    number: usize,
    count: usize,
    before: usize,
    next: usize,
}

/// The graph, if it was asked for and can be looked at, with the table that says the same in words.
#[derive(Template)]
#[template(path = "whole.html")]
struct Whole {
    graph: Option<Html>,
    table: Html,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Which page of the view; without it, the file itself.
    view: Option<String>,
}

/// `/PROJECT/WORKSPACE/NUMBER/project.yaml`.
pub(super) async fn page(
    State(site): State<Opened>,
    viewer: Viewer,
    Path((project, workspace, number)): Path<(String, String, String)>,
    Query(wanted): Query<Wanted>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let number = shell::number(&number)?;
    let bytes = read::yaml_of(site.store.readers(), (&project, &workspace), number).await?.ok_or(Refusal::Hidden)?;
    let Some(view) = wanted.view else { return Ok(file(&asked, bytes)) };
    let path = format!("/{project}/{workspace}/{number}/");
    let page = |heading: &str| Page {
        title: format!("{heading} of job request {number}"),
        heading: heading.into(),
        description: format!("The pipeline of job request {number}, as it was at the commit."),
        section: "log",
        crumbs: vec![
            Crumb::to("Workspace", &workspace, format!("/{project}/{workspace}/")),
            Crumb::to("Job request", number.to_string(), &path),
            Crumb::here("File", "project.yaml"),
        ],
        ..Page::default()
    };
    if view == "actions" || view == "graph" {
        let now = site.clock.microseconds();
        let found = read::request_page(site.store.readers(), (&project, &workspace), number, now).await?;
        let found = found.ok_or(Refusal::Hidden)?;
        let table = request::actions(&found, &site.memory, now);
        let graph = if view == "graph" { request::graph(&found, &site.memory, now) } else { None };
        let heading = if graph.is_some() { "Whole pipeline" } else { "Actions" };
        let main = Html::of(&Whole { graph, table });
        return Ok(shell::show(&site, &viewer, &asked, page(heading), &main));
    }
    let wanted = shell::number(&view).ok().and_then(|n| usize::try_from(n).ok()).ok_or(Refusal::Hidden)?;
    // Reading eight megabytes takes a while: not on the thread that answers everybody.
    let drawn = tokio::task::spawn_blocking(move || draw(&bytes, wanted)).await;
    let body = drawn.map_err(|_| Refusal::Unavailable)?.ok_or(Refusal::Hidden)?;
    Ok(shell::show(&site, &viewer, &asked, page("project.yaml"), &Html::of(&body)))
}

/// The bytes as they are. Shown as text and never run, whatever they are.
fn file(asked: &HeaderMap, bytes: Vec<u8>) -> Response {
    let mut answer = shell::tagged(asked, "text/plain; charset=utf-8", bytes);
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer.into_response()
}

fn draw(bytes: &[u8], wanted: usize) -> Option<Body> {
    let pipeline = Pipeline::read(bytes);
    let pages = Pages::of(&pipeline.text);
    let text = pages.page(&pipeline.text, wanted, &pipeline.marks(None, |_| None))?;
    Some(Body {
        text,
        lines: pages.lines(),
        number: wanted,
        count: pages.count(),
        before: wanted - 1,
        next: wanted + 1,
    })
}
