//! Whether the site lives and can serve, for whoever watches it.
//! Spec site.md 3 (`/health`).

use axum::extract::State;
use axum::http::StatusCode;

use super::Routes;
use crate::Opened;
use crate::access::Access;

pub(super) fn routes() -> Routes {
    Routes::new().get("/health/live", Access::Public, live).get("/health/ready", Access::Public, ready)
}

async fn live() -> &'static str {
    "ok\n"
}

async fn ready(State(site): State<Opened>) -> (StatusCode, &'static str) {
    match sqlx::query("SELECT 1").execute(site.store.readers()).await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "database\n"),
    }
}
