//! The table of routes: a path, a method, who may take it, and its handler. There is no other way to add one.
//! Spec site.md 11.3: a handler without a declared permission must not compile.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, any, on};

use crate::Opened;
use crate::access::{Access, Post, Refusal, door, guard};

/// Bytes of a body, if a route does not say otherwise (spec site.md 11.7).
const BYTES: usize = 1024 * 1024;
/// Bytes of the form that makes a job request.
pub const REQUEST_FORM_BYTES: usize = 4 * BYTES;

/// What is known of a route, for the matrix of routes and roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// How it is asked.
    pub method: Method,
    /// With `{names}` for what varies.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
}

/// Routes with their handlers.
#[derive(Default)]
pub struct Routes {
    all: Vec<(Route, usize, MethodRouter<Opened>)>,
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a page or other answer that changes nothing.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Opened>,
        T: 'static,
    {
        self.add(Method::GET, path, access, BYTES, on(MethodFilter::GET, handler))
    }

    /// Adds an act.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Opened>,
        T: 'static,
    {
        self.post_up_to(BYTES, path, access, handler)
    }

    /// Adds an act whose body may have this many bytes.
    #[must_use]
    pub fn post_up_to<H, T>(self, bytes: usize, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Opened>,
        T: 'static,
    {
        self.add(Method::POST, path, access, bytes, on(MethodFilter::POST, handler))
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        access: Access,
        bytes: usize,
        handler: MethodRouter<Opened>,
    ) -> Self {
        self.all.push((Route { method, path, access }, bytes, handler));
        self
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, mut more: Self) -> Self {
        self.all.append(&mut more.all);
        self
    }

    /// What there is.
    pub fn table(&self) -> impl Iterator<Item = &Route> {
        self.all.iter().map(|(route, _, _)| route)
    }

    pub(crate) fn into_router(self, site: Opened) -> Router {
        let guarded = |access, bytes| from_fn_with_state(Post { site: site.clone(), access, bytes }, guard);
        let mut router = Router::new();
        for (route, bytes, handler) in self.all {
            router = router.route(route.path, handler.route_layer(guarded(route.access, bytes)));
        }
        let nothing = any(async || Refusal::Hidden).layer(guarded(Access::Public, BYTES));
        router
            .method_not_allowed_fallback(async || Refusal::Method)
            .fallback_service(nothing.with_state(site.clone()))
            // The guard limits bodies, each route its own way.
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn_with_state(site.clone(), door))
            .with_state(site)
    }
}
