//! What a stream is about: the page of one request, or a page of many things.
//! Spec site.md 14.

use crate::Site;
use crate::facts::Changed;
use crate::pages::{Drawn, Overview, draw};
use crate::store::StoreError;
use crate::store::ids::BackendId;
use crate::store::read::request_page;

/// A page that can be watched. Two readers of equal ones share what is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// The page of a request.
    Request { number: i64, project: String, workspace: String, backend: BackendId },
    /// Another page.
    Overview(Overview),
}

impl Subject {
    /// Whether it may look different after this.
    pub(super) fn concerns(&self, changed: &Changed) -> bool {
        match self {
            Self::Request { number, backend, .. } => {
                let of_backend = changed.backends.contains(backend) || changed.gauges.contains(backend);
                of_backend || changed.requests.contains(number)
            }
            Self::Overview(overview) => overview.concerns(changed),
        }
    }

    /// Its parts, as they are now; nothing if the page is gone.
    pub(super) async fn draw(&self, site: &Site) -> Result<Option<Drawn>, StoreError> {
        match self {
            Self::Request { number, project, workspace, .. } => {
                let now = site.clock.microseconds();
                let page = request_page(site.store.readers(), (project, workspace), *number, now).await?;
                Ok(page.map(|page| draw(&page, &site.memory, &site.line.seen(page.backend.id), now)))
            }
            Self::Overview(overview) => overview.draw(site).await,
        }
    }
}
