//! Who asks: nobody, a person with a session, or a program with somebody's token.
//! Spec site.md 11.2, 11.6. Loaded once for each request by `guard`; handlers take it as an argument.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Grants, Object, Permission, Refusal, TokenScope, may};

/// An account that may act: not disabled, with the roles that count now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The row.
    pub id: i64,
    /// The public user name.
    pub username: String,
    /// The name that is shown.
    pub fullname: String,
    /// Its roles.
    pub grants: Grants,
}

/// Somebody who signed in.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub account: Account,
    /// The token that every form of this session carries as `csrf`.
    pub csrf: String,
    /// SHA-256 of the session's id.
    pub session: [u8; 32],
    /// When they last proved who they are, in microseconds.
    pub strong_auth_at: i64,
}

/// A program that acts for somebody.
#[derive(Debug, PartialEq, Eq)]
pub struct Token {
    /// For whom.
    pub account: Account,
    /// The row of the token.
    pub id: i64,
    /// What the token is for.
    pub scopes: Vec<TokenScope>,
    /// The only projects that it reaches; all of its owner's if empty.
    pub projects: Vec<i64>,
}

impl Token {
    /// Whether the token itself, apart from its owner's rights, reaches so far.
    pub fn reaches(&self, scope: TokenScope, object: &Object) -> bool {
        let here = self.projects.is_empty() || object.project.is_some_and(|id| self.projects.contains(&id));
        here && self.scopes.contains(&scope)
    }
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody who signed in.
    #[default]
    Anonymous,
    /// Somebody who signed in with a browser.
    Person(Arc<Person>),
    /// A program with a token; only under `/api/`.
    Token(Arc<Token>),
}

impl Viewer {
    /// The account, if any.
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::Anonymous => None,
            Self::Person(person) => Some(&person.account),
            Self::Token(token) => Some(&token.account),
        }
    }

    /// The account.
    ///
    /// # Errors
    /// [`Refusal::SignIn`] for nobody.
    pub fn signed_in(&self) -> Result<&Account, Refusal> {
        self.account().ok_or(Refusal::SignIn)
    }

    /// What every form of this viewer's pages carries in its hidden field `csrf`; empty for nobody.
    pub fn csrf(&self) -> &str {
        match self {
            Self::Person(person) => &person.csrf,
            Self::Anonymous | Self::Token(_) => "",
        }
    }

    /// Whether they have the permission for this object: for buttons. See [`may`] for the reason.
    pub fn can(&self, permission: Permission, object: &Object) -> bool {
        may(self, permission, object).is_ok()
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
