#![doc = include_str!("../README.md")]

mod check;
mod csv_scan;
mod header;
mod reason;

pub use check::{Checked, Limits, check, check_copied};
pub use csv_scan::{CsvFacts, MAX_RECORD, Scan, Unreadable, scan};
pub use reason::{ALLOWED_TYPES, Reason};
