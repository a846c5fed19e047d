//! The form filled in from an earlier request: the same actions, only what failed, another backend. Never a run by itself.
//! Spec site.md 7.5 (Run again).

use std::collections::BTreeSet;

use pipeline::ActionName;

use super::desk::Desk;
use super::wish::{LONGEST_NOTE, Wish};
use crate::access::Fields;
use crate::mirror::Study;
use crate::store::{Store, StoreError};

/// What the address asks to be filled in: `?from=812`, `only=failed`, `backend=…`, `action=…`, `force=1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Before {
    from: Option<i64>,
    only_failed: bool,
    backend: Option<String>,
    actions: Vec<String>,
    force: bool,
}

/// The request that a form was filled in from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct From {
    pub(super) number: i64,
    /// What it ran.
    pub(super) commit: Option<String>,
    pub(super) only_failed: bool,
}

impl Before {
    /// Unknown words are left out: an address never stops the form.
    pub(super) fn of(query: &Fields) -> Self {
        Self {
            from: query.get("from").and_then(|number| number.parse().ok()).filter(|number| *number > 0),
            only_failed: query.get("only") == Some("failed"),
            backend: query.get("backend").map(str::to_owned),
            actions: query.all("action").map(str::to_owned).collect(),
            force: query.get("force") == Some("1"),
        }
    }

    /// The wish that the form begins with. Actions that this commit does not have are left out.
    pub(super) async fn wish(
        self,
        store: &Store,
        desk: &Desk,
        study: &Study,
    ) -> Result<(Wish, Option<From>), StoreError> {
        let mut wish = Wish {
            backend: self.backend.clone().unwrap_or_default(),
            actions: self.actions.iter().map(ActionName::new).collect(),
            force: self.force,
            notify: desk.ground.notify_default,
            commit: Some(study.commit),
            ..Wish::default()
        };
        let from = match self.from {
            Some(number) => self.fill(&mut wish, store, number, desk.ground.workspace).await?,
            None => None,
        };
        let usable = |backend: &str| desk.choices.iter().any(|choice| choice.slug == backend);
        if !usable(&wish.backend) {
            wish.backend = String::new();
        }
        if let ([only], true) = (desk.choices.as_slice(), wish.backend.is_empty()) {
            wish.backend = only.slug.clone();
        }
        let mut seen = BTreeSet::new();
        let known = |name: &ActionName| name.is_run_all() || study.project().is_some_and(|p| p.action(name).is_some());
        wish.actions.retain(|name| known(name) && seen.insert(name.clone()));
        Ok((wish, from))
    }

    async fn fill(
        &self,
        wish: &mut Wish,
        store: &Store,
        number: i64,
        workspace: i64,
    ) -> Result<Option<From>, StoreError> {
        let row: Option<(String, bool, String, String, Option<String>)> = sqlx::query_as(
            "SELECT b.slug, r.force_run_dependencies, r.stale, r.note, r.commit_id FROM job_request r
             JOIN backend b ON b.id = r.backend WHERE r.number = ? AND r.workspace = ?",
        )
        .bind(number)
        .bind(workspace)
        .fetch_optional(store.readers())
        .await?;
        let Some((backend, force, stale, note, commit)) = row else { return Ok(None) };
        let from = From { number, commit, only_failed: self.only_failed };
        if self.backend.is_none() {
            wish.backend = backend;
        }
        wish.note = note.chars().take(LONGEST_NOTE).collect();
        wish.rerun = stale == "rerun";
        let failed: Vec<String> = match self.only_failed {
            true => {
                sqlx::query_scalar(
                    "SELECT action FROM job WHERE job_request = ? AND (status = 'failed' OR
                     (status = 'pending' AND started_at IS NULL)) ORDER BY position",
                )
                .bind(number)
                .fetch_all(store.readers())
                .await?
            }
            false => Vec::new(),
        };
        // A request that was refused has no jobs: all that it named is what did not run.
        if !failed.is_empty() {
            wish.actions.extend(failed.into_iter().map(ActionName::new));
            return Ok(Some(from));
        }
        wish.force |= force;
        let named: Vec<String> =
            sqlx::query_scalar("SELECT name FROM requested_action WHERE job_request = ? ORDER BY position")
                .bind(number)
                .fetch_all(store.readers())
                .await?;
        wish.actions.extend(named.into_iter().map(ActionName::new));
        Ok(Some(from))
    }
}
