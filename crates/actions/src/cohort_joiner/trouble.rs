//! What ends the making of one result: a fault of what is read, or of writing, whose place the caller knows.
//! Most of what passes between the parts of a join is one of the two.

use std::io;

use crate::fault::Fault;

/// Why a result cannot be made.
#[derive(Debug)]
pub(super) enum Trouble {
    Fault(Box<Fault>),
    /// The result could not be written.
    Write(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl Trouble {
    /// `what` is the result.
    pub(super) fn fault(self, what: &str) -> Fault {
        match self {
            Self::Fault(fault) => *fault,
            Self::Write(error) => Fault::writing(what, &error),
        }
    }
}
