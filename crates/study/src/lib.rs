#![doc = include_str!("../README.md")]

pub mod fault;
pub mod functions;
pub mod model;
pub mod recording;
