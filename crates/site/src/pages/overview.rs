//! The live pages beside that of a request: how the parts of each are drawn for its stream, and which news concern it.
//! Spec site.md 14.

use super::query::Query;
use super::{Drawn, home, log, shell, status, workspace};
use crate::Site;
use crate::facts::Changed;
use crate::store::StoreError;
use crate::store::read;

/// A page of many things.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Overview {
    /// The first page.
    Home,
    /// How the backends stand.
    Status,
    /// A log: its path, the filter that the path fixes, and what stands behind `?` of its address.
    Log {
        /// Where it is, with a slash at the end.
        path: String,
        /// The key and value that it fixes.
        fixed: Option<(&'static str, String)>,
        /// The other filters, as the page writes them.
        query: String,
    },
    /// A workspace: its project and its name.
    Workspace {
        /// Slug of the project.
        project: String,
        /// Its name.
        name: String,
    },
}

impl Overview {
    /// A log as its page understands the address; nothing if it has another page than the first, or a value that is none.
    pub fn log(path: &str, fixed: Option<(&'static str, String)>, query: &str) -> Option<Self> {
        let query = Query::read(query);
        let is_live = query.faults.is_empty() && query.filter.after.is_none();
        // Written again: what means nothing here, the script's own key too, makes no page of its own.
        let query = query.address("", fixed.as_ref().map(|(key, _)| *key), None);
        is_live.then(|| Self::Log { path: path.to_owned(), fixed, query: query.trim_start_matches('?').to_owned() })
    }

    /// The parts that can change, as they are now; nothing if the page is gone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn draw(&self, site: &Site) -> Result<Option<Drawn>, StoreError> {
        let now = site.clock.microseconds();
        match self {
            Self::Home => home::drawn(site, now).await.map(Some),
            Self::Status => status::drawn(site, now).await.map(Some),
            Self::Workspace { project, name } => workspace::drawn(site, project, name, now).await,
            Self::Log { path, fixed, query } => {
                let mut query = Query::read(query);
                if let Some((key, value)) = fixed {
                    query.fix(key, value);
                }
                let found = read::requests(site.store.readers(), &query.filter, shell::ROWS).await?;
                Ok(Some(log::drawn(&query, &found, path, now)))
            }
        }
    }

    /// Whether it may look different after this. Requests are in all of them; which ones only the tables know.
    pub fn concerns(&self, changed: &Changed) -> bool {
        let of_backends = matches!(self, Self::Home | Self::Status);
        let backends = !changed.backends.is_empty() || !changed.gauges.is_empty();
        !changed.requests.is_empty() || (of_backends && backends)
    }
}
