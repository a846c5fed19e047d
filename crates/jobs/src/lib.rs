#![doc = include_str!("../README.md")]

mod object;

pub use object::{BadObjectId, ObjectId};
