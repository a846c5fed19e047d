//! What is done to people, their roles and the things they work on: the same functions for pages and the command line.
//! Spec site.md 2.1, 2.2, 10, 11. Every function takes who does it ([`By`]) and writes its act into the audit log.

pub mod accounts;
pub mod backends;
mod by;
pub mod codes;
mod doing;
pub mod lists;
mod names;
pub mod orgs;
pub(crate) mod pages;
pub mod password;
pub mod permissions;
pub mod projects;
pub mod roles;
pub mod sign_in;
pub mod tokens;
pub mod workspaces;

pub use by::By;
pub use doing::{Doing, operate};
pub use names::{RESERVED, RESERVED_WORKSPACES, day};

use crate::access::Refusal;
use crate::access::secret::NoRandom;
use crate::store::StoreError;

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// What was given for one thing breaks a rule.
    #[error("{name}: {why}")]
    Field {
        /// Which: the name of the form's field and of the command's option.
        name: &'static str,
        /// The rule, and what to do.
        why: String,
    },
    /// It is not allowed, contradicts what is there, or there is no such thing.
    #[error("{0}")]
    Refused(Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing secret can be made.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// A password cannot be kept.
    #[error(transparent)]
    Password(#[from] password::Unhashed),
}

impl Fault {
    fn field(name: &'static str, why: impl Into<String>) -> Self {
        Self::Field { name, why: why.into() }
    }

    fn conflict(why: impl Into<String>) -> Self {
        Self::Refused(Refusal::Conflict(why.into()))
    }

    fn forbidden(why: impl Into<String>) -> Self {
        Self::Refused(Refusal::Forbidden(why.into()))
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => refusal,
            Fault::Field { .. } => Self::Invalid(fault.to_string()),
            Fault::Store(error) => error.into(),
            Fault::Random(_) | Fault::Password(_) => {
                tracing::error!(error = %fault, "a secret cannot be made");
                Self::Unavailable
            }
        }
    }
}
