//! The table of routes: a path, a method, who may take it, and its handler. There is no other way to add one.
//! Spec site.md 11.3: a handler without a declared permission must not compile.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::Opened;
use crate::access::Access;

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
    all: Vec<(Route, MethodRouter<Opened>)>,
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
        self.add(Method::GET, path, access, on(MethodFilter::GET, handler))
    }

    /// Adds an act.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Opened>,
        T: 'static,
    {
        self.add(Method::POST, path, access, on(MethodFilter::POST, handler))
    }

    fn add(mut self, method: Method, path: &'static str, access: Access, handler: MethodRouter<Opened>) -> Self {
        self.all.push((Route { method, path, access }, handler));
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
        self.all.iter().map(|(route, _)| route)
    }

    pub(crate) fn into_router(self, site: Opened) -> Router {
        let mut router = Router::new();
        for (route, handler) in self.all {
            router = router.route(route.path, handler);
        }
        router.with_state(site)
    }
}
