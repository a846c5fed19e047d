//! Routes and the server.
//! Spec site.md 3, 11.3, 11.4.

mod health;
mod paper;
mod routes;
pub(crate) mod sheet;
pub(crate) mod table;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::{Opened, SiteError};

pub use health::Health;
pub(crate) use paper::paper;
pub use routes::{REQUEST_FORM_BYTES, Route, Routes};

/// Every route of the site. A module that has handlers gives its own list.
pub fn routes() -> Routes {
    Routes::new()
        .and(health::routes())
        .and(crate::line::routes())
        .and(crate::form::routes())
        .and(crate::people::pages::routes())
        .and(crate::staff::routes())
        .and(crate::live::routes())
        .and(crate::api::routes())
        .and(crate::pages::routes())
        .and(crate::cancel::routes())
}

/// The site as a service that answers requests.
pub fn router(site: Opened) -> Router {
    routes().into_router(site)
}

/// How long answers that have begun may take once the site is told to stop.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Listens and answers until `stop` resolves; then finishes what it has begun, for at most ten seconds.
///
/// `ready` is told the address, which matters where port 0 asked for any.
///
/// # Errors
/// The address cannot be listened on, the certificate cannot be used, or the server failed.
pub async fn serve(
    site: Opened,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), SiteError> {
    let address = site.settings.listen;
    let listener = TcpListener::bind(address).await.map_err(|source| SiteError::Listen { address, source })?;
    ready(listener.local_addr().map_err(SiteError::Serve)?);
    let tls = site.settings.tls.clone();
    let held = site.clone();
    let stop = async move {
        stop.await;
        held.stop();
    };
    let upkeep = tokio::spawn(crate::form::upkeep(site.clone()));
    let neighbours = tokio::spawn(crate::line::watch(site.clone()));
    let service = router(site).into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.into_std().map_err(SiteError::Serve)?;
    let handle = axum_server::Handle::new();
    let stopping = handle.clone();
    let stopper = tokio::spawn(async move {
        stop.await;
        stopping.graceful_shutdown(Some(LAST_WORDS));
    });
    let served = match tls {
        None => axum_server::from_tcp(listener).map_err(SiteError::Serve)?.handle(handle).serve(service).await,
        Some(files) => {
            // Another part of the program may have chosen the same one before.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let config = axum_server::tls_rustls::RustlsConfig::from_pem_file(&files.certificate, &files.key).await;
            let config =
                config.map_err(|source| SiteError::Certificate { certificate: files.certificate.clone(), source })?;
            axum_server::from_tcp_rustls(listener, config)
                .map_err(SiteError::Serve)?
                .handle(handle)
                .serve(service)
                .await
        }
    };
    stopper.abort();
    upkeep.abort();
    neighbours.abort();
    served.map_err(SiteError::Serve)
}
