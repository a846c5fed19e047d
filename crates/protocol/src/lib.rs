#![doc = include_str!("../README.md")]

pub mod directive;
pub mod fact;
pub mod json;
pub mod keys;
pub mod limits;
pub mod order;
pub mod schema;
pub mod shape;
pub mod text;
