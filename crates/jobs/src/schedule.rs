//! Which job starts when: pools, weights, fairness between workspaces, ageing, reservation, modes and tries.
//! Spec jobs.md 5, 6, 8. Pure: no clock and no I/O, time is what the caller says.

mod entry;
mod modes;
mod queue;
mod standing;
mod tries;
mod weights;

pub use entry::{Capacity, Entry, Held, Moment, Pace, Pool, Weight};
pub use modes::{Halt, Maintenance, Modes};
pub use queue::Queue;
pub use standing::Standing;
pub(crate) use tries::back_off;
pub use tries::{Cause, Next, Tries};
pub use weights::{BadWeights, Weights};
