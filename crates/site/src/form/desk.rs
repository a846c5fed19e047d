//! All that a person who asks for a run has before them: where, on which backends, with which permissions, what ran before.
//! Spec site.md 7.1; the same for pages and the API.

use jobs::fault::point;

use super::aging;
use super::expect::Expected;
use super::ground::{Choice, Closed, Ground};
use super::order::By;
use super::permit::Permits;
use super::record::Record;
use super::submit::{Asked, SubmitError, Submitted, submit};
use super::wish::Wish;
use crate::Opened;
use crate::access::{Object, Permission, Refusal, Viewer, may};
use crate::audit::Actor;
use crate::facts::Changed;
use crate::mirror::Study;

/// All of it, read once for each request.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) ground: Ground,
    pub(super) by: By,
    pub(super) choices: Vec<Choice>,
    /// Of each choice, in the same order.
    pub(super) records: Vec<Record>,
    pub(super) permits: Permits,
    pub(super) now: i64,
}

static NOTHING: Record = Record(std::collections::BTreeMap::new());

impl Desk {
    /// Reads it; refused with the reason where nothing may be asked for.
    pub(super) async fn open(site: &Opened, viewer: &Viewer, workspace: &str) -> Result<Self, Refusal> {
        let account = viewer.signed_in()?;
        let tables = site.store.readers();
        let ground = Ground::of(tables, workspace).await?.ok_or(Refusal::Hidden)?;
        may(viewer, Permission::JobRun, &Object::project(ground.project))?;
        let forbidden = |why: Closed| Refusal::Forbidden(why.to_string());
        ground.open().map_err(forbidden)?;
        let choices = Choice::all(tables, account.id).await?;
        if choices.is_empty() {
            return Err(forbidden(Closed::NoBackend));
        }
        let mut records = Vec::with_capacity(choices.len());
        for choice in &choices {
            records.push(Record::read(tables, choice.id, ground.workspace).await?);
        }
        let kind: String =
            sqlx::query_scalar("SELECT kind FROM account WHERE id = ?").bind(account.id).fetch_one(tables).await?;
        let by = By {
            account: account.id,
            username: account.username.clone(),
            fullname: account.fullname.clone(),
            is_service: kind == "service",
        };
        let now = site.clock.microseconds();
        let permits = Permits::read(tables, ground.project, now).await?;
        Ok(Self { ground, by, choices, records, permits, now })
    }

    /// What ran before on a backend; nothing for one that may not be used.
    pub(super) fn record(&self, backend: &str) -> &Record {
        let found = self.choices.iter().zip(&self.records).find(|(choice, _)| choice.slug == backend);
        found.map_or(&NOTHING, |(_, record)| record)
    }

    /// The same, with how far each success is still up to date.
    pub(super) async fn aged(&self, site: &Opened, study: &Study, backend: &str) -> Record {
        let mut record = self.record(backend).clone();
        aging::age(&site.mirrors, &self.ground.place(), study, &mut record).await;
        record
    }

    /// Makes the request: its commit is kept for ever, all rows in one transaction, then the backend's poll is woken.
    pub(super) async fn submit(
        &self,
        site: &Opened,
        viewer: &Viewer,
        wish: &Wish,
        study: &Study,
        expected: &Expected,
    ) -> Result<Result<Submitted, SubmitError>, Refusal> {
        let pinned = site.mirrors.pin(&self.ground.place(), study.commit).await;
        pinned.map_err(|error| {
            tracing::error!(%error, "the commit of a request cannot be kept");
            Refusal::Unavailable
        })?;
        let actor = Actor::of(viewer);
        let asked =
            Asked { workspace: &self.ground.name, by: &self.by, actor: &actor, wish, study, expected, now: self.now };
        let mut change = site.store.change().await?;
        let made = match submit(&mut change, site, asked).await {
            Ok(made) => made,
            Err(error) => return Ok(Err(error)),
        };
        point("site.request.before", None);
        change.commit().await?;
        point("site.request.after", None);
        if let Some(sent) = &made.sent {
            site.line.wake(sent);
            let mut changed = Changed::default();
            changed.requests.insert(made.number);
            site.hub.tell(&changed);
        }
        Ok(Ok(made))
    }
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Closed(why) => Self::Forbidden(why.to_string()),
            SubmitError::NoWorkspace => Self::Hidden,
            SubmitError::NoBackend | SubmitError::Disabled => Self::Forbidden(error.to_string()),
            SubmitError::TooManyOpen { .. } => Self::TooMany(60),
            SubmitError::TooManyMade { .. } => Self::TooMany(600),
            SubmitError::KeyTaken { .. } => Self::Conflict(error.to_string()),
            SubmitError::Unsayable(why) => Self::Invalid(why.to_string()),
            SubmitError::Send(why) => {
                tracing::error!(error = %why, "an order cannot be put into a backend's line");
                Self::Unavailable
            }
            SubmitError::Store(why) => Self::from(why),
        }
    }
}
