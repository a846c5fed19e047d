//! Ends a query that takes too long, whoever waits for it: a page must not hold a reader for ever.
//! Spec site.md 16 (query time limit), 19.

use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

/// Steps of the engine between two looks at the clock: some tens of microseconds.
const STEPS: i32 = 2_000;

/// From now on whatever this connection does may take so long. Pages take a connection for each query.
///
/// # Errors
/// The connection is closed.
pub(super) async fn begin(connection: &mut SqliteConnection, limit: Duration) -> Result<(), sqlx::Error> {
    let begun = Instant::now();
    connection.lock_handle().await?.set_progress_handler(STEPS, move || begun.elapsed() <= limit);
    Ok(())
}
