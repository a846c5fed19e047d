//! A file of a study at the commit of a request, out of the site's own mirror.
//! Spec site.md 3. The code of a private repository is for members of its project; the page says so to others.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use ui::html::Html;
use ui::list::grouped;
use ui::page::{Crumb, Page};

use super::request::encoded;
use super::shell;
use crate::Opened;
use crate::access::{Object, Permission, Refusal, Viewer};
use crate::mirror::Place;
use crate::store::read;

/// The largest text that is shown in a page.
const SHOWN: usize = 1024 * 1024;
/// The largest file that is read (spec site.md 16).
const READ: u64 = 16 * 1024 * 1024;

#[derive(Template)]
#[template(path = "code.html")]
struct Body {
    raw: &'static str,
    bytes: String,
    commit: String,
    text: Html,
}

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Anything: the file itself.
    raw: Option<String>,
}

/// `/PROJECT/WORKSPACE/NUMBER/code/PATH`.
pub(super) async fn page(
    State(site): State<Opened>,
    viewer: Viewer,
    Path((project, workspace, number, path)): Path<(String, String, String, String)>,
    Query(wanted): Query<Wanted>,
    asked: HeaderMap,
) -> Result<Response, Refusal> {
    let number = shell::number(&number)?;
    let now = site.clock.microseconds();
    let found = read::request_page(site.store.readers(), (&project, &workspace), number, now).await?;
    let request = found.ok_or(Refusal::Hidden)?;
    let member = viewer.can(Permission::JobRun, &Object::project(request.project_id.0))
        || viewer.can(Permission::StaffAreaAccess, &Object::SITE);
    if request.is_private && !member {
        let why =
            "The code of this request is in a private repository. Its project.yaml is public, on the request's page.";
        return Err(Refusal::Forbidden(why.to_owned()));
    }
    let commit = request.commit.clone().ok_or(Refusal::Hidden)?;
    let place = Place { repo: request.repo.clone(), branch: request.branch.clone() };
    let known = commit.parse().map_err(|_| Refusal::Hidden)?;
    let bytes = match site.mirrors.file(&place, known, path.clone(), READ).await {
        Ok(Some(bytes)) => bytes,
        // A commit that is not in the mirror, and a path that is not in the commit, look the same from here.
        Ok(None) | Err(_) => return Err(Refusal::Hidden),
    };
    let text = String::from_utf8(bytes);
    let (text, wanted) = match (text, wanted.raw) {
        (Ok(text), None) if text.len() <= SHOWN && !text.contains('\0') => (text, None),
        (Ok(text), raw) => (String::new(), Some((text.into_bytes(), raw))),
        (Err(binary), raw) => (String::new(), Some((binary.into_bytes(), raw))),
    };
    if let Some((bytes, _)) = wanted {
        return Ok(file(&asked, bytes));
    }
    let body = Body {
        raw: "?raw=1",
        bytes: grouped(u64::try_from(text.len()).unwrap_or(u64::MAX)),
        commit,
        text: if path.ends_with(".yaml") || path.ends_with(".yml") {
            ui::yaml::whole(&text, &[])
        } else {
            ui::yaml::plain(&text)
        },
    };
    let page = Page {
        title: format!("{path} of job request {number}"),
        heading: path.clone(),
        description: format!("The file {path}, as it was when job request {number} ran."),
        section: "log",
        crumbs: vec![
            Crumb::to("Workspace", &workspace, format!("/{project}/{workspace}/")),
            Crumb::to("Job request", number.to_string(), format!("/{project}/{workspace}/{number}/")),
            Crumb::here("File", &path),
        ],
        canonical: Some(format!("/{project}/{workspace}/{number}/code/{}", encoded(&path))),
        ..Page::default()
    };
    Ok(shell::show(&site, &viewer, &asked, page, &Html::of(&body)))
}

/// The bytes, to be kept and never to be run by a browser.
fn file(asked: &HeaderMap, bytes: Vec<u8>) -> Response {
    let mut answer = shell::tagged(asked, "application/octet-stream", bytes);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
