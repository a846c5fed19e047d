//! Routes and the server.
//! Spec site.md 3, 11.3, 11.4.

mod health;
mod routes;

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

use crate::{Opened, SiteError};

pub use routes::{Route, Routes};

/// Every route of the site. A module that has handlers gives its own list.
pub fn routes() -> Routes {
    Routes::new().and(health::routes()).and(crate::line::routes())
}

/// The site as a service that answers requests.
pub fn router(site: Opened) -> Router {
    routes().into_router(site)
}

/// Listens and answers until `stop` resolves; then finishes what it has begun.
///
/// `ready` is told the address, which matters where port 0 asked for any.
///
/// # Errors
/// The address cannot be listened on, or the server failed.
pub async fn serve(
    site: Opened,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), SiteError> {
    let address = site.settings.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| SiteError::Listen { address, source })?;
    ready(listener.local_addr().map_err(SiteError::Serve)?);
    let held = site.clone();
    let stop = async move {
        stop.await;
        held.stop();
    };
    let service = router(site).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop).await.map_err(SiteError::Serve)
}
