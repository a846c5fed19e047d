//! What every page of the staff area begins and ends with.
//! Spec site.md 10.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use sqlx::Row;
use ui::form::Fault as Shown;
use ui::html::Html;
use ui::page::{Crumb, Page};

use super::areas::AREAS;
use crate::access::{RequestId, Viewer};
use crate::people::{By, Fault};
use crate::store::{Change, StoreError};
use crate::web::sheet;
use crate::{Opened, line};

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
        let mut change = self.site.store.change().await?;
        let rights = revision(&mut change).await?;
        Ok(Doing { change, by: By::viewer(&self.viewer, &self.request), rights })
    }

    /// It is done. If it touched who may what, every backend is told to fetch the roster.
    pub(super) async fn finish(&self, doing: Doing) -> Result<(), Fault> {
        let Doing { mut change, rights, .. } = doing;
        let mut sent = Vec::new();
        if revision(&mut change).await? != rights {
            sent = line::rights_changed(&mut change, &self.site, Vec::new()).await.map_err(untold)?;
        }
        sent.extend(line::tell(&mut change, &self.site).await.map_err(untold)?);
        change.commit().await.map_err(StoreError::from)?;
        sent.iter().for_each(|one| self.site.line.wake(one));
        Ok(())
    }
}

fn untold(error: line::SendError) -> Fault {
    Fault::Store(StoreError::Damaged(format!("backends cannot be told of what changed: {error}")))
}

/// Something that is being done.
pub(super) struct Doing {
    pub(super) change: Change,
    pub(super) by: By,
    rights: String,
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
            $desk.finish(doing).await?;
            Ok::<_, $crate::people::Fault>(done)
        }
        .await
    };
}
pub(super) use act;

async fn revision(change: &mut Change) -> Result<String, Fault> {
    let row = sqlx::query("SELECT value FROM setting WHERE name = 'people_revision'").fetch_one(&mut **change).await?;
    Ok(row.try_get("value")?)
}

/// Back to a page after something was done.
pub(super) fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
