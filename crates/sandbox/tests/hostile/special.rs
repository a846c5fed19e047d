//! Rows that need more than a table: somebody kills, or looks on from outside.

pub const SPECIAL: &[&str] = &[];
