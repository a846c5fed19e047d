//! Cancelling: what can still be stopped, who else waits for it, the ask, and the one case in which the site decides itself.
//! Spec site.md 4.10; jobs.md 7.

mod act;
mod api;
mod expand;
mod page;
mod read;
mod void;

use crate::access::Access;
use crate::web::Routes;

pub use act::{CancelError, Done, Who, cancel};
pub(crate) use api::{Cancelled, ToCancel};
pub use read::{Item, Standing, Waiting, standing};

/// The page and the call. Whether somebody may is asked by the handlers: the requester always, others by `job_cancel`.
pub fn routes() -> Routes {
    Routes::new()
        .get("/{project}/{workspace}/{number}/cancel/", Access::SignedIn, page::show)
        .post("/{project}/{workspace}/{number}/cancel/", Access::SignedIn, page::send)
        .post("/api/v1/job-requests/{request}/cancel", Access::SignedIn, api::send)
}
