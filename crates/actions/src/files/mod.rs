//! What all actions over files of the workspace share: patterns, formats, opening, and the switch back to old habits.
//! Nothing here knows what a file is for (actions.md 2.4, 3.1).

mod compat;
mod format;
mod open;
mod pattern;
mod select;

pub(crate) use compat::Compat;
pub(crate) use format::{Format, format_of};
pub(crate) use open::{Opened, csv_fault, data_fault, header, unreadable};
pub(crate) use pattern::has_magic;
pub(crate) use select::{find, near_misses};
