#![doc = include_str!("../README.md")]

mod field;
mod memory;
pub mod read;
mod text;
pub mod validate;
mod write;

pub use field::{DatePrecision, Field, Format, Kind, Schema, Source};
pub use memory::Memory;
pub use write::gzip::gzip;
pub use write::{WriteError, Written, write};
