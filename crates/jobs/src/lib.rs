#![doc = include_str!("../README.md")]

pub mod collect;
mod json;
pub mod log;
pub mod manifest;
pub mod metadata;
mod object;
pub mod publish;
mod refusal;
pub mod store;
pub mod tree;

pub use object::{BadObjectId, ObjectId};
pub use refusal::{Unsafe, Why};
