#![doc = include_str!("../README.md")]

mod check;
pub mod fault;
pub mod functions;
mod lint;
pub mod model;
pub mod recording;

pub use check::{CheckOptions, Checked, Flavour, check};
