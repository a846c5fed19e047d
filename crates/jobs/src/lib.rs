#![doc = include_str!("../README.md")]

pub mod collect;
pub mod log;
mod object;
mod refusal;
pub mod store;
pub mod tree;

pub use object::{BadObjectId, ObjectId};
pub use refusal::{Unsafe, Why};
