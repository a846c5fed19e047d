#![doc = include_str!("../README.md")]

mod field;
mod memory;
pub mod read;
pub mod text;
pub mod validate;
mod write;

pub use field::{DatePrecision, Field, Format, Kind, Packing, Schema, Source};
pub use memory::Memory;
pub use write::gzip::gzip;
pub use write::{FeatherWriter, Passes, StataColumn, WriteError, Written, write, write_stata};
