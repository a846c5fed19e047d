//! One act in one change; whoever may be concerned is told after it.
//! Spec protocol.md 8 (`rights_changed`); site.md 10, 11.8.

use sqlx::Row;

use super::{By, Fault};
use crate::store::{Change, StoreError};
use crate::{Site, line};

/// Something that is being done: all of it happens at [`finish`](Self::finish), or nothing.
#[derive(Debug)]
pub struct Doing {
    /// The change.
    pub change: Change,
    /// Who does it.
    pub by: By,
    rights: String,
}

impl Doing {
    /// Begins.
    ///
    /// # Errors
    /// The database is busy for too long, or failed.
    pub async fn begin(site: &Site, by: By) -> Result<Self, Fault> {
        let mut change = site.store.change().await?;
        let rights = revision(&mut change).await?;
        Ok(Self { change, by, rights })
    }

    /// It is done. If it touched who may what, every backend is told to fetch the roster.
    ///
    /// # Errors
    /// The database failed; then nothing was done.
    pub async fn finish(self, site: &Site) -> Result<(), Fault> {
        let Self { mut change, rights, .. } = self;
        let mut sent = Vec::new();
        if revision(&mut change).await? != rights {
            sent = line::rights_changed(&mut change, site, Vec::new()).await.map_err(untold)?;
        }
        sent.extend(line::tell(&mut change, site).await.map_err(untold)?);
        change.commit().await.map_err(StoreError::from)?;
        sent.iter().for_each(|one| site.line.wake(one));
        Ok(())
    }
}

fn untold(error: line::SendError) -> Fault {
    Fault::Store(StoreError::Damaged(format!("backends cannot be told of what changed: {error}")))
}

/// Does something as the operator, in one change.
///
/// # Errors
/// What the act says; then nothing was done.
pub async fn operate<T>(site: &Site, act: impl AsyncFnOnce(&mut Change, &By) -> Result<T, Fault>) -> Result<T, Fault> {
    let mut doing = Doing::begin(site, By::operator()).await?;
    let done = act(&mut doing.change, &doing.by).await?;
    doing.finish(site).await?;
    Ok(done)
}

async fn revision(change: &mut Change) -> Result<String, Fault> {
    let row = sqlx::query("SELECT value FROM setting WHERE name = 'people_revision'").fetch_one(&mut **change).await?;
    Ok(row.try_get("value")?)
}
