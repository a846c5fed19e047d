#![doc = include_str!("../README.md")]

pub mod expectations;
pub mod fault;
pub mod functions;
pub mod lower;
pub mod model;
pub mod record;
pub mod recording;
