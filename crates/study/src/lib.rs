#![doc = include_str!("../README.md")]

mod check;
pub mod expectations;
pub mod fault;
pub mod functions;
mod lint;
pub mod lower;
pub mod model;
pub mod record;
pub mod recording;
pub mod simulate;

pub use check::{CheckOptions, Checked, Flavour, check, released};
pub use lower::{LowerError, lower};
