#![doc = include_str!("../README.md")]

mod field;

pub use field::{DatePrecision, Field, Format, Kind, Schema, Source};
