//! The way out: one call, whole bytes both ways. Real over TLS, or the site's own router in one process; the same bytes.
//! Spec protocol.md 1, 2, 12.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};

/// The site was not reached, or no whole answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the site cannot be reached: {0}")]
pub struct Unreachable(pub String);

/// An answer that may not come.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Unreachable>> + Send + 'a>>;

/// Carries calls to the site. The address of a request is the full one; an implementation sends it nowhere else, follows no
/// redirect, and may be dropped at any moment.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Makes one call.
    fn call(&self, request: Request<Bytes>) -> Answer<'_>;
}
