//! What free search finds a request by: one row of words for each, kept by the transaction that changes them.
//! Spec site.md 6.1.

use super::{Change, StoreError};

/// Writes the words of a request anew: its number, identifier, commit, workspace, who asked, actions and jobs.
/// `line::send` and the projection call it; whoever makes requests needs not.
///
/// # Errors
/// The database failed.
pub async fn settle(change: &mut Change, number: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM request_words WHERE rowid = ?").bind(number).execute(&mut **change).await?;
    sqlx::query(
        "INSERT INTO request_words (rowid, words)
         SELECT r.number, r.number || ' ' || r.identifier || ' ' || coalesce(r.commit_id, '') || ' ' || w.name || ' '
             || a.fullname
             || coalesce((SELECT ' ' || group_concat(name, ' ') FROM (SELECT name FROM requested_action
                          WHERE job_request = r.number ORDER BY position)), '')
             || coalesce((SELECT ' ' || group_concat(identifier || ' ' || action, ' ') FROM (SELECT identifier, action
                          FROM job WHERE job_request = r.number ORDER BY position)), '')
         FROM job_request r JOIN workspace w ON w.id = r.workspace JOIN account a ON a.id = r.requested_by
         WHERE r.number = ?",
    )
    .bind(number)
    .execute(&mut **change)
    .await?;
    Ok(())
}

/// What was typed as a query of words that must all begin so; none if nothing can be looked for.
pub fn query(typed: &str) -> Option<String> {
    let quoted = |word: &str| format!("\"{}\"*", word.replace('"', "\"\""));
    // A word without letter or digit has no token: the engine would find nothing at all.
    let words: Vec<String> =
        typed.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).take(16).map(quoted).collect();
    if words.is_empty() { None } else { Some(words.join(" AND ")) }
}
