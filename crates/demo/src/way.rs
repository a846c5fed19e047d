//! The way between a backend and the site of one process: the site's own router, called with the bytes that a connection
//! would carry. Spec protocol.md 12: no short cut may exist that production does not have.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use backend::line::transport::{Answer, Transport, Unreachable};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use std::net::SocketAddr;
use tower::ServiceExt;

/// Calls the site in this process.
#[derive(Clone)]
pub(crate) struct InProcess(pub(crate) Router);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

impl InProcess {
    pub(crate) async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unreachable> {
        let mut request = request.map(Body::from);
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        request.extensions_mut().insert(ConnectInfo(here));
        if let Some(host) = request.uri().authority().and_then(|a| a.as_str().parse().ok()) {
            request.headers_mut().entry(http::header::HOST).or_insert(host);
        }
        let answer = match self.0.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| Unreachable(error.to_string()))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

impl Transport for InProcess {
    fn call(&self, request: Request<Bytes>) -> Answer<'_> {
        Box::pin(self.ask(request))
    }
}
