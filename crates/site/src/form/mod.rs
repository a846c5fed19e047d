//! Making a job request: the form, what is checked before anything is stored, what is expected to run, the submit.
//! Spec site.md 7. What is decided is decided by pure functions; pages and the API call the same ones.

/// Reads a struct from a row by the names of its fields.
macro_rules! from_row {
    ($name:ty { $($field:ident),* $(,)? }) => {
        impl sqlx::FromRow<'_, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &sqlx::sqlite::SqliteRow) -> Result<Self, sqlx::Error> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    };
}
pub(crate) use from_row;

mod again;
mod aging;
mod api;
mod desk;
pub mod excerpt;
pub mod expect;
pub mod expire;
pub mod ground;
pub mod judge;
pub mod order;
mod page;
pub mod permit;
pub(crate) mod problem;
pub mod record;
pub(crate) mod shapes;
pub mod submit;
pub(crate) mod view;
pub mod wish;

use crate::Opened;
use crate::access::{Access, Permission};
use crate::web::{REQUEST_FORM_BYTES, Routes};

/// What the form needs done without anybody asking, every five minutes: branches of active workspaces are asked for, and
/// requests that no backend came for in time end. Runs until it is dropped.
pub async fn upkeep(site: Opened) {
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(300)).await;
        if let Err(error) = expire::expire(&site).await {
            tracing::warn!(%error, "requests that no backend came for were not ended");
        }
        crate::mirror::refresh_active(&site).await;
    }
}

/// The form's pages, and the same calls of the API.
pub fn routes() -> Routes {
    const RUN: Access = Access::Project(Permission::JobRun);
    Routes::new()
        .get("/{project}/{workspace}/run-jobs/", RUN, page::newest)
        .get("/{project}/{workspace}/run-jobs/{ref}/", RUN, page::at)
        .post_up_to(REQUEST_FORM_BYTES, "/{project}/{workspace}/run-jobs/", RUN, page::send)
        .post("/api/v1/workspaces/{workspace}/check", RUN, api::check)
        // Which workspace it is about stands in the body: the handler asks whether its project lets them run.
        .post("/api/v1/job-requests", Access::SignedIn, api::make)
}
