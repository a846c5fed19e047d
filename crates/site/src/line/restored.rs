//! The line of a site that was restored from an older copy: what may lie at places that are taken gets places behind them, and
//! places at which nothing lies any more are filled. Spec protocol.md 3.1, 7.1; the rules are `protocol::directive::line`.

use std::collections::BTreeSet;

use protocol::directive::DirectiveKind;
use protocol::directive::envelope::sign_again;
use protocol::directive::line::{Line, again};
use protocol::limits::DIRECTIVES;
use protocol::text::time::Moment;
use protocol::text::whole::Cursor;

use super::directives::{cursor, number};
use super::send::{SendError, put, roster_revision};
use super::tell;
use crate::Site;
use crate::store::ids::BackendId;
use crate::store::{Change, StoreError};

/// The line of a backend as it is stored.
pub(super) async fn line(change: &mut Change, backend: BackendId) -> Result<Line, StoreError> {
    let (last, asked): (i64, i64) = sqlx::query_as("SELECT line_last, line_asked FROM backend WHERE id = ?")
        .bind(backend.0)
        .fetch_one(&mut **change)
        .await?;
    Ok(Line::stored(cursor(last)?, cursor(asked)?))
}

/// Stores what `hello` found of the line, and gives new places to what the backend may not have, in the order of the line.
/// The ids stay, so that a backend which has one of them does nothing twice.
pub(super) async fn place_again(
    change: &mut Change,
    site: &Site,
    backend: BackendId,
    line: &mut Line,
) -> Result<(), SendError> {
    let asked = number(line.acknowledged());
    type Row = (i64, String, String, i64, bool, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT cursor, kind, text, expires_at, delivered_at IS NOT NULL, answered_at IS NOT NULL FROM directive
         WHERE backend = ? AND rejected IS NULL AND (answered_at IS NULL OR delivered_at IS NULL) ORDER BY cursor",
    )
    .bind(backend.0)
    .fetch_all(&mut **change)
    .await?;
    for (place, kind, text, expires_at, delivered, answered) in rows {
        let damaged = || StoreError::Damaged(format!("the directive at place {place}"));
        let kind = DirectiveKind::named(&kind).ok_or_else(damaged)?;
        if !again(kind, delivered, answered) {
            continue;
        }
        let behind = line.take();
        let expires_at = Moment::from_microseconds(expires_at).map_err(|_| damaged())?;
        let text = sign_again(&text, site.line.key(), behind, expires_at)?;
        sqlx::query("UPDATE directive SET cursor = ?, text = ? WHERE backend = ? AND cursor = ?")
            .bind(number(behind))
            .bind(text)
            .bind(backend.0)
            .bind(place)
            .execute(&mut **change)
            .await?;
    }
    sqlx::query("UPDATE backend SET line_last = ?, line_asked = ?, recovering = 1 WHERE id = ?")
        .bind(number(line.last()))
        .bind(asked)
        .bind(backend.0)
        .execute(&mut **change)
        .await?;
    tell::all(change, backend).await?;
    Ok(())
}

/// Fills the empty places behind `after`, as many as one answer holds, with directives that change nothing.
pub(super) async fn fill(
    change: &mut Change,
    site: &Site,
    backend: BackendId,
    slug: &str,
    after: Cursor,
) -> Result<(), SendError> {
    let line = line(change, backend).await?;
    let there: Vec<(i64,)> =
        sqlx::query_as("SELECT cursor FROM directive WHERE backend = ? AND cursor > ? ORDER BY cursor LIMIT ?")
            .bind(backend.0)
            .bind(number(after))
            .bind(i64::try_from(DIRECTIVES).unwrap_or(100))
            .fetch_all(&mut **change)
            .await?;
    let there: BTreeSet<i64> = there.into_iter().map(|(place,)| place).collect();
    let body = roster_revision(change).await?;
    for place in line.missing(after, DIRECTIVES, |place| there.contains(&number(place))) {
        let _ = put(change, site, backend, slug, place, &body).await?;
    }
    Ok(())
}
