//! What can be wrong with a reusable action, each with its own code, what is wrong and what to do.
//! Spec project-yaml.md 9 (P801 to P808).

use crate::fault::{one_of, quoted};
use crate::{Code, RuntimeRef};

/// Why `name:tag` cannot be used. The text does not say who uses it: that is for the place where it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReusableFault {
    /// P801.
    #[error("the repository {address} cannot be had: {why}")]
    NoRepository {
        /// Where it would be.
        address: String,
        /// What was found instead.
        why: String,
    },
    /// P802.
    #[error("the repository {address} has no such tag{}", why.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    NoTag {
        /// Where it was looked for.
        address: String,
        /// If there can be none of this name, why.
        why: Option<String>,
    },
    /// P803.
    #[error("it is not approved: {why}")]
    NotOnMain {
        /// Which commit is not on what.
        why: String,
    },
    /// P804.
    #[error("it is no reusable action: {why}")]
    NoActionFile {
        /// What is there instead of its action.yaml.
        why: String,
    },
    /// P805.
    #[error("its action.yaml cannot be used: {why}")]
    BadActionFile {
        /// What is wrong in it.
        why: String,
    },
    /// P806.
    #[error("its action.yaml runs {}, which is not allowed: {why}", quoted(word))]
    Runtime {
        /// The first word of its `run`.
        word: String,
        /// Why not.
        why: String,
        /// The names that may stand there.
        allowed: Vec<String>,
    },
    /// P807.
    #[error("its action.yaml runs {}, which reads the database", quoted(command))]
    Database {
        /// The first two words.
        command: String,
    },
    /// P808.
    #[error("this cannot be the name of a reusable action: {rule}")]
    Name {
        /// The rule that it breaks.
        rule: &'static str,
    },
}

impl ReusableFault {
    /// Its code.
    pub fn code(&self) -> Code {
        Code(match self {
            Self::NoRepository { .. } => "P801",
            Self::NoTag { .. } => "P802",
            Self::NotOnMain { .. } => "P803",
            Self::NoActionFile { .. } => "P804",
            Self::BadActionFile { .. } => "P805",
            Self::Runtime { .. } => "P806",
            Self::Database { .. } => "P807",
            Self::Name { .. } => "P808",
        })
    }

    /// What to do; `near` are names of runtimes that look like the one written.
    pub(crate) fn help(&self, reference: &RuntimeRef, near: &[String]) -> String {
        let meant = |otherwise: &str| match near {
            [] => otherwise.to_owned(),
            near => format!("did you mean {}? Otherwise {otherwise}", one_of(near.iter().map(String::as_str))),
        };
        match self {
            Self::NoRepository { .. } => meant(
                "compare the name with the list of reusable actions, and `actions.url` and `actions.org` of your settings",
            ),
            Self::NoTag { .. } => format!("look up the tags of {} and name one of them", quoted(&reference.name)),
            Self::NotOnMain { .. } => {
                "name a tag of its `main` branch, or ask those who keep the action to merge the commit".to_owned()
            }
            Self::NoActionFile { .. } => meant("ask those who keep it to add one, or name a later tag"),
            Self::BadActionFile { .. } => {
                "those who keep the action have to mend it; an earlier tag may work".to_owned()
            }
            Self::Runtime { allowed, .. } => format!(
                "its `run` must begin with one of {} and a version; those who keep the action have to mend it",
                one_of(allowed.iter().map(String::as_str))
            ),
            Self::Database { .. } => {
                "only a study itself may ask for patients: extract them in an action of its own, and `needs` that"
                    .to_owned()
            }
            Self::Name { .. } => meant("write the name as its repository is called"),
        }
    }
}
