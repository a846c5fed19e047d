//! What every page of the staff area begins and ends with.
//! Spec site.md 10.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use ui::form::Fault as Shown;
use ui::html::Html;
use ui::page::{Crumb, Page};

use super::areas::AREAS;
use crate::Opened;
use crate::access::{RequestId, Viewer};
use crate::people::{By, Doing, Fault};
use crate::web::sheet;

/// Who sits there, and at which site.
pub(super) struct Desk {
    pub(super) site: Opened,
    pub(super) viewer: Viewer,
    request: RequestId,
}

impl FromRequestParts<Opened> for Desk {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Opened) -> Result<Self, Infallible> {
        let viewer = Viewer::from_request_parts(parts, site).await?;
        Ok(Self { site: site.clone(), viewer, request: RequestId::from_request_parts(parts, site).await? })
    }
}

#[derive(Template)]
#[template(path = "staff/menu.html")]
struct Menu<'a> {
    areas: Vec<(&'static str, &'static str, bool)>,
    main: &'a Html,
}

impl Desk {
    /// A page below the area at `area`; `name` is the page's own, unless it is the area itself.
    pub(super) fn page(&self, area: &str, name: Option<&str>, faults: &[Shown], main: &Html) -> Response {
        let here = AREAS.iter().find(|one| one.path == area);
        let title = name.or(here.map(|one| one.name)).unwrap_or("Staff").to_owned();
        let mut crumbs = vec![Crumb::here("", "Staff")];
        if let (Some(here), Some(name)) = (here, name) {
            crumbs.push(Crumb::to("", here.name, here.path));
            crumbs.push(Crumb::here("", name));
        }
        let open = AREAS.iter().filter(|one| one.is_open_to(&self.viewer));
        let areas = open.map(|one| (one.name, one.path, one.path == area)).collect();
        let main = Html::of(&Menu { areas, main });
        let page = Page { heading: title.clone(), title, section: "staff", crumbs, ..Page::default() };
        sheet::page_with(&self.site, &self.viewer, page, faults, &main)
    }

    /// Begins to do something. Use [`act`].
    pub(super) async fn begin(&self) -> Result<Doing, Fault> {
        Doing::begin(&self.site, By::viewer(&self.viewer, &self.request)).await
    }
}

/// Does something in one change: `act!(desk, change, by, people::roles::approve(change, by, grant))` is a result of what that
/// function gives. All of it happens, or nothing.
macro_rules! act {
    ($desk:expr, $change:ident, $by:ident, $body:expr) => {
        async {
            let mut doing = $desk.begin().await?;
            let done = {
                let $change = &mut doing.change;
                let $by = &doing.by;
                $body.await?
            };
            doing.finish(&$desk.site).await?;
            Ok::<_, $crate::people::Fault>(done)
        }
        .await
    };
}
pub(super) use act;

/// Back to a page after something was done.
pub(super) fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
