//! Old addresses of what was renamed: looked up only when nothing else matched; the longest prefix wins.
//! Spec site.md 2.3.

use sqlx::Row;

use super::answer::local;
use crate::Opened;

/// Where an address that matches nothing has moved, if it has.
pub(super) async fn find(site: &Opened, path: &str, query: Option<&str>) -> Option<String> {
    // Prefixes end with `/`, so `/old/` is none of `/older/`.
    let row = sqlx::query(
        "SELECT prefix, target FROM redirect
         WHERE substr(?1, 1, length(prefix)) = prefix AND (expires_at IS NULL OR expires_at > ?2)
         ORDER BY length(prefix) DESC LIMIT 1",
    )
    .bind(path)
    .bind(site.clock.microseconds())
    .fetch_optional(site.store.readers())
    .await
    .ok()??;
    let (prefix, target): (String, String) = (row.try_get("prefix").ok()?, row.try_get("target").ok()?);
    let moved = format!("{target}{}", path.strip_prefix(&prefix)?);
    let moved = match query {
        Some(query) => format!("{moved}?{query}"),
        None => moved,
    };
    local(&moved).map(str::to_owned)
}
