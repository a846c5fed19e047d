//! Who does something: somebody at a page or the API, or the operator at the command line.
//! Spec site.md 10 (command line twins), 11.3.

use crate::access::{Object, Permission, Refusal, RequestId, Viewer, may};
use crate::audit::{Act, Actor};

/// Who does it, and by which request.
#[derive(Debug, Clone)]
pub struct By {
    actor: Actor,
    viewer: Viewer,
    request: Option<RequestId>,
}

impl By {
    /// Who asks for a page or calls the API.
    pub fn viewer(viewer: &Viewer, request: &RequestId) -> Self {
        Self { actor: Actor::of(viewer), viewer: viewer.clone(), request: Some(request.clone()) }
    }

    /// The operator, who may do everything but be two people.
    pub fn operator() -> Self {
        Self { actor: Actor::operator(), viewer: Viewer::Anonymous, request: None }
    }

    /// Somebody who proved who they are by a link made for them, before they have a session.
    pub(super) fn account_itself(actor: Actor, request: &RequestId) -> Self {
        Self { actor, viewer: Viewer::Anonymous, request: Some(request.clone()) }
    }

    /// Whether it is the operator.
    pub fn is_operator(&self) -> bool {
        matches!(self.actor, Actor::Operator(_))
    }

    /// The account, for `*_by` columns; none for the operator.
    pub fn account(&self) -> Option<i64> {
        self.actor.account()
    }

    /// Whether they may.
    ///
    /// # Errors
    /// As [`may`]; never for the operator.
    pub fn may(&self, permission: Permission, object: &Object) -> Result<(), Refusal> {
        if self.is_operator() { Ok(()) } else { may(&self.viewer, permission, object) }
    }

    /// An act of theirs.
    pub fn act(&self, action: &'static str) -> Act {
        let act = Act::new(self.actor.clone(), action);
        match &self.request {
            Some(id) => act.request(id),
            None => act,
        }
    }
}
